/** Sessions whose time is over become EXPIRED by themselves. */
import { onEveryClock } from '../access/moved-clocks.ts'
import { appendEvents } from '../events/append.ts'
import type { Context } from '../kit/context.ts'
import { doAgain, type Executor, transactionAgain } from '../kit/db.ts'
import { newId } from '../kit/id.ts'
import { expireWithSnapshots } from './expiry-store.ts'
import { toSnapshot } from './schema.ts'
import { moveSessionsDue } from './store.ts'

/** Small: its locks and its share of the log are over before a request would notice. */
const slice = 64

/** Per clock (null: real time): what was due earlier than this has been seen, so a long queue is not walked over again. */
export type ExpiryState = Map<number | null, Date>

/** One round of expiry: a slice of all merchants' due sessions, and of each test clock's. True when more may be due. */
export function expireSessions(ctx: Context, state: ExpiryState = new Map()): Promise<boolean> {
  return onEveryClock(ctx, slice, async (now, merchantId) => {
    const { due, lastAt } = await expireSlice(ctx, { now, merchantId, from: state.get(merchantId) ?? new Date(0) })
    // Whoever finds little begins anew: sessions of transactions that committed late may lie before.
    if (due < slice || !lastAt) state.delete(merchantId)
    else state.set(merchantId, lastAt)
    return due
  })
}

/** A slice of what is due at `now`, of one merchant or of all; returns how many. */
export async function expireDueSessions(ctx: Context, now: Date, merchantId: number | null): Promise<number> {
  return (await expireSlice(ctx, { now, merchantId, from: new Date(0) })).due
}

type Slice = { now: Date; merchantId: number | null; from: Date }

async function expireSlice(
  ctx: Context,
  { now, merchantId, from }: Slice,
): Promise<{ due: number; lastAt: Date | null }> {
  const eventIds = Array.from({ length: slice }, () => newId('event', now.getTime()))
  const { due, moved, lastAt } = await doAgain(() => expireWithSnapshots(ctx.sql, { now, merchantId, from, eventIds }))
  if (moved < due) await transactionAgain(ctx.sql, (sql) => expireWithoutSnapshots(sql, { now, merchantId, from }))
  return { due, lastAt }
}

/** What the statement left: sessions that outlived their events (ADR 45) are told of from their rows. */
async function expireWithoutSnapshots(sql: Executor, { now, merchantId, from }: Slice): Promise<void> {
  const sessions = await moveSessionsDue(sql, { now, merchantId, from, most: slice })
  const events = sessions.map((row) => ({
    merchantId: row.merchantId,
    streamId: row.id,
    sequence: row.eventSequence,
    type: 'checkout_session.expired' as const,
    data: toSnapshot(row),
    at: now,
  }))
  await appendEvents(sql, events)
}
