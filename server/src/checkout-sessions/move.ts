/** The one way a session changes: lock the row, apply events of the machine, write row and events together. */
import { appendEvents, type NewEvent, nextSequence } from '../events/append.ts'
import type { Executor } from '../kit/db.ts'
import { next } from '../kit/machine.ts'
import type { EventType } from '../vocabulary/events.ts'
import { toSnapshot } from './schema.ts'
import { isDue, type Session, type SessionEvent, sessionEventTypes, sessionMachine } from './session.ts'
import { lockSessionById, updateSession } from './store.ts'

/** A locked session with the changes and events of the transaction under way. */
export type LockedSession = {
  readonly row: Session
  /** Applies an event of the machine. Throws `failedPrecondition` where the table has no such edge. */
  move(event: SessionEvent, now: Date): void
  /** Adds an event of the session itself that is no transition (refreshed, deleted). */
  tell(type: EventType, now: Date): void
  /** Adds an event of another noun to the session's stream: its payments'. */
  record(type: EventType, data: object, now: Date): void
  /** Writes what has changed since it was last saved; one transaction may do so several times. */
  save(): Promise<void>
}

/** Locks a session (a deleted one too); undefined when there is none. `expire` is applied by the clock at once. */
export async function lockSession(
  sql: Executor,
  merchantId: number,
  id: string,
  now: Date,
): Promise<LockedSession | undefined> {
  const row = await lockSessionById(sql, merchantId, id)
  if (!row) return undefined
  let saved = row.eventSequence
  let events: NewEvent[] = []
  const record = (type: EventType, data: object, at: Date) => {
    events.push({ merchantId, streamId: row.id, sequence: nextSequence(row), type, data, at })
  }
  const locked: LockedSession = {
    row,
    move: (event, at) => {
      row.status = next(sessionMachine, row.status, event)
      row.updatedAt = at
      if (row.status === 'FINISHED') row.finishedAt = at
      record(sessionEventTypes[event], toSnapshot(row), at)
    },
    tell: (type, at) => {
      row.updatedAt = at
      record(type, toSnapshot(row), at)
    },
    record,
    save: async () => {
      if (events.length === 0) return
      const [before, told] = [saved, events]
      saved = row.eventSequence
      events = []
      await updateSession(sql, row, before)
      await appendEvents(sql, told)
    },
  }
  if (isDue(row, now) && row.deletedAt === null) locked.move('expire', now)
  return locked
}
