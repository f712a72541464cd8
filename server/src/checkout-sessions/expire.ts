/** Sessions whose time is over become EXPIRED by themselves. */

import { onEveryClock } from '../access/moved-clocks.ts'
import { appendEvents } from '../events/append.ts'
import type { Context } from '../kit/context.ts'
import { transactionAgain } from '../kit/db.ts'
import { toSnapshot } from './schema.ts'
import { moveSessionsDue } from './store.ts'

const slice = 500

/** One round of expiry: a slice of all merchants' due sessions, and of each test clock's. True when more may be due. */
export function expireSessions(ctx: Context): Promise<boolean> {
  return onEveryClock(ctx, slice, (now, merchantId) => expireDueSessions(ctx, now, merchantId))
}

/** A slice of what is due at `now`, of one merchant or of all; returns how many. */
export function expireDueSessions(ctx: Context, now: Date, merchantId: number | null): Promise<number> {
  return transactionAgain(ctx.sql, async (sql) => {
    const sessions = await moveSessionsDue(sql, now, merchantId, slice)
    const events = sessions.map((row) => ({
      merchantId: row.merchantId,
      streamId: row.id,
      sequence: row.eventSequence,
      type: 'checkout_session.expired' as const,
      data: toSnapshot(row),
      at: now,
    }))
    await appendEvents(sql, events)
    return sessions.length
  })
}
