/** Deletes a session (design section 4 rule 8): gone everywhere, its token free, its payments kept. */
import type { Merchant } from '../access/caller.ts'
import { lockSession } from '../checkout-sessions/move.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { transaction } from '../kit/db.ts'
import { problem } from '../kit/problem.ts'
import { findOpenPayment } from '../payments/find.ts'
import type { Payment } from '../payments/payment.ts'
import { cancelOpen } from './cancel-payment.ts'

/** Throws `notFound`, or `failedPrecondition` for a paid session and for one whose open payment cannot be cancelled. */
export async function deleteSession(ctx: Context, merchant: Merchant, sessionId: string): Promise<void> {
  const open = await tryDelete(ctx, merchant, sessionId)
  if (!open) return
  await cancelOpen(ctx, merchant, open)
  const stillOpen = await tryDelete(ctx, merchant, sessionId)
  if (stillOpen) throw problem('failedPrecondition', 'A new payment was submitted meanwhile; try again.')
}

/** Deletes the session, or returns the open payment that is to be cancelled first. */
function tryDelete(ctx: Context, merchant: Merchant, sessionId: string): Promise<Payment | undefined> {
  return transaction(ctx.sql, async (sql) => {
    const session = await lockSession(sql, merchant.id, sessionId, nowFor(ctx, merchant))
    if (!session || session.row.deletedAt) throw problem('notFound', 'There is no such checkout session.')
    if (session.row.status === 'FINISHED')
      throw problem('failedPrecondition', 'The session is FINISHED; a paid session cannot be deleted.')
    const open = await findOpenPayment(sql, merchant.id, sessionId)
    if (open) return open
    if (session.row.status === 'PROCESSING_PAYMENT') {
      throw problem('failedPrecondition', 'Money for this session is held; resolve its payment first.')
    }
    session.row.deletedAt = session.now
    session.tell('checkout_session.deleted')
    await session.save()
    return undefined
  })
}
