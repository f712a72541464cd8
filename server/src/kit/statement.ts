/** Pieces of statements, and statements that are planned for what they are asked. */
import type postgres from 'postgres'

/** A piece of a statement, to be put into another. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>

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
