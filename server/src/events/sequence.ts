/**
 * The sequencer: gives committed events their places in the merchant's log, 1, 2, 3 …, so that a reader who has seen a
 * place has seen all before it. Any process may do it; one at a time does.
 */
import type { Executor } from '../kit/db.ts'
import * as store from './store.ts'

export type SequencedEvent = store.EventHead & { position: bigint }

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
 * Takes up to `most` events out of the outbox and puts them into the log, in the caller's transaction. What another
 * transaction has not committed yet is not seen and comes later, with a later place. Undefined: another process is at it.
 */
export async function sequenceEvents(
  sql: Executor,
  state: SequencerState,
  most: number,
): Promise<SequencedEvent[] | undefined> {
  if (!(await store.trySequencerLock(sql))) return undefined
  const taken = await store.takeFromOutbox(sql, state.afterMerchant, most)
  if (taken.length < most && state.afterMerchant > 0) {
    const first = await store.takeFromOutbox(sql, 0, most - taken.length)
    taken.push(...first)
  }
  state.foundSome = taken.length > 0
  if (taken.length === 0) return []
  taken.sort((a, b) => a.merchantId - b.merchantId || (a.arrival < b.arrival ? -1 : 1))
  state.afterMerchant = taken.length === most ? (taken.at(-1)?.merchantId ?? 0) : 0
  const sequenced = await placeEvents(sql, taken)
  await store.insertLog(sql, sequenced)
  return sequenced
}

async function placeEvents(sql: Executor, taken: readonly store.OutboxRow[]): Promise<SequencedEvent[]> {
  const counts = new Map<number, number>()
  for (const { merchantId } of taken) counts.set(merchantId, (counts.get(merchantId) ?? 0) + 1)
  const moves = [...counts].map(([merchantId, count]) => ({ merchantId, count }))
  const last = await store.movePositions(sql, moves)
  const next = new Map([...counts].map(([id, count]) => [id, (last.get(id) ?? 0n) - BigInt(count)]))
  return taken.map(({ arrival: _, ...head }) => {
    const position = (next.get(head.merchantId) ?? 0n) + 1n
    next.set(head.merchantId, position)
    return { ...head, position }
  })
}
