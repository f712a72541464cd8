/** The payer has acted on the page: the session turns ACTIVE, once. */
import type { Merchant } from '../access/caller.ts'
import { lockSession } from '../checkout-sessions/move.ts'
import type { Session } from '../checkout-sessions/session.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { transaction } from '../kit/db.ts'

/** Moves a session from ATTEMPT to ACTIVE; in every other status nothing is left to do. */
export async function openSession(ctx: Context, merchant: Merchant, session: Session): Promise<void> {
  if (session.status !== 'ATTEMPT') return
  await transaction(ctx.sql, async (sql) => {
    const locked = await lockSession(sql, merchant.id, session.id, nowFor(ctx, merchant))
    if (!locked || locked.row.deletedAt) return
    if (locked.row.status === 'ATTEMPT') locked.move('open')
    await locked.save()
  })
}
