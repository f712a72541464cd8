/** Sessions whose time is over become EXPIRED by themselves. */
import { onEveryClock } from '../access/moved-clocks.ts'
import { appendEvents } from '../events/append.ts'
import type { Context } from '../kit/context.ts'
import { transactionAgain } from '../kit/db.ts'
import { toSnapshot } from './schema.ts'
import type { Session } from './session.ts'
import { moveSessionsDue } from './store.ts'

/** Small: requests that come meanwhile wait neither for its locks nor long for this thread. */
const slice = 100

/** Per clock (null: real time): what was due earlier than this has been seen, so a long queue is not walked over again. */
export type ExpiryState = Map<number | null, Date>

/** One round of expiry: a slice of all merchants' due sessions, and of each test clock's. True when more may be due. */
export function expireSessions(ctx: Context, state: ExpiryState = new Map()): Promise<boolean> {
  return onEveryClock(ctx, slice, async (now, merchantId) => {
    const expired = await expireSlice(ctx, { now, merchantId, from: state.get(merchantId) ?? new Date(0) })
    // After a slice that was not full it begins anew: sessions of transactions that committed late may be due earlier.
    const last = expired.at(-1)
    if (last === undefined || expired.length < slice) state.delete(merchantId)
    else state.set(merchantId, last.expiresAt)
    return expired.length
  })
}

/** A slice of what is due at `now`, of one merchant or of all; returns how many. */
export async function expireDueSessions(ctx: Context, now: Date, merchantId: number | null): Promise<number> {
  return (await expireSlice(ctx, { now, merchantId, from: new Date(0) })).length
}

function expireSlice(
  ctx: Context,
  due: { now: Date; merchantId: number | null; from: Date },
): Promise<readonly Session[]> {
  return transactionAgain(ctx.sql, async (sql) => {
    const expired = await moveSessionsDue(sql, { ...due, most: slice })
    const events = expired.map((row) => ({
      merchantId: row.merchantId,
      streamId: row.id,
      sequence: row.eventSequence,
      type: 'checkout_session.expired' as const,
      data: toSnapshot(row),
      at: row.updatedAt,
    }))
    await appendEvents(sql, events)
    return expired
  })
}
