/**
 * Where walks of the outbox begin. Rows that were taken out stay in its index until a vacuum may remove them, and while anyone
 * reads an older state of the database it may not: rounds that walked over all of them took six times as long (ADR 85).
 */

/**
 * Of a walk: the last arrival that it placed (null: none), the number of its own transaction, and the lowest number of those that
 * were under way when it looked. `server` is when the server was started: of another nothing is known.
 */
export type Walked = { last: bigint | null; own: bigint; oldestRunning: bigint; server: string }

/**
 * Whatever arrived up to `begin` is placed. The same will hold of `next`, the last arrival that a walk placed, when all transactions
 * with a lower number than that walk's are over. Whoever drew an earlier arrival has a lower one: arrivals are drawn in their order by
 * transactions that have written the event itself and so have their number, and the walk got its own after it had seen `next`.
 */
export type OutboxWalk = {
  readonly begin: bigint
  readonly next: bigint
  readonly nextOwn: bigint
  readonly server: string
}

export const newOutboxWalk = (): OutboxWalk => ({ begin: 0n, next: 0n, nextOwn: 0n, server: '' })

/** After a walk that placed all it could see. Its transaction must not have had a number before it looked. */
export function walkAfter(walk: OutboxWalk, { last, own, oldestRunning, server }: Walked): OutboxWalk {
  const known = walk.server === server ? walk : newOutboxWalk()
  if (oldestRunning < known.nextOwn) return known
  const next = last !== null && last > known.next ? last : known.next
  return { begin: known.next, next, nextOwn: own, server }
}
