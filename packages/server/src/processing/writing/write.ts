/** How change sets reach the database: together with others, or in the transaction that holds their locks. */
import { batcher, perPool } from '../../kit/batch.ts'
import { brokenConstraint, type Executor, isConflict, type Sql, transactionAgain } from '../../kit/db.ts'
import type { KeyWrite } from '../../platform/idempotency-part.ts'
import { limits } from '../../vocabulary/limits.ts'
import type { ChangeSet, Changes } from './changes.ts'
import { writeChangeSets } from './store.ts'

const writerOf = perPool((sql) =>
  batcher<ChangeSet, boolean>({ most: limits.outcomeBatchMax, lanes: limits.batchLanes }, (sets) =>
    writeChangeSets(sql, sets),
  ),
)

/** Writes a change set together with those of others that arrive meanwhile. False when another process came in between: nothing is written. */
export async function writeUnlocked(sql: Sql, set: ChangeSet): Promise<boolean> {
  try {
    return await writerOf(sql)(set)
  } catch (error) {
    if (metAnother(error)) return false
    throw error
  }
}

/** Writes what a step recorded, in the transaction that holds its locks. */
export async function save(sql: Executor, changes: Changes, keys: readonly KeyWrite[]): Promise<void> {
  const set = changes.take(keys)
  if (!set) return
  const [isWritten] = await writeChangeSets(sql, [set])
  if (!isWritten) throw new Error(`session ${set.sessions[0]?.session.id} was changed without its lock`)
}

/**
 * A transaction that runs again where two payments of one order were accepted at the same moment, or locks were taken
 * crosswise: the loser then sees what the winner did.
 */
export function agreeing<T>(sql: Sql, work: (tx: Executor) => Promise<T>): Promise<T> {
  return transactionAgain(sql, work, metAnother)
}

/** Two payments of one order at the same moment, or rows that were locked crosswise. */
function metAnother(error: unknown): boolean {
  return isConflict(error) || brokenConstraint(error) === 'payments_one_accepted'
}
