/** The rows that one outcome touches, locked in one order everywhere: session, payment, then link and accounts. */
import type { Merchant } from '../access/caller.ts'
import { type LockedSession, lockSession } from '../checkout-sessions/move.ts'
import { brokenConstraint, type Executor, isConflict, type Sql, transactionAgain } from '../kit/db.ts'
import { problem } from '../kit/problem.ts'
import { findPaymentById, lockPaymentById } from '../payments/find.ts'
import type { Payment } from '../payments/payment.ts'
import { toSnapshot } from '../payments/schema.ts'
import type { Rail } from '../rails/rail.ts'
import type { EventType } from '../vocabulary/events.ts'
import { railOfPayment } from './order.ts'

/** One transaction's view of a payment and its session. */
export type Work = {
  readonly sql: Executor
  readonly merchant: Merchant
  readonly now: Date
  readonly session: LockedSession
  readonly payment: Payment
  readonly rail: Rail
}

/** Locks a payment's session, then the payment. Throws `notFound` when the merchant has no such payment. */
export async function openWork(sql: Executor, merchant: Merchant, paymentId: string, now: Date): Promise<Work> {
  // The session of a payment never changes, so it may be read before it is locked.
  const known = await findPaymentById(sql, merchant.id, paymentId)
  const session = known ? await lockSession(sql, merchant.id, known.sessionId, now) : undefined
  const payment = session ? await lockPaymentById(sql, merchant.id, paymentId) : undefined
  if (!session || !payment) throw problem('notFound', 'There is no such payment.')
  return { sql, merchant, now, session, payment, rail: railOfPayment(payment) }
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
  work.session.record(type, toSnapshot(payment), work.now)
}
