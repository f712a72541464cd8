/** The sandbox's banks tell of payments by themselves: signed notices, through the same door as any provider's. */

import { playedNotices, signNotice } from '@pasarela/connectors/sandbox'
import { findMerchant } from '../access/find.ts'
import { onEveryClock } from '../access/moved-clocks.ts'
import { findSessionEvenDeleted } from '../checkout-sessions/find.ts'
import { sandboxConnection } from '../connections/connection.ts'
import type { Context } from '../kit/context.ts'
import { receiveNotice } from '../notices/receive.ts'
import { findPaymentById } from '../payments/find.ts'
import { orderOf } from '../processing/asking/order.ts'
import { claimNoticesToSend, deleteSentNotices } from './store.ts'

const slice = 50
const leaseMs = 30_000

/** One round: a slice of all merchants' payments, and of each test clock's. True when more may be due. */
export function sendNotices(ctx: Context): Promise<boolean> {
  return onEveryClock(ctx, slice, (now, merchantId) => sendDue(ctx, now, merchantId))
}

/** A slice of what is due at `now`, of one merchant or of all; returns of how many payments was told. */
export async function sendDue(ctx: Context, now: Date, merchantId: number | null): Promise<number> {
  const claimed = await claimNoticesToSend(ctx.sql, { now, leaseMs, merchantId, most: slice })
  for (const claim of claimed) {
    await tellOf(ctx, claim)
    // After a crash before this they are sent again, as a provider does that heard no answer.
    await deleteSentNotices(ctx.sql, claim.merchantId, claim.paymentId)
  }
  return claimed.length
}

async function tellOf(ctx: Context, claim: { merchantId: number; paymentId: string }): Promise<void> {
  const merchant = await findMerchant(ctx.sql, claim.merchantId)
  const payment = await findPaymentById(ctx.sql, claim.merchantId, claim.paymentId)
  const session = payment && (await findSessionEvenDeleted(ctx.sql, claim.merchantId, payment.sessionId))
  if (!merchant || !payment || !session) return
  const connection = await sandboxConnection(ctx, merchant.id)
  for (const { body } of playedNotices(orderOf(ctx, merchant, payment, session))) {
    const headers = signNotice(body, connection.secret, new Date(ctx.clock.nowMs()))
    await receiveNotice(ctx, { connector: 'sandbox', connectionId: connection.id, body: Buffer.from(body), headers })
  }
}
