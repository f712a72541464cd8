/** Events are written in the transaction of the change they tell of, numbered by the counter of their stream's row. */
import type { Executor } from '../kit/db.ts'
import { newId } from '../kit/id.ts'
import type { EventType } from '../vocabulary/events.ts'
import { findEventTime, insertEvents } from './store.ts'

export type NewEvent = {
  merchantId: number
  /** The session's id, else the link's, else the payment's. */
  streamId: string
  /** 1, 2, 3 … without gaps: the stream's row, locked or new, holds the counter. */
  sequence: number
  type: EventType
  /** The whole noun as it was, in canonical wire form, without its secret url. */
  data: object
  at: Date
}

/** A row of `events` as JSON for json_populate_recordset: used where an event is written in one statement with its noun. */
export function toEventRow(event: NewEvent) {
  return {
    merchant_id: event.merchantId,
    stream_id: event.streamId,
    sequence: event.sequence,
    id: newId('event', event.at.getTime()),
    type: event.type,
    data: event.data,
    created_at: event.at.toISOString(),
  }
}

/**
 * Appends events and queues them for the sequencer; the caller holds the locks of their streams. Whoever writes events in a
 * statement of its own does both there too.
 */
export async function appendEvents(sql: Executor, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return
  await insertEvents(sql, events.map(toEventRow))
}

/** The time of the next event of a stream whose row is locked and keeps no time of its own: never before the last one. */
export async function timeInStream(
  sql: Executor,
  last: Pick<NewEvent, 'merchantId' | 'streamId' | 'sequence'>,
  at: Date,
): Promise<Date> {
  const lastAt = await findEventTime(sql, last)
  return lastAt && lastAt > at ? lastAt : at
}

/** Gives the next number of a stream whose row is at hand and locked. */
export function nextSequence(row: { eventSequence: number }): number {
  row.eventSequence += 1
  return row.eventSequence
}
