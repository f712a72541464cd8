/**
 * Collects what arrives while a write is under way into the next write: many small commits become one. Alone, an item is written
 * at once; among others it waits for them a moment, because what a statement costs apart from its rows is as much as three of them.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sql } from './db.ts'

/** So many wait for no write that is under way: another one costs each of them next to nothing. */
const crowd = 8
/** Nobody waits longer for a write that is under way, which may stand before somebody's lock. */
const patienceMs = 50

type Waiting<I, O> = { item: I; resolve(result: O): void; reject(error: unknown): void }

export type Batcher<I, O> = (item: I) => Promise<O>

export type BatcherOptions = {
  /** Items of one write at most. */
  most: number
  /** Writes under way at a time at most; one begins beside another when a crowd waits, or somebody who has waited long. */
  lanes: number
  /** From the beginning of a write of several to that of the next, unless a crowd waits for another lane; 0 unless given. */
  gatherMs?: number
}

/**
 * A batcher over `write`, which takes several items and answers one result for each, in order. When a write of several fails,
 * each of its items is written alone, so that only the bad one fails.
 */
export function batcher<I, O>(
  { most, lanes, gatherMs = 0 }: BatcherOptions,
  write: (items: I[]) => Promise<O[]>,
): Batcher<I, O> {
  const queue: Waiting<I, O>[] = []
  let running = 0
  let last = { beganMs: 0, items: 0 }
  let impatient: NodeJS.Timeout | undefined

  async function drain(): Promise<void> {
    running += 1
    while (queue.length > 0) {
      await gather()
      // Another lane may have taken them meanwhile.
      const batch = queue.splice(0, most)
      if (batch.length === 0) continue
      last = { beganMs: performance.now(), items: batch.length }
      await writeBatch(batch)
    }
    running -= 1
  }

  async function gather(): Promise<void> {
    if (last.items < 2 || queue.length >= crowd) return
    const pauseMs = last.beganMs + gatherMs - performance.now()
    if (pauseMs > 0) await sleep(pauseMs)
  }

  async function writeBatch(batch: Waiting<I, O>[]): Promise<void> {
    try {
      const results = await write(batch.map((waiting) => waiting.item))
      batch.forEach((waiting, index) => {
        waiting.resolve(results[index] as O)
      })
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error)
      else for (const waiting of batch) await writeBatch([waiting])
    }
  }

  /** Begins a write where one may begin; else sees to it that what waits now is not kept waiting. */
  function begin(waitedLong = false): void {
    if (running === 0 || (running < lanes && (waitedLong || queue.length >= crowd))) void drain()
    else impatient ??= setTimeout(lookAgain, patienceMs)
  }

  function lookAgain(): void {
    impatient = undefined
    if (queue.length > 0) begin(performance.now() - last.beganMs >= patienceMs)
  }

  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, resolve, reject })
      begin()
    })
}

/**
 * What was found, for each of the names that were asked for, in order. A name that was asked for twice has two values among those
 * that were found, and each asker gets its own: who changes it must not change another's.
 */
export function handOut<V>(
  names: readonly string[],
  found: readonly (readonly [name: string, value: V])[],
): (V | undefined)[] {
  const left = new Map<string, V[]>()
  for (const [name, value] of found) {
    const same = left.get(name)
    if (same) same.push(value)
    else left.set(name, [value])
  }
  return names.map((name) => left.get(name)?.pop())
}

/** One of something per pool, made when it is first asked for. */
export function perPool<T>(make: (sql: Sql) => T): (sql: Sql) => T {
  const made = new WeakMap<Sql, T>()
  return (sql) => {
    const known = made.get(sql)
    if (known !== undefined) return known
    const fresh = make(sql)
    made.set(sql, fresh)
    return fresh
  }
}
