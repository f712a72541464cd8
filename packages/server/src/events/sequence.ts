/**
 * The sequencer: gives committed events their places in the merchant's log, 1, 2, 3 …, so that a reader who has seen a
 * place has seen all before it. Any process may do it; one at a time does.
 */
import type { Executor } from '../kit/db.ts'
import type { Placed } from './find.ts'
import { newOutboxWalk, type OutboxWalk, walkAfter } from './outbox-walk.ts'
import * as store from './store.ts'

/**
 * What the rounds before have told. `afterMerchant`: the next round begins after this merchant, so that one with a long queue does
 * not keep the others waiting. `foundSome`: whether the last round found anything. `walk`: what need not be looked at.
 * `othersUntilMs`: until when the work is left to another process.
 */
export type SequencerState = { afterMerchant: number; foundSome: boolean; walk: OutboxWalk; othersUntilMs: number }

/** Of a sequencer that has not made a round yet. */
export const newSequencerState = (): SequencerState => ({
  afterMerchant: 0,
  foundSome: false,
  walk: newOutboxWalk(),
  othersUntilMs: 0,
})

/**
 * Whether a round would find anything: asked without a transaction, since mostly nothing waits. While events keep coming it is
 * not asked: to find the first of them means to walk over all that were taken before.
 */
export async function isWorkWaiting(sql: Executor, state: SequencerState): Promise<boolean> {
  return state.foundSome || store.isOutboxFilled(sql)
}

/**
 * What each log got, whether the round was cut short (more may be waiting), and what to begin the next one with once this one is
 * committed.
 */
export type SequencerRound = { placed: Placed[]; isCut: boolean; state: Omit<SequencerState, 'othersUntilMs'> }

/**
 * Moves up to `most` events out of the outbox into the logs of their merchants, in the caller's transaction. What another
 * transaction has not committed yet is not seen and comes later, with a later place. Undefined: another process is at it.
 */
export async function sequenceEvents(
  sql: Executor,
  { afterMerchant, foundSome, walk }: SequencerState,
  most: number,
): Promise<SequencerRound | undefined> {
  // Before the walk nothing in this transaction may need a number (`walkAfter`); a lock needs none.
  if (!(await store.trySequencerLock(sql))) return undefined
  const { placed, walked } = await store.moveIntoLog(sql, { afterMerchant, walk, most })
  let left = most - countPlaced(placed)
  const sawAll = left > 0 && afterMerchant === 0
  if (left > 0 && !sawAll) {
    const others = await store.moveIntoLog(sql, { afterMerchant: 0, walk, most: left })
    placed.push(...others.placed)
    left -= countPlaced(others.placed)
  }
  // Something waits and is not where it should be: whatever the reason, look everywhere.
  const isLost = !foundSome && sawAll && placed.length === 0 && (await store.isOutboxFilled(sql))
  const learnt = walked && sawAll ? walkAfter(walk, walked) : walk
  const isCut = left === 0
  const state = {
    afterMerchant: isCut ? (placed.at(-1)?.merchantId ?? 0) : 0,
    foundSome: placed.length > 0,
    walk: isLost || !walked ? newOutboxWalk() : learnt,
  }
  return { placed, isCut, state }
}

const countPlaced = (placed: readonly Placed[]) => placed.reduce((sum, { count }) => sum + count, 0)
