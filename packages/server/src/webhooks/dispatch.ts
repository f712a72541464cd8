/** Events get their places in the log and, in the same transaction, become deliveries of the endpoints that want them. */

import { type Placed, readPlaced } from '../events/find.ts'
import { type MoneyEvent, withMoney } from '../events/read.ts'
import { isWorkWaiting, type SequencerState, sequenceEvents } from '../events/sequence.ts'
import type { Context } from '../kit/context.ts'
import { type Executor, isConflict, transaction } from '../kit/db.ts'
import { newId } from '../kit/id.ts'
import { insertDeliveries, type NewDelivery } from './delivery-store.ts'
import type { Endpoint } from './endpoint.ts'
import { looksIntoMoney, messagesOf } from './messages.ts'
import { addToQueues, type QueueKey } from './queue-store.ts'
import { listEndpointsOf } from './store.ts'

const slice = 500
/** How long a process leaves the work to another one that it found at it. */
const othersMs = 250

/** One round over all merchants; keeps in `state` what the next one begins with. True when more is waiting. */
export async function dispatchEvents(ctx: Context, state: SequencerState): Promise<boolean> {
  if (performance.now() < state.othersUntilMs || !(await isWorkWaiting(ctx.sql, state))) return false
  try {
    const round = await transaction(ctx.sql, async (sql) => {
      const done = await sequenceEvents(sql, state, slice)
      if (done && done.placed.length > 0) await fanOut(sql, done.placed, new Date(ctx.clock.nowMs()))
      return done
    })
    if (round === undefined) {
      state.othersUntilMs = performance.now() + othersMs
      return false
    }
    // Only now: what was not committed has to be found again.
    Object.assign(state, round.state)
    if (round.placed.length > 0) ctx.activity.note()
    return round.isCut
  } catch (error) {
    // A queue and a delivery were locked the other way round by a replay: nothing was kept, the next round does it again.
    if (isConflict(error)) return true
    throw error
  }
}

async function fanOut(sql: Executor, placed: readonly Placed[], now: Date): Promise<void> {
  const endpoints = await listEndpointsOf(
    sql,
    placed.map(({ merchantId }) => merchantId),
  )
  if (endpoints.length === 0) return
  const listening = new Set(endpoints.map(({ merchantId }) => merchantId))
  const events = await readPlaced(
    sql,
    placed.filter(({ merchantId }) => listening.has(merchantId)),
  )
  const told = endpoints.some(({ format }) => looksIntoMoney(format))
    ? await withMoney(sql, events)
    : events.map((event) => ({ ...event, money: null }))
  const deliveries = endpoints.flatMap((endpoint) => deliveriesFor(endpoint, told, now))
  if (deliveries.length === 0) return
  await Promise.all([insertDeliveries(sql, deliveries), addToQueues(sql, countByQueue(deliveries), now)])
}

/** The deliveries that an endpoint gets for these events, in their order. */
export function deliveriesFor(
  endpoint: Pick<Endpoint, 'merchantId' | 'id' | 'format' | 'eventTypes'>,
  events: readonly MoneyEvent[],
  now: Date,
): NewDelivery[] {
  const { merchantId, id: endpointId } = endpoint
  return events.flatMap((event) => {
    if (event.merchantId !== merchantId) return []
    const { streamId, sequence } = event
    return messagesOf(endpoint, event).map((type, part) => {
      const id = newId('webhookDelivery', now.getTime())
      return { merchantId, endpointId, id, streamId, sequence, part, type, createdAt: now }
    })
  })
}

/** How many deliveries each queue gets; in one order everywhere, so that writers do not meet head-on. */
export function countByQueue(places: readonly QueueKey[]): (QueueKey & { pending: number })[] {
  const counts = new Map<string, QueueKey & { pending: number }>()
  for (const { merchantId, endpointId, streamId } of places) {
    const key = `${merchantId} ${endpointId} ${streamId}`
    const count = counts.get(key) ?? { merchantId, endpointId, streamId, pending: 0 }
    counts.set(key, { ...count, pending: count.pending + 1 })
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count)
}
