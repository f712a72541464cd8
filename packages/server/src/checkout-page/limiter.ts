/**
 * How often one address may ask for one page. The session is part of the key, so that customers behind one address never
 * stand in each other's way; a link, which all of them open, has room for a whole shop.
 */
import { LRUCache } from 'lru-cache'

export type Kind = 'view' | 'act' | 'link'

/** Requests at once, and how many come back each second. */
const buckets: Readonly<Record<Kind, { burst: number; perSecond: number }>> = {
  view: { burst: 90, perSecond: 3 },
  act: { burst: 20, perSecond: 0.5 },
  link: { burst: 600, perSecond: 30 },
}

export type Limiter = { take(kind: Kind, address: string, token: string): boolean }

/** Keeps at most `most` buckets; the ones unused for longest go first. */
export function limiter(nowMs: () => number, most = 50_000): Limiter {
  const known = new LRUCache<string, { left: number; atMs: number }>({ max: most })
  return {
    take(kind, address, token) {
      const { burst, perSecond } = buckets[kind]
      const key = `${kind} ${address} ${token}`
      const now = nowMs()
      const bucket = known.get(key) ?? { left: burst, atMs: now }
      const left = Math.min(burst, bucket.left + (Math.max(0, now - bucket.atMs) / 1000) * perSecond)
      const taken = left >= 1
      known.set(key, { left: taken ? left - 1 : left, atMs: now })
      return taken
    },
  }
}
