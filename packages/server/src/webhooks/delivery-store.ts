/** SQL of deliveries. */

import { json, texts } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import type { Delivery, DeliveryStatus } from './endpoint.ts'
import type { Claim } from './queue-store.ts'

export type NewDelivery = Pick<
  Delivery,
  'merchantId' | 'endpointId' | 'id' | 'streamId' | 'sequence' | 'part' | 'type' | 'createdAt'
>

type Place = Pick<Delivery, 'merchantId' | 'endpointId' | 'streamId'>

function toRow(d: NewDelivery) {
  return {
    merchant_id: d.merchantId,
    endpoint_id: d.endpointId,
    id: d.id,
    stream_id: d.streamId,
    sequence: d.sequence,
    part: d.part,
    type: d.type,
    status: 'PENDING',
    attempts: 0,
    created_at: d.createdAt,
    next_attempt_at: d.createdAt,
  }
}

export async function insertDeliveries(sql: Executor, deliveries: readonly NewDelivery[]): Promise<void> {
  await sql`
    insert into webhook_deliveries
    select * from json_populate_recordset(null::webhook_deliveries, ${json(deliveries.map(toRow))}::json)`
}

/** Inserts deliveries, and sets those that are done back to PENDING; answers the places of all that wait now and did not before. */
export async function renewDeliveries(sql: Executor, deliveries: readonly NewDelivery[]): Promise<Place[]> {
  return sql<Place[]>`
    insert into webhook_deliveries as d
    select * from json_populate_recordset(null::webhook_deliveries, ${json(deliveries.map(toRow))}::json)
    on conflict (merchant_id, endpoint_id, stream_id, sequence, part) do update
      set status = 'PENDING', attempts = 0, next_attempt_at = excluded.next_attempt_at, delivered_at = null
      where d.status <> 'PENDING'
    returning d.merchant_id, d.endpoint_id, d.stream_id`
}

export type Try = {
  status: DeliveryStatus
  now: Date
  nextAttemptAt: Date | null
  statusCode: number | null
  error: string | null
  durationMs: number
}

/** What became of the first delivery of a queue; `done` deliveries leave it, and what waits then is tried at `dueAt`. */
export type Finish = { claim: Claim; id: string; result: Try; next: { done: 0 | 1; dueAt: Date } }

/**
 * Gives queues back and keeps what became of their tries, in one statement. Nothing at all where a lease had run out: whoever
 * has that queue now says what became of it.
 */
export async function finishTries(sql: Executor, finishes: readonly Finish[]): Promise<void> {
  await sql`
    with tried as materialized (
      select * from json_to_recordset(${json(finishes.map(toFinishRow))}::json) as t (
        merchant_id int, endpoint_id object_id, stream_id object_id, leased_until timestamptz, done int, due_at timestamptz,
        id object_id, status text, tried_at timestamptz, next_attempt_at timestamptz, delivered_at timestamptz,
        status_code int, error text, duration_ms int)
    ),
    mine as (
      update webhook_queues q set pending = q.pending - t.done, leased_until = null,
        due_at = case when q.pending - t.done <= 0 then null else t.due_at end
      from tried t
      where q.merchant_id = t.merchant_id and q.endpoint_id = t.endpoint_id and q.stream_id = t.stream_id
        and q.leased_until = t.leased_until
      returning t.*
    )
    update webhook_deliveries d set status = m.status, attempts = d.attempts + 1, tried_at = m.tried_at,
      next_attempt_at = m.next_attempt_at, delivered_at = m.delivered_at, status_code = m.status_code, error = m.error,
      duration_ms = m.duration_ms
    from mine m
    where d.merchant_id = m.merchant_id and d.endpoint_id = m.endpoint_id and d.id = m.id and d.status = 'PENDING'`
}

function toFinishRow({ claim, id, result, next }: Finish) {
  return {
    merchant_id: claim.merchantId,
    endpoint_id: claim.endpointId,
    stream_id: claim.streamId,
    leased_until: claim.leasedUntil,
    done: next.done,
    due_at: next.dueAt,
    id,
    status: result.status,
    tried_at: result.now,
    next_attempt_at: result.nextAttemptAt,
    delivered_at: result.status === 'DELIVERED' ? result.now : null,
    status_code: result.statusCode,
    error: result.error,
    duration_ms: result.durationMs,
  }
}

export async function findDeliveryById(
  sql: Executor,
  key: { merchantId: number; endpointId: string; id: string },
): Promise<Delivery | undefined> {
  const [row] = await sql<Delivery[]>`
    select * from webhook_deliveries
    where merchant_id = ${key.merchantId} and endpoint_id = ${key.endpointId} and id = ${key.id}`
  return row
}

export type DeliveryQuery = {
  status: string[] | undefined
  stream: string | undefined
  after: string | undefined
  limit: number
}

/** An endpoint's deliveries, newest first. */
export async function listDeliveries(
  sql: Executor,
  { merchantId, endpointId }: { merchantId: number; endpointId: string },
  { status, stream, after, limit }: DeliveryQuery,
): Promise<Delivery[]> {
  return sql<Delivery[]>`
    select * from webhook_deliveries where merchant_id = ${merchantId} and endpoint_id = ${endpointId}
      ${status === undefined ? sql`` : sql`and status = any (${texts(status)})`}
      ${stream === undefined ? sql`` : sql`and stream_id = ${stream}`}
      ${after === undefined ? sql`` : sql`and id < ${after}`}
    order by id desc limit ${limit}`
}

/** Gives everything that waits for an endpoint its whole schedule again. */
export async function restartSchedules(
  sql: Executor,
  merchantId: number,
  endpointId: string,
  now: Date,
): Promise<void> {
  await sql`
    update webhook_deliveries set attempts = 0, next_attempt_at = ${now}
    where merchant_id = ${merchantId} and endpoint_id = ${endpointId} and status = 'PENDING' and attempts > 0`
}
