/** Sends again: one delivery, or all that a range of time brought. In the order of each stream, as at first. */
import type { Caller } from '../access/caller.ts'
import { readEventsBetween } from '../events/read.ts'
import { type Context, nowFor } from '../kit/context.ts'
import type { Executor } from '../kit/db.ts'
import { problem } from '../kit/problem.ts'
import { limits } from '../vocabulary/limits.ts'
import { findDeliveryById, type NewDelivery, renewDeliveries } from './delivery-store.ts'
import { countByQueue, deliveriesFor } from './dispatch.ts'
import type { Delivery, Endpoint } from './endpoint.ts'
import { addToQueues, wakeQueue } from './queue-store.ts'
import type { Replay } from './schema.ts'
import { withEndpoint } from './with-endpoint.ts'

/** Sends a delivery again, now; one that still waits is tried now. Throws `notFound`, `failedPrecondition` while paused. */
export async function replayDelivery(ctx: Context, caller: Caller, endpointId: string, id: string): Promise<Delivery> {
  const key = { merchantId: caller.merchant.id, endpointId, id }
  return withActiveEndpoint(ctx, caller, endpointId, async (sql, _endpoint, now) => {
    const delivery = await findDeliveryById(sql, key)
    if (!delivery) throw problem('notFound', 'There is no such delivery of this endpoint.')
    await renew(sql, [delivery], now)
    await wakeQueue(sql, delivery, now)
    return (await findDeliveryById(sql, key)) ?? delivery
  })
}

/**
 * Sends all messages of a range of time, whether they were delivered or not, and also those of events that the endpoint was
 * not there for. Answers how many. Throws `notFound`, `failedPrecondition` while paused or for a range with too much in it.
 */
export async function replayRange(
  ctx: Context,
  caller: Caller,
  endpointId: string,
  { from, to }: Replay,
): Promise<number> {
  const most = limits.webhookReplayMax
  const range = { from: new Date(from), to: to === undefined ? nowFor(ctx, caller.merchant) : new Date(to) }
  if (range.to < range.from) {
    const detail = 'must not be before `from`'
    throw problem('invalidParam', `/to ${detail}`, { errors: [{ pointer: '/to', detail }] })
  }
  return withActiveEndpoint(ctx, caller, endpointId, async (sql, endpoint, now) => {
    const events = await readEventsBetween(sql, caller.merchant.id, { ...range, most: most + 1 })
    if (events.length > most) {
      throw problem('failedPrecondition', `More than ${most} events happened in this range; replay it in parts.`)
    }
    const ordered = [...events].sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || a.sequence - b.sequence)
    const deliveries = deliveriesFor(endpoint, ordered, now)
    await renew(sql, deliveries, now)
    return deliveries.length
  })
}

async function renew(sql: Executor, deliveries: readonly NewDelivery[], now: Date): Promise<void> {
  if (deliveries.length === 0) return
  const renewed = await renewDeliveries(
    sql,
    deliveries.map((delivery) => ({ ...delivery, createdAt: now })),
  )
  if (renewed.length > 0) await addToQueues(sql, countByQueue(renewed), now)
}

/** Works while nobody pauses the endpoint. */
function withActiveEndpoint<T>(
  ctx: Context,
  { merchant }: Caller,
  id: string,
  work: (sql: Executor, endpoint: Endpoint, now: Date) => Promise<T>,
): Promise<T> {
  return withEndpoint(ctx, { merchantId: merchant.id, id, how: 'share' }, (sql, endpoint, now) => {
    if (endpoint.status === 'ACTIVE') return work(sql, endpoint, now)
    throw problem('failedPrecondition', 'The endpoint is PAUSED; set its status to ACTIVE first.')
  })
}
