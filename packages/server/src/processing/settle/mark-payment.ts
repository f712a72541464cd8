/** Puts a payment on the list of what somebody should look at (`GET /payments?attention=true`). */
import type { Merchant } from '../../access/caller.ts'
import type { Context } from '../../kit/context.ts'
import { flag, workerFor, workLocked } from '../writing/work.ts'

/** Marks a payment with a reason, once; a reason that stands already is kept. Throws `notFound`. */
export async function markPayment(ctx: Context, merchant: Merchant, paymentId: string, reason: string): Promise<void> {
  await workLocked(workerFor(ctx, merchant), paymentId, async (work) => {
    if (work.payment.attention !== null) return
    flag(work, reason)
    work.changes.updatePayment(work.payment)
  })
}
