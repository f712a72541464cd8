/** SQL of forgetting: what is past its days and was told to everybody. Crosses merchants only to find them. */

import { json } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'

/** The merchants that have events, and how far their clocks are ahead. */
export async function listMerchantsWithEvents(sql: Executor): Promise<{ id: number; clockOffsetMs: bigint }[]> {
  return sql<{ id: number; clockOffsetMs: bigint }[]>`
    select m.id, m.clock_offset_ms from event_positions p join merchants m on m.id = p.merchant_id order by m.id`
}

/**
 * Works as the owner for the rest of the transaction: the application's role may not delete events (ADR 13), and this job
 * alone has to.
 */
export async function workAsOwner(sql: Executor): Promise<void> {
  await sql`set local role none`
}

type Place = { streamId: string; sequence: number; position: bigint }

/** Events that happened before the moment and that no endpoint still waits for, oldest first. */
export async function findForgettable(sql: Executor, merchantId: number, before: Date, most: number): Promise<Place[]> {
  return sql<Place[]>`
    select l.stream_id, l.sequence, l.position from event_log l
    where l.merchant_id = ${merchantId} and l.created_at < ${before} and not exists (
      select 1 from webhook_deliveries d
      where d.merchant_id = l.merchant_id and d.stream_id = l.stream_id and d.sequence = l.sequence and d.status = 'PENDING'
    )
    order by l.created_at limit ${most}`
}

/** How much is from before these moments. */
export async function countOld(
  sql: Executor,
  merchantId: number,
  before: { events: Date; deliveries: Date },
): Promise<{ events: number; deliveries: number }> {
  const [row] = await sql<{ events: number; deliveries: number }[]>`
    select (select count(*) from event_log where merchant_id = ${merchantId} and created_at < ${before.events})::int as events,
      (select count(*) from webhook_deliveries where merchant_id = ${merchantId} and created_at < ${before.deliveries})::int as deliveries`
  return row ?? { events: 0, deliveries: 0 }
}

/** Deletes events and their places in the log. */
export async function deleteEvents(sql: Executor, merchantId: number, places: readonly Place[]): Promise<void> {
  const keys = places.map((p) => ({ stream_id: p.streamId, sequence: p.sequence, position: p.position.toString() }))
  await sql`
    delete from events e
    using (select * from json_to_recordset(${json(keys)}::json) as t (stream_id object_id, sequence int)) k
    where e.merchant_id = ${merchantId} and e.stream_id = k.stream_id and e.sequence = k.sequence`
  await sql`
    delete from event_log l
    using (select * from json_to_recordset(${json(keys)}::json) as t (position bigint)) k
    where l.merchant_id = ${merchantId} and l.position = k.position`
}

/** Deletes deliveries that are done and were made before the moment, and with the last of a stream its queue. */
export async function deleteDeliveries(sql: Executor, merchantId: number, before: Date, most: number): Promise<number> {
  const gone = await sql<{ endpointId: string; streamId: string }[]>`
    delete from webhook_deliveries d
    using (
      select merchant_id, endpoint_id, id from webhook_deliveries
      where merchant_id = ${merchantId} and created_at < ${before} and status <> 'PENDING' order by created_at limit ${most}
    ) old
    where d.merchant_id = ${merchantId} and d.endpoint_id = old.endpoint_id and d.id = old.id and d.status <> 'PENDING'
    returning d.endpoint_id, d.stream_id`
  const keys = gone.map((row) => ({ endpoint_id: row.endpointId, stream_id: row.streamId }))
  await sql`
    delete from webhook_queues q
    using (select distinct * from json_to_recordset(${json(keys)}::json) as t (endpoint_id object_id, stream_id object_id)) k
    where q.merchant_id = ${merchantId} and q.endpoint_id = k.endpoint_id and q.stream_id = k.stream_id
      and q.pending <= 0 and q.leased_until is null`
  return gone.length
}

/** Deletes deliveries of endpoints that were deleted, waiting ones too. */
export async function deleteOrphans(sql: Executor, merchantId: number, most: number): Promise<number> {
  const gone = await sql`
    delete from webhook_deliveries d
    using (
      select d.endpoint_id, d.id from webhook_endpoints e
      join webhook_deliveries d on d.merchant_id = e.merchant_id and d.endpoint_id = e.id
      where e.merchant_id = ${merchantId} and e.deleted_at is not null limit ${most}
    ) orphan
    where d.merchant_id = ${merchantId} and d.endpoint_id = orphan.endpoint_id and d.id = orphan.id
    returning 1 as gone`
  return gone.length
}

/** Deletes deleted endpoints of which nothing is left: a sender or the fan-out may still have met them for a moment. */
export async function deleteEndpoints(sql: Executor, merchantId: number, before: Date): Promise<void> {
  await sql`
    delete from webhook_queues q using webhook_endpoints e
    where e.merchant_id = ${merchantId} and e.deleted_at < ${before} and q.merchant_id = e.merchant_id and q.endpoint_id = e.id`
  await sql`
    delete from webhook_endpoints e
    where e.merchant_id = ${merchantId} and e.deleted_at < ${before} and not exists (
      select 1 from webhook_deliveries d where d.merchant_id = e.merchant_id and d.endpoint_id = e.id
    )`
}
