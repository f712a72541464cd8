/**
 * Collects what arrives while a write is under way into the next write: many small commits become one. Nothing waits for a
 * timer; alone, an item is written at once.
 */
import type { Sql } from './db.ts'

type Waiting<I, O> = { item: I; resolve(result: O): void; reject(error: unknown): void }

export type Batcher<I, O> = (item: I) => Promise<O>

/**
 * A batcher over `write`, which takes up to `most` items and answers one result for each, in order. At most `lanes` writes
 * are under way at a time. When a write of several fails, each of its items is written alone, so that only the bad one fails.
 */
export function batcher<I, O>(
  options: { most: number; lanes: number },
  write: (items: I[]) => Promise<O[]>,
): Batcher<I, O> {
  const queue: Waiting<I, O>[] = []
  let running = 0

  async function drain(): Promise<void> {
    running += 1
    while (queue.length > 0) await writeBatch(queue.splice(0, options.most))
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

  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, resolve, reject })
      if (running < options.lanes) void drain()
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
