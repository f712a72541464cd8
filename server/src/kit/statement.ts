/** Pieces of statements, and statements that are planned for what they are asked. */
import type postgres from 'postgres'
import type { Executor, Sql } from './db.ts'

/** A piece of a statement, to be put into another. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>

/** Text of ours (column lists, names of parts) as a piece of a statement: never anything that came from outside. */
export const raw = (sql: Executor, text: string): Fragment => (sql as Sql).unsafe(text)

/**
 * The same query, planned anew for its values every time. For statements whose best plan depends on what is asked for: a
 * prepared one keeps the plan that was right when its table was young, or for other values.
 */
export function plannedAfresh<Q>(query: Q): Q {
  // The driver reads this option of each query; its types do not name it.
  const { options } = query as { options?: { prepare?: boolean } }
  if (options) options.prepare = false
  return query
}
