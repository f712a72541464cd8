/** The rows that one outcome touches, locked in one order everywhere: session, payment, then link and accounts. */
import type { Merchant } from '../access/caller.ts'
import { type LockedSession, lockSession, type TrackedSession } from '../checkout-sessions/move.ts'
import { brokenConstraint, type Executor, isConflict, type Sql, transactionAgain } from '../kit/db.ts'
import { problem } from '../kit/problem.ts'
import { type NewEntry, postEntry } from '../ledger/post.ts'
import { countLinkUse, type LinkUse } from '../payment-links/move.ts'
import { findPaymentById, insertPayment, lockPaymentById, updatePayment } from '../payments/find.ts'
import type { Payment } from '../payments/payment.ts'
import { toSnapshot } from '../payments/schema.ts'
import type { Rail } from '../rails/rail.ts'
import type { EventType } from '../vocabulary/events.ts'
import { railOfPayment } from './order.ts'

/** How a step of work writes: at once under locks, or recorded and written in one statement if nobody came in between. */
export type Writes = {
  insertPayment(payment: Payment): Promise<void>
  updatePayment(payment: Payment): Promise<void>
  post(entry: NewEntry): Promise<void>
  /** Locks another session of the chain: the one that replaced this one. */
  lockSession(id: string): Promise<LockedSession | undefined>
  lockPayment(id: string): Promise<Payment | undefined>
  countLinkUse(linkId: string | null, use: LinkUse): Promise<void>
  /** Writes the session and its events: the last thing a step does. */
  save(): Promise<void>
}

/** One step's view of a payment and its session. */
export type Work = {
  /** For reading; what is written goes through `writes`. */
  readonly sql: Executor
  readonly merchant: Merchant
  readonly now: Date
  readonly session: TrackedSession
  readonly payment: Payment
  readonly rail: Rail
  readonly writes: Writes
}

/** Locks a payment's session, then the payment. Throws `notFound` when the merchant has no such payment. */
export async function openWork(sql: Executor, merchant: Merchant, paymentId: string, clockTime: Date): Promise<Work> {
  // The session of a payment never changes, so it may be read before it is locked.
  const known = await findPaymentById(sql, merchant.id, paymentId)
  const session = known ? await lockSession(sql, merchant.id, known.sessionId, clockTime) : undefined
  const payment = session ? await lockPaymentById(sql, merchant.id, paymentId) : undefined
  if (!session || !payment) throw problem('notFound', 'There is no such payment.')
  const writes = lockedWrites(sql, merchant, session)
  return { sql, merchant, now: session.now, session, payment, rail: railOfPayment(payment), writes }
}

/** Writes at once, in a transaction that holds the session's lock. */
export function lockedWrites(sql: Executor, merchant: Merchant, session: LockedSession): Writes {
  const { now } = session
  return {
    insertPayment: (payment) => insertPayment(sql, payment),
    updatePayment: (payment) => updatePayment(sql, payment),
    post: async (entry) => {
      const posted = await postEntry(sql, entry)
      if (!posted) throw new Error(`the entry ${entry.kind} of ${entry.sourceId} was posted before`)
    },
    lockSession: (id) => lockSession(sql, merchant.id, id, now),
    lockPayment: (id) => lockPaymentById(sql, merchant.id, id),
    countLinkUse: (linkId, use) => countLinkUse(sql, merchant.id, linkId, use, now),
    save: () => session.save(),
  }
}

/**
 * A transaction that runs again where two payments of one order were accepted at the same moment, or locks were taken
 * crosswise: the loser then sees what the winner did.
 */
export function agreeing<T>(sql: Sql, work: (tx: Executor) => Promise<T>): Promise<T> {
  return transactionAgain(
    sql,
    work,
    (error) => isConflict(error) || brokenConstraint(error) === 'payments_one_accepted',
  )
}

/** Tells of a payment in its session's stream. */
export function tell(work: Work, type: EventType, payment: Payment = work.payment): void {
  payment.updatedAt = work.now
  work.session.record(type, toSnapshot(payment))
}

/** Puts a payment on the list of what somebody should look at, once per reason. */
export function flag(work: Work, reason: string): void {
  if (work.payment.attention === reason) return
  work.payment.attention = reason
  tell(work, 'payment.attention')
}
