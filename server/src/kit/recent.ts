/**
 * Remembers for a moment what this process has written, so that the next step of the same work need not read it again. Only
 * for work whose write is guarded: what somebody changed meanwhile is noticed there, and then read.
 */

export type Recent<V> = {
  keep(merchantId: number, id: string, value: V): void
  /** Gives the value out of the memory: whoever has it may change it, and keeps it again when that was written. */
  take(merchantId: number, id: string): V | undefined
}

/**
 * A memory of at least the last `most` values and at most twice as many, each for `ttlMs`: two maps that take turns. Small is
 * better than large: a value that outlives two small rounds of the garbage collector costs a share of a large one.
 */
export function recent<V>(ttlMs: number, most: number): Recent<V> {
  type Entry = { value: V | undefined; keptMs: number }
  let newer = new Map<string, Entry>()
  let older = newer
  return {
    keep(merchantId, id, value) {
      if (newer.size >= most) {
        older = newer
        newer = new Map()
      }
      newer.set(`${merchantId} ${id}`, { value, keptMs: performance.now() })
    },
    take(merchantId, id) {
      const key = `${merchantId} ${id}`
      const entry = newer.get(key) ?? older.get(key)
      if (!entry) return undefined
      const { value, keptMs } = entry
      entry.value = undefined
      return performance.now() - keptMs < ttlMs ? value : undefined
    },
  }
}
