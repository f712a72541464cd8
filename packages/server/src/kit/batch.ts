/**
 * Collects what arrives while a write is under way into the next write: many small commits become one. An item that is alone
 * is written at once.
 */
import type { Sql } from './db.ts'

/**
 * Once this many items wait, another lane begins instead of waiting for the write under way. What a statement costs apart from
 * its rows is as much as three rows, so fewer items share the next write.
 */
const crowd = 8
/** Nobody waits longer than this for a write under way: it may be waiting for a lock. */
const patienceMs = 50

type Waiting<I, O> = { item: I; resolve(result: O): void; reject(error: unknown): void }

export type Batcher<I, O> = (item: I) => Promise<O>

export type BatcherOptions = {
  /** Items of one write at most. */
  most: number
  /** Writes under way at a time at most. */
  lanes: number
}

/**
 * A batcher over `write`, which takes several items and answers one result for each, in order. When a write of several fails,
 * each of its items is written alone, so that only the bad one fails.
 */
export function batcher<I, O>({ most, lanes }: BatcherOptions, write: (items: I[]) => Promise<O[]>): Batcher<I, O> {
  const queue: Waiting<I, O>[] = []
  let running = 0
  let lastBeganMs = 0
  let timer: NodeJS.Timeout | undefined

  async function drain(): Promise<void> {
    running += 1
    while (queue.length > 0) {
      lastBeganMs = performance.now()
      await writeBatch(queue.splice(0, most))
    }
    running -= 1
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

  /** Begins a write if a lane is free and enough items wait, or they have waited long enough; else looks again later. */
  function begin(waitedLong = false): void {
    if (running === 0 || (running < lanes && (waitedLong || queue.length >= crowd))) void drain()
    else if (timer === undefined) timer = setTimeout(beginLater, patienceMs)
  }

  function beginLater(): void {
    timer = undefined
    if (queue.length > 0) begin(performance.now() - lastBeganMs >= patienceMs)
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
