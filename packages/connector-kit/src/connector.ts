/** Who moves the money: the narrow contract every connector fulfils. A connector sees no database and keeps no state of ours. */
import type { Money } from './money.ts'

/** What a provider said. What is not explicit is `pending`: only an explicit answer is final. */
export type Outcome = (
  | { is: 'authorized' | 'captured' | 'received' | 'settled' | 'reversed'; ref: string; amount: Money }
  | { is: 'declined'; reason: string; ref?: string }
  | { is: 'expired'; ref?: string }
  | { is: 'action'; ref: string; fields: Readonly<Record<string, unknown>> }
  | { is: 'pending'; ref?: string }
) & {
  /** When to ask again, if the provider says so; else the poller's own schedule holds. */
  askAgainAt?: Date
}

/** All that a connector may know of a payment. */
export type PaymentOrder = {
  /** Our payment id: the idempotency key of `start`, made before the call. */
  readonly paymentId: string
  /** The provider's reference, once `start` gave one. */
  readonly ref: string | undefined
  /** The node type, e.g. `PIX`. */
  readonly rail: string
  /** What the payer pays. */
  readonly amount: Money
  /** The rail object as submitted, with the session's customer merged in (`customer`, `bankId`, `token`, ...). */
  readonly fields: Readonly<Record<string, unknown>>
  readonly description: string
  readonly metadata: Readonly<Record<string, string>>
  readonly createdAt: Date
  readonly expiresAt: Date
  /** The status we have on record (contract section 5.3). */
  readonly status: string
  /** When we recorded that status. */
  readonly statusSince: Date
  /** Where the payer's browser returns to after the bank: our own page. */
  readonly returnUrl: string
  /** Base of our public URLs, no trailing slash: the sandbox's bank lives below it. */
  readonly publicUrl: string
  /** The time by the merchant's clock. */
  readonly now: Date
}

export type RefundOrder = {
  /** Our refund's id: the idempotency key of the call. */
  readonly refundId: string
  readonly rail: string
  /** The parent payment's provider reference. */
  readonly parentRef: string
  readonly amount: Money
  readonly reason: string | undefined
  readonly createdAt: Date
  readonly now: Date
}

export type RefundOutcome = (
  | { is: 'settled'; ref: string }
  | { is: 'declined'; reason: string }
  | { is: 'pending'; ref?: string }
) & {
  askAgainAt?: Date
}

/** What came to our door in a provider's name, before anybody believes it. */
export type RawNotice = {
  /** The bytes as they came: a signature is over these, not over what a parser makes of them. */
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The secret that this connection shares with the provider. */
  readonly secret: string
  /** Real time, for the replay window. */
  readonly now: Date
}

/** What a genuine notice says. */
export type Notice = {
  /** The provider's reference of what it speaks of; 200 characters at most. */
  readonly ref: string
  /** What kind of news it is, in the provider's words: small letters and underscores. One reference has one notice of a kind. */
  readonly kind: string
  /** Our payment, where the provider repeats our id. */
  readonly paymentId?: string
  readonly outcome: Outcome
}

/** A caller that gives up aborts the signal: the answer is then `pending`. A connector throws for bugs only, and a caller takes that for `pending` too. */
export type Connector = {
  readonly name: string
  /** The node types it serves. */
  readonly rails: readonly string[]
  /**
   * What the payer needs, where nobody has to be asked for it: a code or an account number that is computed from the order.
   * Pure. Where it answers, the payment begins with it and `start` is not called.
   */
  prepare?(order: PaymentOrder): Extract<Outcome, { is: 'action' }> | undefined
  /** Begins the payment at the provider. Called again with the same paymentId it must not begin a second one. */
  start(order: PaymentOrder, signal: AbortSignal): Promise<Outcome>
  /** Asks what became of it. Without a `ref` the answer of `start` never reached us: what was never begun is begun now. */
  lookup(order: PaymentOrder, signal: AbortSignal): Promise<Outcome>
  /** Sends money back; also the look-up of a refund under way (same refundId). */
  refund(order: RefundOrder, signal: AbortSignal): Promise<RefundOutcome>
  /** Whether a notice is the provider's and fresh. Compares in constant time and throws for nothing. */
  isGenuine?(notice: RawNotice): boolean
  /** What a genuine notice says; undefined for what it cannot read. Pure, and throws for nothing. */
  readNotice?(body: Buffer): Notice | undefined
  /** Reserves, where the rail can (cards). */
  authorize?(order: PaymentOrder, signal: AbortSignal): Promise<Outcome>
  /** Takes reserved money, where the rail captures by hand. */
  capture?(order: PaymentOrder, signal: AbortSignal): Promise<Outcome>
  /** Ends an open payment; only `expired` frees the session. */
  cancel?(order: PaymentOrder, signal: AbortSignal): Promise<Outcome>
}
