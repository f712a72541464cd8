/**
 * A step of work on a payment: read, decide, and write everything in one statement that the session's counter of events guards.
 * Reading with or without locks is the only difference. Most steps meet no other process: they read without locks, hold no
 * transaction open, and what arrives together is committed together. A step that met one, or that needs rows of other
 * sessions, is done again under locks, which are taken in one order everywhere: session, payment, then link and accounts.
 */

import type { Rail } from '@pasarela/connector-kit'
import type { Merchant } from '../../access/caller.ts'
import { lockSession, type TrackedSession, trackSession } from '../../checkout-sessions/move.ts'
import { type Context, nowFor } from '../../kit/context.ts'
import type { Executor, Sql } from '../../kit/db.ts'
import { problem } from '../../kit/problem.ts'
import { countLinkUse, type LinkUse } from '../../payment-links/move.ts'
import { findPaymentById, lockPaymentById } from '../../payments/find.ts'
import type { Payment } from '../../payments/payment.ts'
import { toSnapshot } from '../../payments/schema.ts'
import type { KeyWrite } from '../../platform/idempotency-part.ts'
import type { EventType } from '../../vocabulary/events.ts'
import { railOfPayment } from '../asking/order.ts'
import { Changes } from './changes.ts'
import type { Read } from './read-payment.ts'
import { agreeing, save, writeUnlocked } from './write.ts'

/** How a step reaches rows besides its own session and payment. */
export type Reach = {
  /** Locks another session of the chain: the one that replaced this one. What happens to it is written with the step. */
  lockSession(id: string): Promise<TrackedSession | undefined>
  lockPayment(id: string): Promise<Payment | undefined>
  countLinkUse(linkId: string | null, use: LinkUse): Promise<void>
}

/** One step's view of a payment and its session. */
export type Work = {
  /** For reading; what is written is recorded in `changes`. */
  readonly sql: Executor
  readonly merchant: Merchant
  readonly now: Date
  readonly session: TrackedSession
  readonly payment: Payment
  readonly rail: Rail
  readonly changes: Changes
  readonly reach: Reach
}

/** Whose work it is, and the time by that merchant's clock: a step is dated no earlier than the last event of its stream. */
export type Worker = { readonly sql: Sql; readonly merchant: Merchant; readonly clockTime: Date }

export function workerFor(ctx: Context, merchant: Merchant): Worker {
  return { sql: ctx.sql, merchant, clockTime: nowFor(ctx, merchant) }
}

/** The keys that a step's result answers. */
export type KeysOf<T> = (result: T) => KeyWrite[]

const noKeys = (): KeyWrite[] => []

class NeedsLocks extends Error {}

/** Reaches nothing without locks. */
export const withoutLocks: Reach = {
  lockSession: refuse,
  lockPayment: refuse,
  countLinkUse: async (linkId) => (linkId === null ? undefined : refuse()),
}

async function refuse(): Promise<never> {
  throw new NeedsLocks('this step needs locks')
}

/**
 * Does a step on what was read, without locks, and writes it. Undefined when it has to be done under locks: another process came
 * in between, or the step needs a link, another session or another payment.
 */
export async function workUnlocked<T>(
  { sql, merchant, clockTime }: Worker,
  read: Read,
  step: (work: Work) => Promise<T>,
  keysOf: KeysOf<T> = noKeys,
): Promise<T | undefined> {
  const { session: row, payment } = read
  const session = trackSession(row, clockTime)
  const { now } = session
  const changes = new Changes(session)
  const rail = railOfPayment(payment)
  try {
    const result = await step({ sql, merchant, now, session, payment, rail, changes, reach: withoutLocks })
    const set = changes.take(keysOf(result))
    return !set || (await writeUnlocked(sql, set)) ? result : undefined
  } catch (error) {
    if (error instanceof NeedsLocks) return undefined
    throw error
  }
}

/** Does a step under the locks of the payment's session and the payment, and writes it in the same transaction. Throws `notFound`. */
export function workLocked<T>(
  worker: Worker,
  paymentId: string,
  step: (work: Work) => Promise<T>,
  keysOf: KeysOf<T> = noKeys,
): Promise<T> {
  return agreeing(worker.sql, async (sql) => {
    const work = await openWork(sql, worker, paymentId)
    const result = await step(work)
    await save(sql, work.changes, keysOf(result))
    return result
  })
}

async function openWork(sql: Executor, { merchant, clockTime }: Worker, paymentId: string): Promise<Work> {
  // The session of a payment never changes, so it may be read before it is locked.
  const known = await findPaymentById(sql, merchant.id, paymentId)
  const session = known ? await lockSession(sql, merchant.id, known.sessionId, clockTime) : undefined
  const payment = session ? await lockPaymentById(sql, merchant.id, paymentId) : undefined
  if (!session || !payment) throw problem('notFound', 'There is no such payment.')
  const { now } = session
  const changes = new Changes(session)
  const reach = lockingReach(sql, { merchant, now }, changes)
  return { sql, merchant, now, session, payment, rail: railOfPayment(payment), changes, reach }
}

/** Reaches other rows by locking them, in the transaction that holds the session's lock. */
export function lockingReach(
  sql: Executor,
  { merchant, now }: Pick<Work, 'merchant' | 'now'>,
  changes: Changes,
): Reach {
  return {
    lockSession: async (id) => {
      const other = await lockSession(sql, merchant.id, id, now)
      if (other) changes.addSession(other)
      return other
    },
    lockPayment: (id) => lockPaymentById(sql, merchant.id, id),
    countLinkUse: (linkId, use) => countLinkUse(sql, merchant.id, linkId, use, now),
  }
}

/** Appends an event of a payment to its session's stream. */
export function record(work: Work, type: EventType, payment: Payment = work.payment): void {
  payment.updatedAt = work.now
  work.session.record(type, toSnapshot(payment))
}

/** Puts a payment on the list of what somebody should look at, once per reason. */
export function flag(work: Work, reason: string): void {
  if (work.payment.attention === reason) return
  work.payment.attention = reason
  record(work, 'payment.attention')
}
