/** Puts a payment on the list of what somebody should look at (`GET /payments?attention=true`). */
import type { Merchant } from '../access/caller.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { transaction } from '../kit/db.ts'
import { flag, openWork } from './work.ts'

/** Marks a payment with a reason, once; a reason that stands already is kept. Throws `notFound`. */
export async function markPayment(ctx: Context, merchant: Merchant, paymentId: string, reason: string): Promise<void> {
  await transaction(ctx.sql, async (sql) => {
    const work = await openWork(sql, merchant, paymentId, nowFor(ctx, merchant))
    if (work.payment.attention !== null) return work.writes.save()
    flag(work, reason)
    await work.writes.updatePayment(work.payment)
    await work.writes.save()
  })
}
