/** The one way a session changes: lock the row, apply events of the machine, write row and events together. */
import { type NewEvent, nextSequence } from '../events/event.ts'
import type { Executor } from '../kit/db.ts'
import { next } from '../kit/machine.ts'
import type { EventType } from '../vocabulary/events.ts'
import { toSnapshot } from './schema.ts'
import { isDue, type Session, type SessionEvent, sessionEventTypes, sessionMachine, stepTime } from './session.ts'
import { lockSessionById, saveSession } from './store.ts'

/** A session at hand with the changes and events of the work under way. */
export type TrackedSession = {
  readonly row: Session
  /** The time of this step, by which all that it writes is dated. */
  readonly now: Date
  /** Applies an event of the machine. Throws `failedPrecondition` where the table has no such edge. */
  move(event: SessionEvent): void
  /** Adds an event of the session itself that is no transition (refreshed, deleted). */
  tell(type: EventType): void
  /** Adds an event of another noun to the session's stream: its payments'. */
  record(type: EventType, data: object): void
  /** Hands over what happened since it was last taken, and the counter of events from before that: it guards the write. */
  take(): { sequenceBefore: number; events: NewEvent[] }
}

export type LockedSession = TrackedSession & {
  /** Writes what has changed since it was last saved; one transaction may do so several times. */
  save(): Promise<void>
}

/** Follows what happens to a session that was read, from `clockTime` on. `expire` is applied by the clock at once. */
export function trackSession(row: Session, clockTime: Date): TrackedSession {
  const now = stepTime(row, clockTime)
  let taken = row.eventSequence
  let events: NewEvent[] = []
  const record = (type: EventType, data: object) => {
    row.lastEventAt = now
    events.push({ merchantId: row.merchantId, streamId: row.id, sequence: nextSequence(row), type, data, at: now })
  }
  const tracked: TrackedSession = {
    row,
    now,
    move: (event) => {
      row.status = next(sessionMachine, row.status, event)
      row.updatedAt = now
      if (row.status === 'FINISHED') row.finishedAt = now
      record(sessionEventTypes[event], toSnapshot(row))
    },
    tell: (type) => {
      row.updatedAt = now
      record(type, toSnapshot(row))
    },
    record,
    take: () => {
      const changes = { sequenceBefore: taken, events }
      taken = row.eventSequence
      events = []
      return changes
    },
  }
  if (isDue(row, now) && row.deletedAt === null) tracked.move('expire')
  return tracked
}

/** Locks a session (a deleted one too); undefined when there is none. */
export async function lockSession(
  sql: Executor,
  merchantId: number,
  id: string,
  clockTime: Date,
): Promise<LockedSession | undefined> {
  const row = await lockSessionById(sql, merchantId, id)
  if (!row) return undefined
  const tracked = trackSession(row, clockTime)
  const save = async () => {
    const { sequenceBefore, events } = tracked.take()
    if (events.length === 0) return
    await saveSession(sql, { session: row, sequenceBefore }, events)
  }
  return { ...tracked, save }
}
