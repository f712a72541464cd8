/** Sessions whose time is over become EXPIRED by themselves. */

import { merchantsWithMovedClocks } from '../access/moved-clocks.ts'
import { appendEvents } from '../events/append.ts'
import type { Context } from '../kit/context.ts'
import { transaction } from '../kit/db.ts'
import type { Job } from '../kit/job.ts'
import { toSnapshot } from './schema.ts'
import { moveSessionsDue } from './store.ts'

const slice = 500

/** One round of expiry: a slice of all merchants' due sessions, and of each test clock's. True when more may be due. */
export async function expireSessions(ctx: Context): Promise<boolean> {
  const nowMs = ctx.clock.nowMs()
  const clocks = [{ merchantId: null, offsetMs: 0 }, ...(await merchantsWithMovedClocks(ctx.sql))]
  let more = false
  for (const { merchantId, offsetMs } of clocks) {
    const moved = await expireSlice(ctx, new Date(nowMs + offsetMs), merchantId)
    more ||= moved === slice
  }
  return more
}

function expireSlice(ctx: Context, now: Date, merchantId: number | null): Promise<number> {
  return transaction(ctx.sql, async (sql) => {
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

export function sessionJobs(ctx: Context): Job[] {
  return [{ name: 'expire sessions', everyMs: 500, run: () => expireSessions(ctx) }]
}
