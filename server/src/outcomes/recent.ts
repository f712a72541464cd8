/** Reading a payment with its session: from what this process has just written, else together with what others read now. */
import type { Session } from '../checkout-sessions/session.ts'
import { batcher, perPool } from '../kit/batch.ts'
import type { Sql } from '../kit/db.ts'
import { recent } from '../kit/recent.ts'
import type { Payment } from '../payments/payment.ts'
import { limits } from '../vocabulary/limits.ts'
import { type PaymentKey, readPaymentsWithSessions } from './store.ts'

/** A payment and its session as they were read or written. */
export type Read = { session: Session; payment: Payment }

const recentReads = perPool(() => recent<Read>(limits.recentMs, limits.recentMax))

const readerOf = perPool((sql) =>
  batcher<PaymentKey, Read | undefined>({ most: limits.readBatchMax, lanes: limits.batchLanes }, (keys) =>
    readPaymentsWithSessions(sql, keys),
  ),
)

/** As it is on record now; a deleted session's too. */
export function readPaymentWithSession(sql: Sql, merchantId: number, paymentId: string): Promise<Read | undefined> {
  return readerOf(sql)({ merchantId, paymentId })
}

/** Keeps what was just written, for the next step of the same payment. */
export function keepRead(sql: Sql, read: Read): void {
  recentReads(sql).keep(read.payment.merchantId, read.payment.id, read)
}

/**
 * As this process wrote it a moment ago, if it did: for a step whose write is guarded, never for an answer or a refusal, which
 * need what is on record now.
 */
export function takeRecent(sql: Sql, merchantId: number, paymentId: string): Read | undefined {
  return recentReads(sql).take(merchantId, paymentId)
}
