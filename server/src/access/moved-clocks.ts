/** Which merchants live in another time: jobs visit them apart, because "due" is a matter of their clock. */
import type { Context } from '../kit/context.ts'
import type { Executor } from '../kit/db.ts'
import { listMovedClocks } from './store.ts'

/** The sandbox merchants whose test clock was moved. Crosses merchants: it serves jobs. */
async function merchantsWithMovedClocks(sql: Executor): Promise<{ merchantId: number; offsetMs: number }[]> {
  const rows = await listMovedClocks(sql)
  return rows.map((row) => ({ merchantId: row.id, offsetMs: Number(row.clockOffsetMs) }))
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
  let more = done === slice
  for (const { merchantId, offsetMs } of moved) {
    more = (await work(new Date(ctx.clock.nowMs() + offsetMs), merchantId)) === slice || more
  }
  return more
}
