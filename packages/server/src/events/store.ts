/** SQL of the outbox, the log and the events themselves. */

import { json, texts } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import type { EventType } from '../vocabulary/events.ts'
import { appendPart, newEvents } from './append-part.ts'
import type { NewEvent } from './event.ts'
import type { EventHead, Placed } from './find.ts'
import type { OutboxWalk, Walked } from './outbox-walk.ts'

/** Any number that is no other lock's: who holds it is sequencing. */
const sequencerLock = 4_007_001

/** Whether this transaction is the one that sequences now; it holds the role until it ends. */
export async function trySequencerLock(sql: Executor): Promise<boolean> {
  const [row] = await sql<{ taken: boolean }[]>`select pg_try_advisory_xact_lock(${sequencerLock}) as taken`
  return row?.taken === true
}

/** Whether anything waits in the outbox. Crosses merchants, as everything of the sequencer. */
export async function isOutboxFilled(sql: Executor): Promise<boolean> {
  // In the order of the key: rows that were taken out are skipped in the index, not read page by page.
  const rows = await sql`select 1 as filled from event_outbox order by merchant_id, arrival limit 1`
  return rows.length === 1
}

/** What a walk looks at: merchants after `afterMerchant`, and what arrived where `walk` says that something may be left. */
export type OutboxPart = { afterMerchant: number; walk: OutboxWalk; most: number }

export type Moved = { placed: Placed[]; walked: Walked | undefined }

type MovedRow = { [key in keyof Placed]: Placed[key] | null } & Walked

/**
 * Takes up to `most` rows out of the outbox, in the order of merchant and arrival, and gives them the next places of their
 * merchants' logs.
 */
export async function moveIntoLog(sql: Executor, { afterMerchant, walk, most }: OutboxPart): Promise<Moved> {
  const isLater = sql`
    arrival > case when pg_postmaster_start_time()::text = ${walk.server} then ${walk.begin}::bigint else 0 end`
  // Deleted from the first to the last instead of joined with each: an empty table has statistics by which any join is good.
  const rows = await sql<MovedRow[]>`
    with next as materialized (
      select merchant_id, arrival from event_outbox where merchant_id > ${afterMerchant} and ${isLater}
      order by merchant_id, arrival limit ${most}
    ), taken as (
      delete from event_outbox
      where ${isLater}
        and (merchant_id, arrival) >= (select merchant_id, arrival from next order by merchant_id, arrival limit 1)
        and (merchant_id, arrival) <= (select merchant_id, arrival from next order by merchant_id desc, arrival desc limit 1)
      returning merchant_id, arrival, stream_id, sequence, type, created_at
    ), counted as (
      select merchant_id, count(*)::int as count from taken group by merchant_id
    ), moved as (
      insert into event_positions as p (merchant_id, position) select merchant_id, count from counted
      on conflict (merchant_id) do update set position = p.position + excluded.position
      returning merchant_id, position
    ), logged as (
      insert into event_log (merchant_id, position, stream_id, sequence, type, created_at)
      select t.merchant_id, m.position - c.count + row_number() over (partition by t.merchant_id order by t.arrival),
        t.stream_id, t.sequence, t.type, t.created_at
      from taken t join moved m on m.merchant_id = t.merchant_id join counted c on c.merchant_id = t.merchant_id
    )
    select m.merchant_id, c.count, m.position, w.*
    from (
      select (select max(arrival) from taken) as last, pg_current_xact_id()::text::bigint as own,
        pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest_running, pg_postmaster_start_time()::text as server
    ) w left join (moved m join counted c on c.merchant_id = m.merchant_id) on true
    order by m.merchant_id`
  const [walked] = rows
  return {
    placed: rows.filter((row): row is MovedRow & Placed => row.merchantId !== null),
    walked,
  }
}

/** The objects of events by their places. */
export async function readEventData(
  sql: Executor,
  places: readonly Pick<EventHead, 'merchantId' | 'streamId' | 'sequence'>[],
): Promise<{ streamId: string; sequence: number; data: Record<string, unknown> }[]> {
  const keys = places.map((p) => ({ merchant_id: p.merchantId, stream_id: p.streamId, sequence: p.sequence }))
  return sql<{ streamId: string; sequence: number; data: Record<string, unknown> }[]>`
    select e.stream_id, e.sequence, e.data
    from (select * from json_to_recordset(${json(keys)}::json) as t (merchant_id int, stream_id object_id, sequence int)) k
    join events e on e.merchant_id = k.merchant_id and e.stream_id = k.stream_id and e.sequence = k.sequence`
}

export type EventRow = {
  id: string
  type: EventType
  streamId: string
  sequence: number
  createdAt: Date
  position: bigint
  data: Record<string, unknown>
}

export type EventQuery = {
  after: bigint
  limit: number
  types: string[] | undefined
  stream: string | undefined
  scan: number
}

/**
 * Events after a position that match, in order, and where the reader is when it has them: `scanned` is the last place that
 * was looked at, so that a rare type does not make one request read the whole log.
 */
export async function readEvents(
  sql: Executor,
  merchantId: number,
  { after, limit, types, stream, scan }: EventQuery,
): Promise<{ events: EventRow[]; scanned: bigint; lookedAt: number }> {
  const patterns = types?.map((type) => (type === '*' ? '%' : type.replaceAll('_', '\\_').replace('*', '%')))
  const window = sql`
    select position, stream_id, sequence, type from event_log
    where merchant_id = ${merchantId} and position > ${after} ${stream === undefined ? sql`` : sql`and stream_id = ${stream}`}
    order by position limit ${scan}`
  const [seen] = await sql<{ last: bigint | null; count: number }[]>`
    select max(position) as last, count(*)::int as count from (${window}) looked_at`
  const scanned = seen?.last ?? after
  // Up to what was looked at, and no further: what is placed between the two statements is for the next request.
  const rows = await sql<EventRow[]>`
    select e.id, e.type, e.stream_id, e.sequence, e.created_at, w.position, e.data
    from (
      select * from (${window}) looked_at
      where position <= ${scanned} ${patterns === undefined ? sql`` : sql`and type like any (${texts(patterns)})`}
      order by position limit ${limit}
    ) w join events e on e.merchant_id = ${merchantId} and e.stream_id = w.stream_id and e.sequence = w.sequence
    order by w.position`
  return { events: [...rows], scanned, lookedAt: seen?.count ?? 0 }
}

/** Events of a merchant that happened within a range of time, in the order of the log. */
export async function readHeadsBetween(
  sql: Executor,
  merchantId: number,
  { from, to, most }: { from: Date; to: Date; most: number },
): Promise<EventHead[]> {
  return sql<EventHead[]>`
    select merchant_id, stream_id, sequence, type, created_at from event_log
    where merchant_id = ${merchantId} and created_at >= ${from} and created_at <= ${to}
    order by created_at, position limit ${most}`
}

/** When an event happened; undefined where it is forgotten or there is none. */
export async function findEventTime(
  sql: Executor,
  { merchantId, streamId, sequence }: Pick<EventHead, 'merchantId' | 'streamId' | 'sequence'>,
): Promise<Date | undefined> {
  const [row] = await sql<{ createdAt: Date }[]>`
    select created_at from events where merchant_id = ${merchantId} and stream_id = ${streamId} and sequence = ${sequence}`
  return row?.createdAt
}

/** Writes events and queues them for the sequencer. */
export async function insertEvents(sql: Executor, events: readonly NewEvent[]): Promise<void> {
  await sql`with ${appendPart(sql, newEvents(sql, events))} select from appended_events`
}
