/**
 * The sequencer: gives committed events their places in the merchant's log, 1, 2, 3 …, so that a reader who has seen a
 * place has seen all before it. Any process may do it; one at a time does.
 */
import type { Executor } from '../kit/db.ts'
import * as store from './store.ts'

export { type Placed, readPlaced } from './store.ts'

/**
 * Where the next round begins: after this merchant, so that one with a long queue does not keep the others waiting. `foundSome`:
 * whether the last round found anything.
 */
export type SequencerState = { afterMerchant: number; foundSome: boolean }

/** Of a sequencer that has not made a round yet. */
export const newSequencerState = (): SequencerState => ({ afterMerchant: 0, foundSome: false })

/**
 * Whether a round would find anything: asked without a transaction, since mostly nothing waits. While events keep coming it is
 * not asked: to find the first of them means to walk over all that were taken before.
 */
export async function isWorkWaiting(sql: Executor, state: SequencerState): Promise<boolean> {
  return state.foundSome || store.isOutboxFilled(sql)
}

/**
 * Moves up to `most` events out of the outbox into the logs of their merchants, in the caller's transaction, and says what each
 * log got. What another transaction has not committed yet is not seen and comes later, with a later place. Undefined: another
 * process is at it.
 */
export async function sequenceEvents(
  sql: Executor,
  state: SequencerState,
  most: number,
): Promise<store.Placed[] | undefined> {
  if (!(await store.trySequencerLock(sql))) return undefined
  const placed = await store.moveIntoLog(sql, state.afterMerchant, most)
  const left = most - countPlaced(placed)
  if (left > 0 && state.afterMerchant > 0) placed.push(...(await store.moveIntoLog(sql, 0, left)))
  state.foundSome = placed.length > 0
  state.afterMerchant = countPlaced(placed) === most ? (placed.at(-1)?.merchantId ?? 0) : 0
  return placed
}

/** How many events a round put into logs. */
export const countPlaced = (placed: readonly store.Placed[]) => placed.reduce((sum, { count }) => sum + count, 0)
