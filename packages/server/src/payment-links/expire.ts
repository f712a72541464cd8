/** Links whose duration is over become EXPIRED by themselves. */
import { onEveryClock } from '../access/moved-clocks.ts'
import { appendEvents } from '../events/append.ts'
import type { Context } from '../kit/context.ts'
import { transactionAgain } from '../kit/db.ts'
import { toSnapshot } from './schema.ts'
import { moveLinksDue } from './store.ts'

const slice = 500

/** One round: a slice of all merchants' due links, and of each test clock's. True when more may be due. */
export function expireLinks(ctx: Context): Promise<boolean> {
  return onEveryClock(ctx, slice, (now, merchantId) => expireDueLinks(ctx, now, merchantId))
}

/** A slice of what is due at `now`, of one merchant or of all; returns how many. */
export function expireDueLinks(ctx: Context, now: Date, merchantId: number | null): Promise<number> {
  return transactionAgain(ctx.sql, async (sql) => {
    const links = await moveLinksDue(sql, { now, merchantId, most: slice })
    const events = links.map((row) => ({
      merchantId: row.merchantId,
      streamId: row.id,
      sequence: row.eventSequence,
      type: 'payment_link.expired' as const,
      data: toSnapshot(row),
      at: now,
    }))
    await appendEvents(sql, events)
    return links.length
  })
}
