/** Forgets events and deliveries after 90 days; never an event that an endpoint still waits for. */
import type { Context } from '../kit/context.ts'
import { transaction } from '../kit/db.ts'
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
    if (events && deliveries && (await forgetOf(ctx, id, { events, deliveries }))) more = true
  }
  return more
}

/** Events go by the merchant's clock, deliveries by real time. */
async function forgetOf(
  ctx: Context,
  merchantId: number,
  before: { events: Date; deliveries: Date },
): Promise<boolean> {
  const orphans = await store.deleteOrphans(ctx.sql, merchantId, slice)
  await store.deleteEndpoints(ctx.sql, merchantId, new Date(ctx.clock.nowMs() - graceMs))
  const places = await store.findForgettable(ctx.sql, merchantId, before.events, slice)
  if (places.length > 0) {
    await transaction(ctx.sql, async (sql) => {
      await store.workAsOwner(sql)
      await store.deleteEvents(sql, merchantId, places)
    })
  }
  const deliveries = await store.deleteDeliveries(ctx.sql, merchantId, before.deliveries, slice)
  return orphans === slice || places.length === slice || deliveries === slice
}
