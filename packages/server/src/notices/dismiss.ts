/** A person has looked at a notice that no payment was found for. */
import type { Caller } from '../access/caller.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { problem } from '../kit/problem.ts'
import type { NoticeRow } from './notice.ts'
import { dismissNotice as dismiss, findNotice } from './store.ts'

/** Takes a notice off the list and keeps who did so and why. Throws `notFound`, or `failedPrecondition` for one that is not on it. */
export async function dismissNotice(ctx: Context, caller: Caller, id: string, reason: string): Promise<NoticeRow> {
  const { merchant, clientId } = caller
  const now = nowFor(ctx, merchant)
  const dismissed = await dismiss(ctx.sql, { merchantId: merchant.id, id, clientId, reason, now })
  if (dismissed) return dismissed
  const known = await findNotice(ctx.sql, merchant.id, id)
  if (!known) throw problem('notFound', 'There is no such notice.')
  throw problem('failedPrecondition', 'There is nothing to look at in this notice.')
}
