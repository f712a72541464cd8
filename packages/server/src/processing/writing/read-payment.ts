/** Reading a payment with its session, together with what other requests read at this moment. */
import type { Session } from '../../checkout-sessions/session.ts'
import { batcher, perPool } from '../../kit/batch.ts'
import type { Sql } from '../../kit/db.ts'
import type { Payment } from '../../payments/payment.ts'
import { limits } from '../../vocabulary/limits.ts'
import { type PaymentKey, readPaymentsWithSessions } from './store.ts'

/** A payment and its session as they were read or written. */
export type Read = { session: Session; payment: Payment }

const readerOf = perPool((sql) =>
  batcher<PaymentKey, Read | undefined>({ most: limits.readBatchMax, lanes: limits.batchLanes }, (keys) =>
    readPaymentsWithSessions(sql, keys),
  ),
)

/** As it is on record now; a deleted session's too. */
export function readPaymentWithSession(sql: Sql, merchantId: number, paymentId: string): Promise<Read | undefined> {
  return readerOf(sql)({ merchantId, paymentId })
}
