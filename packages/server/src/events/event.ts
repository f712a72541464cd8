/** An event of a stream: what happened to a noun, numbered by the counter in the noun's row. */
import { newId } from '../kit/id.ts'
import type { EventType } from '../vocabulary/events.ts'

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

/** A row of `events` as JSON. */
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

/** Returns the next number of a stream whose row the caller has read or locked, and keeps it in the row. */
export function nextSequence(row: { eventSequence: number }): number {
  row.eventSequence += 1
  return row.eventSequence
}
