/** The rows that one outcome touches, locked in one order everywhere: session, payment, then link and accounts. */
import type { Merchant } from '../access/caller.ts'
import { type LockedSession, lockSession } from '../checkout-sessions/move.ts'
import { brokenConstraint, type Executor, isConflict, type Sql, transaction } from '../kit/db.ts'
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

const attemptsMax = 4

/**
 * A transaction that runs again where it met another one head-on: two payments of one order were accepted at the same
 * moment, or locks were taken crosswise. The loser then sees what the winner did.
 */
export async function agreeing<T>(sql: Sql, work: (tx: Executor) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction(sql, work)
    } catch (error) {
      const again = isConflict(error) || brokenConstraint(error) === 'payments_one_accepted'
      if (!again || attempt === attemptsMax) throw error
    }
  }
}

/** Tells of a payment in its session's stream. */
export function tell(work: Work, type: EventType, payment: Payment = work.payment): void {
  payment.updatedAt = work.now
  work.session.record(type, toSnapshot(payment), work.now)
}
