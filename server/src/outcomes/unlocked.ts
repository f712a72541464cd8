/**
 * Work without locks: read, decide, and write everything in one statement that the session's counter of events guards. Most
 * steps meet nobody; they hold no transaction open, and what arrives together is committed together. A step that met
 * somebody, or that needs more rows than its own session's, is done again under locks.
 */
import type { Merchant } from '../access/caller.ts'
import { trackSession } from '../checkout-sessions/move.ts'
import { batcher, perPool } from '../kit/batch.ts'
import { brokenConstraint, isConflict, type Sql } from '../kit/db.ts'
import type { NewEntry } from '../ledger/post.ts'
import type { Payment } from '../payments/payment.ts'
import { limits } from '../vocabulary/limits.ts'
import { railOfPayment } from './order.ts'
import type { Read } from './read-payment.ts'
import { type ChangeSet, writeChangeSets } from './store.ts'
import type { Work, Writes } from './work.ts'

class NeedsLocks extends Error {}

const writerOf = perPool((sql) =>
  batcher<ChangeSet, boolean>({ most: limits.outcomeBatchMax, lanes: limits.batchLanes }, (sets) =>
    writeChangeSets(sql, sets),
  ),
)

/** Writes a change set, together with those of others that arrive meanwhile. False when somebody came in between: nothing is written. */
export async function writeUnlocked(sql: Sql, set: ChangeSet): Promise<boolean> {
  try {
    return await writerOf(sql)(set)
  } catch (error) {
    // Two payments of one order at the same moment, or rows taken crosswise: under locks it is decided who was first.
    if (isConflict(error) || brokenConstraint(error) === 'payments_one_accepted') return false
    throw error
  }
}

/**
 * Does a step on what was read and writes it. Undefined when it has to be done under locks: somebody came in between, or
 * it needs a link, another session or another payment.
 */
export async function workUnlocked<T>(
  sql: Sql,
  merchant: Merchant,
  read: Read,
  clockTime: Date,
  step: (work: Work) => Promise<T>,
): Promise<T | undefined> {
  const { session: row, payment } = read
  const session = trackSession(row, clockTime)
  const { writes, entries, payments } = recordedWrites()
  try {
    const result = await step({
      sql,
      merchant,
      now: session.now,
      session,
      payment,
      rail: railOfPayment(payment),
      writes,
    })
    const { sequenceBefore, events } = session.take()
    const set = { session: row, sequenceBefore, newPayments: [], payments: [...payments], events, entries, notices: [] }
    return (await writeUnlocked(sql, set)) ? result : undefined
  } catch (error) {
    if (error instanceof NeedsLocks) return undefined
    throw error
  }
}

/** Writes that are only noted down, to be written in one statement; what they cannot note needs locks. */
export function recordedWrites(): { writes: Writes; entries: NewEntry[]; payments: Set<Payment> } {
  const entries: NewEntry[] = []
  const payments = new Set<Payment>()
  const writes: Writes = {
    insertPayment: refuse,
    updatePayment: async (changed) => void payments.add(changed),
    post: async (entry) => void entries.push(entry),
    lockSession: refuse,
    lockPayment: refuse,
    countLinkUse: async (linkId) => (linkId === null ? undefined : refuse()),
    save: async () => {},
  }
  return { writes, entries, payments }
}

async function refuse(): Promise<never> {
  throw new NeedsLocks('this step needs locks')
}
