/** Appends events in a statement of their own. A change that writes its noun in one statement appends them there, by `appendPart`. */
import type { Executor } from '../kit/db.ts'
import type { NewEvent } from './event.ts'
import { findEventTime, insertEvents } from './store.ts'

/** Appends events and queues them for the sequencer; the caller holds the locks of their streams. */
export async function appendEvents(sql: Executor, events: readonly NewEvent[]): Promise<void> {
  if (events.length > 0) await insertEvents(sql, events)
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
