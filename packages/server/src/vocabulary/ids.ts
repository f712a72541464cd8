/** The prefix of every id we hand out (TypeID: prefix, underscore, 26 characters of Crockford base32, time-ordered). Secrets never share one. */

export const idPrefixes = {
  client: 'client',
  identity: 'idn',
  account: 'acc',
  rule: 'rule',
  checkoutSession: 'cs',
  paymentLink: 'pl',
  payment: 'pay',
  entry: 'entry',
  event: 'evt',
  connection: 'con',
  notice: 'ntc',
  webhookEndpoint: 'we',
  webhookDelivery: 'whd',
} as const

export type IdKind = keyof typeof idPrefixes
