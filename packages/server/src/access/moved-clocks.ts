/** Which merchants live in another time: jobs visit them apart, because "due" is a matter of their clock. */
import type { Context } from '../kit/context.ts'
import type { Executor } from '../kit/db.ts'
import { listMovedClocks } from './store.ts'

type MovedClock = { merchantId: number; offsetMs: number }

/** Every job asks, so the answer is shared. A clock that another process moved is seen after this time. */
const sharedMs = 5_000
const shared = new WeakMap<Executor, { untilMs: number; clocks: Promise<MovedClock[]> }>()

/** Call it after moving a clock. */
export function forgetMovedClocks(sql: Executor): void {
  shared.delete(sql)
}

/** The sandbox merchants whose test clock was moved. Crosses merchants: it serves jobs. */
function merchantsWithMovedClocks(sql: Executor): Promise<MovedClock[]> {
  const known = shared.get(sql)
  if (known && performance.now() < known.untilMs) return known.clocks
  const clocks = listMovedClocks(sql).then((rows) =>
    rows.map((row) => ({ merchantId: row.id, offsetMs: Number(row.clockOffsetMs) })),
  )
  shared.set(sql, { untilMs: performance.now() + sharedMs, clocks })
  clocks.catch(() => shared.delete(sql))
  return clocks
}

/**
 * One round of a job on every clock: `work` does a slice of what is due by real time of all merchants (null), then of each
 * merchant whose clock was moved, and says how much it did. True when a slice was full: more may be due.
 */
export async function onEveryClock(
  ctx: Context,
  slice: number,
  work: (now: Date, merchantId: number | null) => Promise<number>,
): Promise<boolean> {
  const atReal = work(new Date(ctx.clock.nowMs()), null)
  const [done, moved] = await Promise.all([atReal, merchantsWithMovedClocks(ctx.sql)])
  const counts = [done]
  for (const { merchantId, offsetMs } of moved) {
    counts.push(await work(new Date(ctx.clock.nowMs() + offsetMs), merchantId))
  }
  if (counts.some((count) => count > 0)) ctx.activity.note()
  return counts.includes(slice)
}
