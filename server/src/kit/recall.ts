/** Remembers look-ups for a moment, so that a burst of requests asks the database once; writers make it forget. */

type Entry = { value: Promise<unknown>; loadedMs: number }

export type Recall = {
  /** What `load` gives, shared by all who ask for the same key of the merchant within `ttlMs`. Failures are not remembered. */
  get<T>(merchantId: number, key: string, load: () => Promise<T>): Promise<T>
  /** Forgets everything of a merchant: call it after changing what is remembered. */
  forget(merchantId: number): void
}

/** A memory of `ttlMs` and at most `most` entries; other processes see a change after `ttlMs` at the latest. */
export function recall(ttlMs: number, most: number): Recall {
  const merchants = new Map<number, Map<string, Entry>>()
  let size = 0
  return {
    get<T>(merchantId: number, key: string, load: () => Promise<T>): Promise<T> {
      const nowMs = performance.now()
      let entries = merchants.get(merchantId)
      const known = entries?.get(key)
      if (known && nowMs - known.loadedMs < ttlMs) return known.value as Promise<T>
      if (size >= most) {
        merchants.clear()
        size = 0
        entries = undefined
      }
      if (!entries) {
        entries = new Map()
        merchants.set(merchantId, entries)
      }
      const value = load()
      const kept = entries
      if (!known) size += 1
      kept.set(key, { value, loadedMs: nowMs })
      value.catch(() => kept.delete(key))
      return value
    },
    forget(merchantId) {
      size -= merchants.get(merchantId)?.size ?? 0
      merchants.delete(merchantId)
    },
  }
}
