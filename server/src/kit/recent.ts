/**
 * Remembers for a moment what this process has written, so that the next step of the same work need not read it again. Only
 * for work whose write is guarded: what somebody changed meanwhile is noticed there, and then read.
 */

export type Recent<V> = {
  keep(merchantId: number, id: string, value: V): void
  /** Gives the value out of the memory: whoever has it may change it, and keeps it again when that was written. */
  take(merchantId: number, id: string): V | undefined
}

/** A memory of at most `most` values, the oldest of which make room; each is forgotten after `ttlMs`. */
export function recent<V>(ttlMs: number, most: number): Recent<V> {
  const kept = new Map<string, { value: V; keptMs: number }>()
  const forgetOld = (nowMs: number) => {
    for (const [key, { keptMs }] of kept) {
      if (kept.size <= most && nowMs - keptMs < ttlMs) return
      kept.delete(key)
    }
  }
  return {
    keep(merchantId, id, value) {
      const key = `${merchantId} ${id}`
      const nowMs = performance.now()
      kept.delete(key)
      kept.set(key, { value, keptMs: nowMs })
      forgetOld(nowMs)
    },
    take(merchantId, id) {
      const key = `${merchantId} ${id}`
      const entry = kept.get(key)
      if (!entry) return undefined
      kept.delete(key)
      return performance.now() - entry.keptMs < ttlMs ? entry.value : undefined
    },
  }
}
