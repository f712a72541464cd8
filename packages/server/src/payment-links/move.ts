/** The one way a link changes: lock the row, apply events of the machine, write row and events together. */
import { appendEvents } from '../events/append.ts'
import { type NewEvent, nextSequence } from '../events/event.ts'
import type { Executor } from '../kit/db.ts'
import { edge, next } from '../kit/machine.ts'
import { problem } from '../kit/problem.ts'
import type { EventType } from '../vocabulary/events.ts'
import { isLinkDue, type LinkEvent, linkEventTypes, linkMachine, type PaymentLink } from './link.ts'
import { toSnapshot } from './schema.ts'
import { isLimitedLink, lockLinkById, updateLink } from './store.ts'

export type LockedLink = {
  readonly row: PaymentLink
  /** Applies an event of the machine. Throws `failedPrecondition` where the table has no such edge. */
  move(event: LinkEvent): void
  /** Marks the link as deleted. */
  remove(): void
  save(): Promise<void>
}

/** Locks a link; undefined when there is none. Its end by the clock is applied at once. */
export async function lockLink(
  sql: Executor,
  merchantId: number,
  id: string,
  clockTime: Date,
): Promise<LockedLink | undefined> {
  const row = await lockLinkById(sql, merchantId, id)
  if (!row) return undefined
  // Every event of its stream changes the link, so none was later than `updatedAt`: times never step back.
  const now = clockTime > row.updatedAt ? clockTime : row.updatedAt
  const before = row.eventSequence
  const events: NewEvent[] = []
  const tell = (type: EventType) => {
    row.updatedAt = now
    events.push({ merchantId, streamId: row.id, sequence: nextSequence(row), type, data: toSnapshot(row), at: now })
  }
  const locked: LockedLink = {
    row,
    move: (event) => {
      row.status = next(linkMachine, row.status, event)
      tell(linkEventTypes[event])
    },
    remove: () => {
      row.deletedAt = now
      tell('payment_link.deleted')
    },
    save: async () => {
      // A use that is counted without a transition still guards itself: the counter of events moves only with events.
      await updateLink(sql, row, before)
      await appendEvents(sql, events)
    },
  }
  if (row.deletedAt === null && isLinkDue(row, now)) locked.move('expire')
  return locked
}

/** A use of a limited link. `submitted` takes one, `released` gives it back, `paid` keeps it for good. */
export type LinkUse = 'submitted' | 'released' | 'paid' | 'paidUncounted'

/**
 * Counts a use of the link that a session came from. Links without `maxPayments` are not touched: a popular one must not
 * become a row that every payment waits for. Throws `failedPrecondition` when nothing is left.
 */
export async function countLinkUse(
  sql: Executor,
  merchantId: number,
  linkId: string | null,
  use: LinkUse,
  now: Date,
): Promise<void> {
  if (linkId === null || !(await isLimitedLink(sql, merchantId, linkId))) return
  const link = await lockLink(sql, merchantId, linkId, now)
  if (!link || link.row.maxPayments === null) return
  const { row } = link
  const most = link.row.maxPayments
  if (use === 'submitted') {
    if (row.usesOpen + row.usesPaid >= most) {
      throw problem('failedPrecondition', 'All payments that this link may bring are in flight or paid.')
    }
    row.usesOpen += 1
  } else if (use === 'released') row.usesOpen -= 1
  else {
    if (use === 'paid') row.usesOpen -= 1
    row.usesPaid += 1
  }
  followUses(link)
  await link.save()
}

/** Moves a limited link to where its uses say: exhausted, finished or free again. Nothing for a link without `maxPayments`. */
export function followUses(link: LockedLink): void {
  const { usesOpen, usesPaid, maxPayments } = link.row
  if (maxPayments === null) return
  const isTaken = usesOpen + usesPaid >= maxPayments
  moveIfPossible(link, isTaken ? 'exhaust' : 'release')
  if (usesPaid >= maxPayments) moveIfPossible(link, 'finish')
}

function moveIfPossible(link: LockedLink, event: LinkEvent): void {
  if (edge(linkMachine, link.row.status, event)) link.move(event)
}
