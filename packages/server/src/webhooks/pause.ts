/** Pausing and resuming: nothing that an endpoint misses meanwhile is lost. */
import { findMerchant } from '../access/find.ts'
import { appendEvents, timeInStream } from '../events/append.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { type Executor, transaction } from '../kit/db.ts'
import type { EventType } from '../vocabulary/events.ts'
import { restartSchedules } from './delivery-store.ts'
import type { Endpoint } from './endpoint.ts'
import { type Claim, parkQueues, releaseQueue, wakeQueues } from './queue-store.ts'
import { toSnapshot } from './schema.ts'
import { lockEndpointById, updateEndpoint } from './store.ts'
import { withEndpoint } from './with-endpoint.ts'

/** Pauses an endpoint that failed for long, tells of it by an event and marks it. Nothing when somebody was faster. */
export async function pauseFailing(ctx: Context, merchantId: number, endpointId: string): Promise<void> {
  const merchant = await findMerchant(ctx.sql, merchantId)
  if (!merchant) return
  await withEndpoint(ctx, { merchantId, id: endpointId, how: 'update' }, async (sql, endpoint, now) => {
    if (endpoint.status !== 'ACTIVE' || endpoint.failingSince === null) return
    endpoint.attention = `Nothing could be delivered since ${endpoint.failingSince.toISOString()}. Mend the receiver, try it with POST .../test, then set status to ACTIVE: what was missed follows in order.`
    await setPaused(sql, endpoint, now, nowFor(ctx, merchant))
  })
  ctx.log.warn({ merchantId, endpointId }, 'a webhook endpoint was paused: it failed for long')
}

/** Pauses a locked endpoint and writes it. `now` is real time, `eventAt` the merchant's. */
export async function setPaused(sql: Executor, endpoint: Endpoint, now: Date, eventAt: Date): Promise<void> {
  endpoint.status = 'PAUSED'
  endpoint.pausedAt = now
  endpoint.updatedAt = now
  await parkQueues(sql, endpoint.merchantId, endpoint.id)
  await tell(sql, endpoint, 'webhook_endpoint.paused', eventAt)
  await updateEndpoint(sql, endpoint)
}

/** Resumes a locked endpoint and writes it: what waits is due, and has its whole schedule again. */
export async function setActive(sql: Executor, endpoint: Endpoint, now: Date, eventAt: Date): Promise<void> {
  endpoint.status = 'ACTIVE'
  endpoint.pausedAt = null
  endpoint.attention = null
  endpoint.failingSince = null
  endpoint.givenUp = 0
  endpoint.updatedAt = now
  await restartSchedules(sql, endpoint.merchantId, endpoint.id, now)
  await wakeQueues(sql, endpoint.merchantId, endpoint.id, now)
  await tell(sql, endpoint, 'webhook_endpoint.resumed', eventAt)
  await updateEndpoint(sql, endpoint)
}

async function tell(sql: Executor, endpoint: Endpoint, type: EventType, clockTime: Date): Promise<void> {
  const { merchantId, id: streamId, eventSequence } = endpoint
  const at = await timeInStream(sql, { merchantId, streamId, sequence: eventSequence }, clockTime)
  const sequence = eventSequence + 1
  endpoint.eventSequence = sequence
  await appendEvents(sql, [{ merchantId, streamId, sequence, type, data: toSnapshot(endpoint), at }])
}

/** Lets a claimed queue of a paused endpoint rest. Under the endpoint's lock: a resume at this moment must not be missed. */
export function parkClaim(ctx: Context, claim: Claim): Promise<void> {
  return transaction(ctx.sql, async (sql) => {
    const endpoint = await lockEndpointById(sql, claim.merchantId, claim.endpointId, 'share')
    const dueAt = endpoint?.status === 'ACTIVE' ? new Date(ctx.clock.nowMs()) : null
    await releaseQueue(sql, claim, { done: endpoint ? 0 : claim.pending, dueAt })
  })
}
