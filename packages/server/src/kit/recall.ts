/** Remembers look-ups for a moment, so that a burst of requests asks the database once. A writer makes it forget. */
import { LRUCache } from 'lru-cache'

export type Recall = {
  /** The result of `load`, shared by all callers with the same key of the merchant within the time. Failures are not remembered. */
  get<T>(merchantId: number, key: string, load: () => Promise<T>): Promise<T>
  /** Forgets everything of a merchant: call it after changing what is remembered. */
  forget(merchantId: number): void
}

type Options = {
  ttlMs: number
  /** Entries at most; the ones unused for longest go first. */
  max: number
  now?: () => number
}

/** Keys hold what callers send: all of them together are at most so long on average. */
const keyLengthMean = 100

/** Other processes see a change after `ttlMs` at the latest. */
export function recall({ ttlMs, max, now = () => performance.now() }: Options): Recall {
  const clock = { perf: { now }, ttlResolution: 0 }
  const sizes = { maxSize: max * keyLengthMean, sizeCalculation: (_: unknown, key: string) => key.length }
  const loaded = new LRUCache<string, Promise<unknown>>({ max, ttl: ttlMs, ...sizes, ...clock })
  // Part of every key of the merchant, so a new edition leaves the entries before it without a reader. It is needed until
  // the last of them has expired.
  const editions = new LRUCache<number, number>({ max, ttl: 2 * ttlMs, ...clock })
  let edition = 0
  return {
    get<T>(merchantId: number, key: string, load: () => Promise<T>): Promise<T> {
      const name = `${merchantId} ${editions.get(merchantId) ?? 0} ${key}`
      const known = loaded.get(name)
      if (known) return known as Promise<T>
      const value = load()
      loaded.set(name, value)
      value.catch(() => {
        if (loaded.peek(name) === value) loaded.delete(name)
      })
      return value
    },
    forget(merchantId) {
      editions.set(merchantId, ++edition)
    },
  }
}
