/** Pieces of statements, and statements that are planned for what they are asked. */
import { type Executor, type Fragment, type Statement, script } from '@pasarela/sql'

export type { Fragment } from '@pasarela/sql'

/** Text of ours (column lists, names of parts) as a piece of a statement: never anything that came from outside. */
export const raw = (sql: Executor, text: string): Fragment => script(sql, text)

/**
 * The same query, planned anew for its values every time. For statements whose best plan depends on what is asked for: a
 * prepared one keeps the plan that was right when its table was young, or for other values.
 */
export function plannedAfresh<R>(query: Statement<R>): Statement<R> {
  query.prepared = false
  return query
}
