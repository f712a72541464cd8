/** Sessions whose time is over become EXPIRED by themselves. */
import { setImmediate } from 'node:timers/promises'
import { onEveryClock } from '../access/moved-clocks.ts'
import { appendEvents, type NewEvent } from '../events/append.ts'
import type { Context } from '../kit/context.ts'
import { transactionAgain } from '../kit/db.ts'
import { toSnapshot } from './schema.ts'
import type { Session } from './session.ts'
import { moveSessionsDue, tryExpiryLock } from './store.ts'

/** Small: its locks, its share of the log and its turn in this process are over before a request would notice. */
const slice = 100
/** Events that are made before requests get their turn again. */
const turn = 20

/** Per clock (null: real time): what was due earlier than this has been seen, so a long queue is not walked over again. */
export type ExpiryState = Map<number | null, Date>

/** One round of expiry: a slice of all merchants' due sessions, and of each test clock's. True when more may be due. */
export function expireSessions(ctx: Context, state: ExpiryState = new Map()): Promise<boolean> {
  return onEveryClock(ctx, slice, async (now, merchantId) => {
    const last = await expireSlice(ctx, { now, merchantId, from: state.get(merchantId) ?? new Date(0) })
    // Whoever finds little begins anew: sessions of transactions that committed late may lie before.
    if (last.count < slice || !last.dueAt) state.delete(merchantId)
    else state.set(merchantId, last.dueAt)
    return last.count
  })
}

/** A slice of what is due at `now`, of one merchant or of all; returns how many. */
export async function expireDueSessions(ctx: Context, now: Date, merchantId: number | null): Promise<number> {
  return (await expireSlice(ctx, { now, merchantId, from: new Date(0) })).count
}

type Slice = { now: Date; merchantId: number | null; from: Date }

async function expireSlice(ctx: Context, { now, merchantId, from }: Slice): Promise<{ count: number; dueAt?: Date }> {
  return transactionAgain(ctx.sql, async (sql) => {
    // One process at a time: two would take the same sessions, and one of them in vain.
    if (!(await tryExpiryLock(sql))) return { count: 0 }
    const sessions = await moveSessionsDue(sql, { now, merchantId, from, most: slice })
    const last = sessions.reduce((latest, { expiresAt }) => (expiresAt > latest ? expiresAt : latest), from)
    await appendEvents(sql, await toEvents(sessions, now))
    return { count: sessions.length, dueAt: last }
  })
}

async function toEvents(sessions: readonly Session[], at: Date): Promise<NewEvent[]> {
  const events: NewEvent[] = []
  for (const [index, row] of sessions.entries()) {
    if (index > 0 && index % turn === 0) await setImmediate()
    const { merchantId, id: streamId, eventSequence: sequence } = row
    events.push({ merchantId, streamId, sequence, type: 'checkout_session.expired', data: toSnapshot(row), at })
  }
  return events
}
