/** What the sandbox's bank would say of an order at a moment: computed from the order alone, so that it survives any crash of ours. */
import { type Money, type Outcome, type PaymentOrder, unitOf } from '@pasarela/connector-kit'
import { referenceOf } from './accounts.ts'
import { delays, type Scenario, scenarioOf } from './scenarios.ts'

/** What a card token does. Any other token is refused. */
export const cardTokens = {
  tok_sandbox_approved: 'captured',
  tok_sandbox_manual: 'authorized',
  tok_sandbox_declined: 'declined',
} as const

export const declinedByBank = "The payer's bank refused the payment (sandbox)."
const declinedCard = 'The card issuer refused the payment (sandbox).'

/** The outcome of a payment whose payer still has to act, or acted: paid, refused, lapsed, or `pending`. */
export function openOutcome(order: PaymentOrder): Outcome {
  const scenario = scenarioOf(order)
  const ref = referenceOf(order.paymentId)
  if (order.rail === 'CARD' && (scenario.ends === 'paid' || scenario.ends === 'declined')) return cardOutcome(order)
  const dueAt = outcomeDueAt(order, scenario)
  if (dueAt === undefined) return { is: 'pending', ref }
  if (order.now < dueAt) return { is: 'pending', ref, askAgainAt: dueAt }
  switch (scenario.ends) {
    case 'declined':
      return { is: 'declined', reason: declinedByBank, ref }
    case 'late':
      return { is: 'expired', ref, askAgainAt: after(order.now, delays.lateMoneyMs) }
    default:
      return paid(order, 'received')
  }
}

/** When the bank will know: a moment after the beginning, longer where it has a page to decide on; at the deadline, or never. */
function outcomeDueAt(order: PaymentOrder, scenario: Scenario): Date | undefined {
  if (scenario.ends === 'never') return undefined
  if (scenario.ends === 'late') return order.expiresAt
  const hasPage = typeof order.fields.url === 'string'
  return after(order.createdAt, hasPage ? delays.bankPageMs : delays.outcomeMs)
}

/** A card answers at once: captured, or reserved until it is captured, cancelled or lapses. */
export function cardOutcome(order: PaymentOrder): Outcome {
  const ref = referenceOf(order.paymentId)
  if (scenarioOf(order).ends === 'declined') return { is: 'declined', reason: declinedCard, ref }
  const token = String(order.fields.token)
  const effect = Object.hasOwn(cardTokens, token) ? cardTokens[token as keyof typeof cardTokens] : undefined
  switch (effect) {
    case 'captured':
      return paid(order, 'captured')
    case 'authorized':
      return authorization(order)
    case 'declined':
      return { is: 'declined', reason: declinedCard, ref }
    case undefined: {
      const reason = `The token is not one of the sandbox's: ${Object.keys(cardTokens).join(', ')}.`
      return { is: 'declined', reason, ref }
    }
  }
}

/** Reserved money; the reservation lapses at the payment's deadline. */
export function authorization(order: PaymentOrder): Outcome {
  const ref = referenceOf(order.paymentId)
  if (order.now >= order.expiresAt) return { is: 'expired', ref }
  return { is: 'authorized', ref, amount: order.amount, askAgainAt: order.expiresAt }
}

/** Money of this order, at this stage, with the next look when the bank will know more. */
export function paid(order: PaymentOrder, is: 'captured' | 'received'): Outcome {
  const askAgainAt = after(order.now, stageMs(order, is))
  return { is, ref: referenceOf(order.paymentId), amount: amountPaid(order), askAgainAt }
}

/** How long money stays at a stage, from when we recorded it. */
export function stageMs(order: PaymentOrder, is: 'captured' | 'received'): number {
  if (scenarioOf(order).takesBack) return delays.reversalMs
  return is === 'captured' ? delays.receiptMs : delays.settlementMs
}

/** The final word on money that came. */
export function final(order: PaymentOrder, is: 'settled' | 'reversed'): Outcome {
  return { is, ref: referenceOf(order.paymentId), amount: amountPaid(order) }
}

/** What the payer really pays: as round as what was asked for (rails that take whole pesos get whole pesos), and never nothing. */
export function amountPaid(order: PaymentOrder): Money {
  const { twentieths } = scenarioOf(order)
  const { minor, currency } = order.amount
  if (twentieths === 20n) return order.amount
  const step = minor % unitOf(currency) === 0n ? unitOf(currency) : 1n
  const wrong = ((minor * twentieths) / 20n / step) * step
  // An amount too small to be wrong by its share is wrong by one step more, because less would be nothing.
  return { minor: wrong > 0n && wrong !== minor ? wrong : minor + step, currency }
}

export function after(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms)
}
