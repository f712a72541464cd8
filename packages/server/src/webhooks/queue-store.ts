/** SQL of the queues: what is due, who has it, and what waits behind it. Claims cross merchants, as jobs do. */

import { ints, json, texts } from '@pasarela/sql'
import { isUnleased } from '../kit/claim.ts'
import type { Executor } from '../kit/db.ts'
import type { EventType } from '../vocabulary/events.ts'
import type { Delivery } from './endpoint.ts'

export type QueueKey = { merchantId: number; endpointId: string; streamId: string }
/** `leasedUntil` is also the proof that a claim is still ours. */
export type Claim = QueueKey & { pending: number; leasedUntil: Date }

/** Adds to what waits in queues, making those that are not there; one that was empty is due now. */
export async function addToQueues(
  sql: Executor,
  counts: readonly (QueueKey & { pending: number })[],
  now: Date,
): Promise<void> {
  const rows = counts.map((c) => ({
    merchant_id: c.merchantId,
    endpoint_id: c.endpointId,
    stream_id: c.streamId,
    pending: c.pending,
    due_at: now,
  }))
  await sql`
    insert into webhook_queues as q select * from json_populate_recordset(null::webhook_queues, ${json(rows)}::json)
    on conflict (merchant_id, endpoint_id, stream_id) do update set
      pending = q.pending + excluded.pending,
      due_at = case when q.pending = 0 then excluded.due_at else q.due_at end`
}

/** Queues that are due and that nobody has, longest due first. */
export async function findDueQueues(sql: Executor, now: Date, most: number): Promise<QueueKey[]> {
  return sql<QueueKey[]>`
    select merchant_id, endpoint_id, stream_id from webhook_queues
    where due_at <= ${now} and ${isUnleased(sql, now)}
    order by due_at limit ${most}`
}

type FullPlaces = { endpointIds: readonly string[]; merchantIds: readonly number[] }

/**
 * The same while some endpoints or merchants have no place left here: endpoint by endpoint, at most `each`, so that what
 * waits for them is stepped over and not read.
 */
export async function findDueQueuesBeside(
  sql: Executor,
  { now, full, each, most }: { now: Date; full: FullPlaces; each: number; most: number },
): Promise<QueueKey[]> {
  return sql<QueueKey[]>`
    select q.merchant_id, q.endpoint_id, q.stream_id
    from webhook_endpoints e
    cross join lateral (
      select merchant_id, endpoint_id, stream_id, due_at from webhook_queues
      where merchant_id = e.merchant_id and endpoint_id = e.id and due_at <= ${now}
        and ${isUnleased(sql, now)}
      order by due_at limit ${each}
    ) q
    where e.deleted_at is null and not (e.id = any (${texts(full.endpointIds)}))
      and not (e.merchant_id = any (${ints(full.merchantIds)}))
    order by q.due_at limit ${most}`
}

/**
 * Leases queues for this process and returns those that it got. The part `due` is materialized, so that queues are found by their
 * keys (as in `claim`), not by walking over all that is due.
 */
export async function claimQueues(
  sql: Executor,
  keys: readonly QueueKey[],
  { now, leasedUntil }: { now: Date; leasedUntil: Date },
): Promise<Claim[]> {
  const rows = keys.map((k) => ({ merchant_id: k.merchantId, endpoint_id: k.endpointId, stream_id: k.streamId }))
  return sql<Claim[]>`
    with due as materialized (
      select q.merchant_id, q.endpoint_id, q.stream_id, q.due_at, q.leased_until
      from json_to_recordset(${json(rows)}::json) as k (merchant_id int, endpoint_id object_id, stream_id object_id)
      join webhook_queues q on q.merchant_id = k.merchant_id and q.endpoint_id = k.endpoint_id and q.stream_id = k.stream_id
      for update of q skip locked
    )
    update webhook_queues q set leased_until = ${leasedUntil} from due
    where q.merchant_id = due.merchant_id and q.endpoint_id = due.endpoint_id and q.stream_id = due.stream_id
      and due.due_at <= ${now} and (due.leased_until is null or due.leased_until <= ${now})
    returning q.merchant_id, q.endpoint_id, q.stream_id, q.pending, q.leased_until`
}

/** The first waiting delivery of a queue with its event; `eventId` null: the event is gone. */
export type Head = Pick<
  Delivery,
  'merchantId' | 'endpointId' | 'streamId' | 'id' | 'sequence' | 'type' | 'attempts'
> & {
  eventId: string | null
  eventType: EventType | null
  eventAt: Date | null
  data: string | null
}

export async function readHeads(sql: Executor, keys: readonly QueueKey[]): Promise<Head[]> {
  const rows = keys.map((k) => ({ merchant_id: k.merchantId, endpoint_id: k.endpointId, stream_id: k.streamId }))
  return sql<Head[]>`
    select d.merchant_id, d.endpoint_id, d.stream_id, d.id, d.sequence, d.type, d.attempts,
      e.id as event_id, e.type as event_type, e.created_at as event_at, e.data::text as data
    from (
      select * from json_to_recordset(${json(rows)}::json) as t (merchant_id int, endpoint_id object_id, stream_id object_id)
    ) k
    cross join lateral (
      select * from webhook_deliveries d
      where d.merchant_id = k.merchant_id and d.stream_id = k.stream_id and d.endpoint_id = k.endpoint_id and d.status = 'PENDING'
      order by d.sequence, d.part limit 1
    ) d
    left join events e on e.merchant_id = d.merchant_id and e.stream_id = d.stream_id and e.sequence = d.sequence`
}

/** Gives a claimed queue back without a try: `done` leave it, and the rest is due at `dueAt` (null: it rests). */
export async function releaseQueue(
  sql: Executor,
  claim: Claim,
  { done, dueAt }: { done: number; dueAt: Date | null },
): Promise<void> {
  await sql`
    update webhook_queues set pending = pending - ${done}, leased_until = null,
      due_at = case when pending - ${done} <= 0 then null else ${dueAt}::timestamptz end
    where merchant_id = ${claim.merchantId} and endpoint_id = ${claim.endpointId} and stream_id = ${claim.streamId}
      and leased_until = ${claim.leasedUntil}`
}

/** Lets an endpoint's queues rest, except those under way: their sender sees to it. */
export async function parkQueues(sql: Executor, merchantId: number, endpointId: string): Promise<void> {
  await sql`
    update webhook_queues set due_at = null
    where merchant_id = ${merchantId} and endpoint_id = ${endpointId} and due_at is not null`
}

/** Makes everything that waits for an endpoint due now. */
export async function wakeQueues(sql: Executor, merchantId: number, endpointId: string, now: Date): Promise<void> {
  await sql`
    update webhook_queues set due_at = ${now}
    where merchant_id = ${merchantId} and endpoint_id = ${endpointId} and pending > 0 and (due_at is null or due_at > ${now})`
}

/** Makes one stream's queue due now. */
export async function wakeQueue(sql: Executor, key: QueueKey, now: Date): Promise<void> {
  await sql`
    update webhook_queues set due_at = ${now}
    where merchant_id = ${key.merchantId} and endpoint_id = ${key.endpointId} and stream_id = ${key.streamId}
      and pending > 0 and (due_at is null or due_at > ${now})`
}

export async function deleteQueues(sql: Executor, merchantId: number, endpointId: string): Promise<void> {
  await sql`delete from webhook_queues where merchant_id = ${merchantId} and endpoint_id = ${endpointId}`
}
