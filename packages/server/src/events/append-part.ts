/** The part of a writing statement that appends events: every event enters its stream and the sequencer's outbox together. */

import { json } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import { type Fragment, raw } from '../kit/statement.ts'
import { type NewEvent, toEventRow } from './event.ts'

/**
 * Parts `appended_events` and `queued_events`. `source` selects rows of (merchant_id, stream_id, sequence, id, type, data,
 * created_at). Rows enter the outbox in the order of their streams: their arrival numbers decide the order of the log.
 */
export const appendPart = (sql: Executor, source: Fragment): Fragment => sql`
  appended_events as (
    insert into events (merchant_id, stream_id, sequence, id, type, data, created_at) ${source}
    returning merchant_id, stream_id, sequence, type, created_at
  ), queued_events as (
    insert into event_outbox (merchant_id, stream_id, sequence, type, created_at)
    select * from appended_events order by merchant_id, stream_id, sequence
  )`

/** The source for events of the nouns that part `guard` of the statement has written: its rows have (merchant_id, id). */
export function eventsOf(sql: Executor, events: readonly NewEvent[], guard: string): Fragment {
  return sql`
    ${newEvents(sql, events)} join ${raw(sql, guard)} w on w.merchant_id = e.merchant_id and w.id = e.stream_id`
}

/** The source for events that nothing else guards: the caller holds the locks of their streams. */
export function newEvents(sql: Executor, events: readonly NewEvent[]): Fragment {
  const rows = events.map(toEventRow)
  return sql`
    select e.merchant_id, e.stream_id, e.sequence, e.id, e.type, e.data, e.created_at
    from json_populate_recordset(null::events, ${json(rows)}::json) e`
}
