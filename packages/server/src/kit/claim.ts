/** The claim of due rows: how jobs of any number of processes share work without waiting for each other. */
import type { Executor } from './db.ts'
import type { Fragment } from './statement.ts'

/** Rows due at `now` that a claim takes, at most `most`. `merchantId` null: of all merchants, by the real clock. */
export type Due = { now: Date; merchantId: number | null; most: number }

/** Which rows: `dueAt` is the column that says when, `open` what must hold besides. The order is that of `dueAt`. */
export type Claimable = { columns: Fragment; table: Fragment; dueAt: Fragment; open: Fragment }

/**
 * The part `due` of a statement: rows that are due, locked until the transaction ends. Rows that another transaction holds are
 * skipped. The part is materialized, so the planner evaluates it once, and the rest of the statement finds its rows by their keys
 * even while statistics claim that no rows are due.
 */
export function claim(
  sql: Executor,
  { columns, table, dueAt, open }: Claimable,
  { now, merchantId, most }: Due,
): Fragment {
  return sql`due as materialized (
      select ${columns} from ${table}
      where ${dueAt} <= ${now} and ${open} and (${merchantId}::int is null or merchant_id = ${merchantId})
      order by ${dueAt} limit ${most}
      for update skip locked
    )`
}

/** Whether no process has leased the row, or its lease is over. */
export const isUnleased = (sql: Executor, now: Date): Fragment => sql`(leased_until is null or leased_until <= ${now})`
