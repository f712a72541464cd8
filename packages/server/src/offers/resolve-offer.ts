/** Checks an offer against what the merchant has: its owner, its accounts, its rates and fees; and quotes it. */

import { type Currency, formatAmount, type Money } from '@pasarela/connector-kit'
import type { Caller } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import { Faults, problem } from '../kit/problem.ts'
import { type Obstacle, type Quote, quoteMethods } from '../quotes/quote.ts'
import { applicableFees, feesOf, type Rule } from '../rules/fee.ts'
import { amountAt, checkOffer, type Destination, type Offer, type Owner } from './offer.ts'
import type { OfferBody } from './schema.ts'
import { recallAccounts, recallTerms } from './terms.ts'

/** An offer of the merchant, whole and right, with its first quote. Throws one refusal that names every fault. */
export async function resolveOffer(
  ctx: Context,
  caller: Caller,
  body: OfferBody,
  now: Date,
): Promise<{ offer: Offer; quote: Quote }> {
  const faults = new Faults()
  const currency = body.currency as Currency
  const sums = checkOffer(body, faults)
  const numbers = [...new Set(body.destinations.map((d) => d.account.accountNumber))]
  const [{ owner, rates, configured }, accounts] = await Promise.all([
    recallTerms(ctx, caller.merchant, body.owner.identityId, currency),
    recallAccounts(ctx, caller.merchant.id, numbers),
  ])
  if (!owner) faults.add('/owner/identityId', 'is not an identity of yours')
  const destinations = readDestinations(body, accounts, currency, sums.totalMinor, faults)
  faults.throwIfAny()

  const offer: Offer = {
    checkoutToken: body.checkoutToken,
    ...sums,
    currency,
    paymentMethods: [...new Set(body.paymentMethodsAllowed)],
    customer: body.customer ?? null,
    customerRequirements: body.customerRequirements ? [...new Set(body.customerRequirements)] : null,
    destinations,
    successUrl: body.successUrl ?? null,
    failedUrl: body.failedUrl ?? null,
    durationSeconds: body.duration,
    owner: { ...ownerOf(owner), ...body.owner },
    metadata: body.metadata ?? {},
  }
  const total = { minor: sums.totalMinor, currency }
  const quote = quoteOffer({
    total,
    methods: offer.paymentMethods,
    rates,
    rules: owner?.rules ?? [],
    country: owner?.country,
    configured,
    now,
  })
  return { offer, quote }
}

export type QuoteNeeds = {
  total: Money
  methods: readonly string[]
  rates: ReadonlyMap<string, string>
  rules: readonly Rule[]
  country: string | null | undefined
  configured: (rail: string) => boolean
  now: Date
}

/** Quotes every method; throws when none can be used, and says why. */
export function quoteOffer({ total, methods, rates, rules, country, configured, now }: QuoteNeeds): Quote {
  const quote = quoteMethods({
    total,
    methods,
    rates,
    isConfigured: configured,
    now,
    feesFor: (rail, purchaseCurrency) => {
      const facts = {
        paymentMethod: rail.type,
        currency: total.currency,
        purchaseCurrency,
        product: `${purchaseCurrency}:${total.currency}`,
        transactionType: 'PURCHASE',
        country: country ?? undefined,
      }
      return feesOf(applicableFees(rules, facts), total)
    },
  })
  if (!quote.methods.some((method) => method.enabled)) throw noMethodLeft(quote, total)
  return quote
}

const obstacleTexts: Record<Obstacle, string> = {
  not_configured: 'has no connection configured for this live merchant',
  precision: 'cannot represent this amount',
  limits: 'does not take an amount of this size',
  fees: 'has fees that reach the amount',
}

function noMethodLeft(quote: Quote, total: Money) {
  const pointer = '/paymentMethodsAllowed'
  if (quote.methods.length === 0) {
    const detail = `has no method that can be paid for a total in ${total.currency}: set an exchange rate with PUT /exchange-rates or allow another method`
    return problem('invalidParam', `${pointer} ${detail}.`, { errors: [{ pointer, detail }] })
  }
  const errors = quote.methods.map((method) => ({
    pointer,
    detail: `${method.type} in ${method.currency} ${obstacleTexts[method.obstacle ?? 'limits']} (${method.purchaseAmount})`,
  }))
  const key = quote.methods.every((method) => method.obstacle === 'not_configured')
    ? 'failedPrecondition'
    : 'invalidParam'
  return problem(key, `None of the allowed methods can be used: ${errors.map((e) => e.detail).join('; ')}.`, { errors })
}

type Account = Awaited<ReturnType<typeof recallAccounts>>[number]

function readDestinations(
  body: OfferBody,
  accounts: readonly Account[],
  currency: Currency,
  totalMinor: bigint,
  faults: Faults,
): Destination[] {
  const byNumber = new Map(accounts.map((account) => [account.accountNumber, account]))
  let sum = 0n
  // Amounts that are none were told already; sums of the others would only confuse.
  let readable = !faults.list.some(({ pointer }) => /^\/items\/\d+\/(preTax|total)Amount$/.test(pointer))
  const read = body.destinations.flatMap((destination, index) => {
    const at = `/destinations/${index}`
    const amount = amountAt(`${at}/amount`, destination.amount, currency, faults)
    if (amount === undefined) readable = false
    sum += amount ?? 0n
    const account = byNumber.get(destination.account.accountNumber)
    checkAccount(account, destination, currency, at, faults)
    if (!account || amount === undefined) return []
    const { name, externalId, metadata } = destination
    return [
      {
        type: 'ACCOUNT' as const,
        amount: formatAmount(amount, currency),
        ...(name === undefined ? {} : { name }),
        ...(externalId === undefined ? {} : { externalId }),
        ...(metadata === undefined ? {} : { metadata }),
        account: {
          type: account.type,
          currency,
          accountNumber: account.accountNumber,
          accountHolder: account.accountHolder,
        },
        accountId: account.id,
      },
    ]
  })
  if (readable && sum !== totalMinor) {
    faults.add(
      '/destinations',
      `sum to "${formatAmount(sum, currency)}", the items to "${formatAmount(totalMinor, currency)}": they must be equal`,
    )
  }
  return read
}

/** An account that may be paid into by this offer, and what the body says of it is true. */
function checkAccount(
  account: Account | undefined,
  { currency: said, account: named, identity }: OfferBody['destinations'][number],
  currency: Currency,
  at: string,
  faults: Faults,
): void {
  const number = `${at}/account/accountNumber`
  if (!account) {
    faults.add(number, 'is not an account of yours')
    return
  }
  if (account.status !== 'ACTIVE') faults.add(number, `is an account that is ${account.status}`)
  if (account.currency !== currency)
    faults.add(number, `is an account in ${account.currency}; the offer is in ${currency}`)
  if (said && said !== currency) faults.add(`${at}/currency`, `must be ${currency}`)
  if (named.currency && named.currency !== currency) faults.add(`${at}/account/currency`, `must be ${currency}`)
  if (identity && identity.identityId !== account.identityId)
    faults.add(`${at}/identity/identityId`, 'is not the owner of this account')
}

function ownerOf(owner: Awaited<ReturnType<typeof recallTerms>>['owner']): Partial<Owner> {
  if (!owner) return {}
  return {
    name: owner.name,
    ...(owner.lastname ? { lastname: owner.lastname } : {}),
    ...(owner.nickname ? { nickname: owner.nickname } : {}),
    entityType: owner.type,
  }
}
