/** Forgets events and deliveries after 90 days; never an event that an endpoint still waits for. */
import type { Context } from '../kit/context.ts'
import { type Sql, transaction } from '../kit/db.ts'
import { limits } from '../vocabulary/limits.ts'
import * as store from './retention-store.ts'

const slice = 1000
const dayMs = 24 * 3600 * 1000
/** Longer than any work that met an endpoint before it was deleted. */
const graceMs = 3600 * 1000

/** One round: a slice of each merchant's. True when more may be old. */
export async function forgetOld(ctx: Context): Promise<boolean> {
  let more = false
  for (const { id, clockOffsetMs } of await store.listMerchantsWithEvents(ctx.sql)) {
    const keptMs = limits.eventRetentionDays * dayMs
    const nowMs = ctx.clock.nowMs()
    const [events, deliveries] = [nowMs + Number(clockOffsetMs) - keptMs, nowMs - keptMs].map((ms) => new Date(ms))
    if (events && deliveries && (await forgetOf(ctx.sql, id, { events, deliveries, now: new Date(nowMs) }))) more = true
  }
  return more
}

/**
 * A slice of one merchant's events from before `events` (by its own clock) and of its deliveries from before `deliveries`
 * (real time). True when more may be old.
 */
export async function forgetOf(
  sql: Sql,
  merchantId: number,
  { events, deliveries, now }: { events: Date; deliveries: Date; now: Date },
): Promise<boolean> {
  const orphans = await store.deleteOrphans(sql, merchantId, slice)
  await store.deleteEndpoints(sql, merchantId, new Date(now.getTime() - graceMs))
  const places = await store.findForgettable(sql, merchantId, events, slice)
  if (places.length > 0) {
    await transaction(sql, async (tx) => {
      await store.workAsOwner(tx)
      await store.deleteEvents(tx, merchantId, places)
    })
  }
  const gone = await store.deleteDeliveries(sql, merchantId, deliveries, slice)
  return orphans === slice || places.length === slice || gone === slice
}

/** How many events and deliveries are from before these moments; some of them may have to stay. Reads them all. */
export function countOld(sql: Sql, merchantId: number, before: { events: Date; deliveries: Date }) {
  return store.countOld(sql, merchantId, before)
}
