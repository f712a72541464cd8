/** Transactions and what a broken constraint was called. SQL itself stands in each slice's store.ts. */
import { DatabaseError, type Executor, type Sql, type Statement } from '@pasarela/sql'

export { type Executor, openPool, type PoolOptions, type Sql } from '@pasarela/sql'

/** Runs `work` in one transaction (read committed); commits when it resolves, rolls back when it throws. */
export function transaction<T>(sql: Sql, work: (tx: Executor) => Promise<T>): Promise<T> {
  return sql.begin(work)
}

/** Calls `heard` for each notification of the channel, on a connection of its own that is opened again when it is lost. */
export async function listenTo(sql: Sql, channel: string, heard: () => void): Promise<void> {
  await sql.listen(channel, heard)
}

const attemptsMax = 4

/** Does work again where it met another one head-on: work that leaves nothing behind when it fails. `again` says which errors mean that. */
export async function doAgain<T>(work: () => Promise<T>, again: (error: unknown) => boolean = isConflict): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === attemptsMax || !again(error)) throw error
    }
  }
}

/** As `transaction`, and again where it met another one head-on: for work that does nothing outside of the database. */
export function transactionAgain<T>(
  sql: Sql,
  work: (tx: Executor) => Promise<T>,
  again?: (error: unknown) => boolean,
): Promise<T> {
  return doAgain(() => transaction(sql, work), again)
}

/** The name of the constraint that an error of the database names, or undefined for every other error. */
export function brokenConstraint(error: unknown): string | undefined {
  if (!(error instanceof DatabaseError)) return undefined
  return error.code.startsWith('23') ? error.constraint : undefined
}

/** Whether the two transactions met head-on: the work may simply run again. */
export function isConflict(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === '40P01' || error.code === '40001')
}

/**
 * The rows of a join of two tables, each row as one object per table, although their columns have the same names: a column
 * named `border` stands between them (`select a.*, true as border, b.*`).
 */
export function readPairs<A, B>(statement: Statement<unknown>): Promise<{ first: A; second: B }[]> {
  const pairs = statement as Statement<{ first: A; second: B }[]>
  pairs.paired = true
  return pairs.then()
}
