/** Double entry as pure arithmetic: which account each movement of money leaves and which it reaches (design: section 6). */
import { allocate, type Currency, type Money } from '@pasarela/connector-kit'

/** Moves a positive amount from the debited account to the credited one, both of the same currency: balanced by shape. */
export type Posting = {
  readonly debit: string
  readonly credit: string
  readonly currency: Currency
  readonly amountMinor: bigint
}

/** The chart of accounts. The last part of a code is its currency, so that the database can hold a posting to one. */
export const codes = {
  /** What a provider owes us for payments by its rail. */
  clearing: (rail: string, currency: Currency) => `clearing:${rail}:${currency}`,
  /** The other side of a conversion: one account per currency, their difference is the exchange position. */
  exchange: (currency: Currency) => `exchange:${currency}`,
  /** A merchant's money that is paid but not settled. */
  pending: (accountId: string, currency: Currency) => `pending:${accountId}:${currency}`,
  /** A merchant's money that can be used. */
  available: (accountId: string, currency: Currency) => `available:${accountId}:${currency}`,
  fees: (currency: Currency) => `fees:${currency}`,
  /** Money on record that nobody has decided about. */
  held: (currency: Currency) => `held:${currency}`,
  /** Taken from a merchant for a refund that the provider has not confirmed. */
  refunding: (currency: Currency) => `refunding:${currency}`,
  /** Our own bank, by the provider connection that pays out to it. */
  cash: (connection: string, currency: Currency) => `cash:${connection}:${currency}`,
} as const

/** Whether deltas are kept for this code: merchants' accounts have balances that are read all the time. */
export function hasBalance(code: string): boolean {
  return code.startsWith('pending:') || code.startsWith('available:')
}

/** One receiver of a payment: `gross` and the `fee` in it, in minor units of the payment's currency. */
export type Share = { readonly accountId: string; readonly gross: bigint; readonly fee: bigint }

/** Money that comes in: `purchase` is what the payer paid, `gross` what it is worth in the currency of the destinations. */
export type Incoming = {
  readonly rail: string
  readonly purchase: Money
  readonly gross: Money
  readonly destinations: readonly Share[]
}

/** Paid: from the provider's clearing account, converted if need be, to each destination's pending balance less its fee. */
export function paidPostings(incoming: Incoming): Posting[] {
  return credited(codes.clearing(incoming.rail, incoming.purchase.currency), incoming)
}

/** The provider pays out what it has cleared. */
export function providerPaidOutPostings(input: { connection: string; rail: string; amount: Money }): Posting[] {
  const { currency } = input.amount
  return [moved(codes.cash(input.connection, currency), codes.clearing(input.rail, currency), input.amount)]
}

/** Settled: what is left of each share after its fee becomes available. */
export function settledPostings(input: { currency: Currency; destinations: readonly Share[] }): Posting[] {
  const { currency } = input
  return withoutNothing(
    input.destinations.map(({ accountId, gross, fee }) =>
      moved(codes.pending(accountId, currency), codes.available(accountId, currency), { minor: gross - fee, currency }),
    ),
  )
}

/** Held: money that came beside what was asked for waits for a decision, in the currency it came in. */
export function heldPostings(input: { rail: string; amount: Money }): Posting[] {
  const { currency } = input.amount
  return [moved(codes.clearing(input.rail, currency), codes.held(currency), input.amount)]
}

/** A hold ends by acceptance: as paid, but out of what was held. */
export function holdAcceptedPostings(incoming: Incoming): Posting[] {
  return credited(codes.held(incoming.purchase.currency), incoming)
}

/** A hold ends by sending the money back. */
export function holdReturnedPostings(input: { rail: string; amount: Money }): Posting[] {
  return mirrored(heldPostings(input))
}

/** A refund starts: taken from what the destinations have available, before the provider is asked. */
export function refundStartedPostings(input: {
  currency: Currency
  taken: readonly { accountId: string; amountMinor: bigint }[]
}): Posting[] {
  const { currency } = input
  return withoutNothing(
    input.taken.map(({ accountId, amountMinor }) =>
      moved(codes.available(accountId, currency), codes.refunding(currency), { minor: amountMinor, currency }),
    ),
  )
}

/** A refund is done: `taken` (the destinations' currency) leaves as `purchase` (the payer's) by the rail it came. */
export function refundDonePostings(input: { rail: string; purchase: Money; taken: Money }): Posting[] {
  const { purchase, taken } = input
  const clearing = codes.clearing(input.rail, purchase.currency)
  if (purchase.currency === taken.currency) {
    sameAmount(purchase, taken)
    return [moved(codes.refunding(taken.currency), clearing, taken)]
  }
  return [
    moved(codes.refunding(taken.currency), codes.exchange(taken.currency), taken),
    moved(codes.exchange(purchase.currency), clearing, purchase),
  ]
}

/** The entry undone: every posting the other way round, last first (a reversal, a refund that failed). */
export function mirrored(postings: readonly Posting[]): Posting[] {
  return postings.map(({ debit, credit, ...rest }) => ({ ...rest, debit: credit, credit: debit })).reverse()
}

/** A payment's whole fee spread over its destinations pro rata, by largest remainder: no part exceeds its gross. */
export function spreadFee(feeMinor: bigint, grosses: readonly bigint[]): bigint[] {
  return allocate(feeMinor, grosses)
}

/** What the postings do to each code: credits less debits, in minor units; codes that they leave as they were are left out. */
export function effects(postings: readonly Posting[]): Map<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const { debit, credit, amountMinor } of postings) {
    sums.set(debit, (sums.get(debit) ?? 0n) - amountMinor)
    sums.set(credit, (sums.get(credit) ?? 0n) + amountMinor)
  }
  for (const [code, sum] of sums) if (sum === 0n) sums.delete(code)
  return sums
}

function credited(source: string, { purchase, gross, destinations }: Incoming): Posting[] {
  const { currency } = gross
  const sum = destinations.reduce((total, share) => total + share.gross, 0n)
  if (sum !== gross.minor) throw new RangeError(`the shares sum to ${sum} instead of ${gross.minor} ${currency}`)
  const converts = purchase.currency !== currency
  if (!converts) sameAmount(purchase, gross)
  const from = converts ? codes.exchange(currency) : source
  const exchanged = converts ? [moved(source, codes.exchange(purchase.currency), purchase)] : []
  const shared = destinations.flatMap((share) => {
    const pending = codes.pending(share.accountId, currency)
    return [
      moved(from, pending, { minor: share.gross, currency }),
      moved(pending, codes.fees(currency), { minor: share.fee, currency }),
    ]
  })
  return withoutNothing([...exchanged, ...shared])
}

function moved(debit: string, credit: string, { minor, currency }: Money): Posting {
  if (minor < 0n) throw new RangeError(`a posting of ${minor} ${currency} from ${debit} to ${credit}`)
  return { debit, credit, currency, amountMinor: minor }
}

function withoutNothing(postings: readonly Posting[]): Posting[] {
  return postings.filter((posting) => posting.amountMinor > 0n)
}

function sameAmount(purchase: Money, worth: Money): void {
  if (purchase.minor === worth.minor) return
  throw new RangeError(`${purchase.minor} and ${worth.minor} ${worth.currency}: one currency is never converted`)
}
