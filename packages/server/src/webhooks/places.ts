/**
 * How many deliveries may be under way in this process. A delivery that lasts takes its place among the slow ones, so that
 * endpoints which hang hold up their own merchant and nobody else (ADR 41).
 */
import type { QueueKey } from './queue-store.ts'

type Most = { all: number; merchant: number }

/** An endpoint that lately did not answer in time at all is given fewer places than others. */
const usual = {
  quick: { all: 384, merchant: 256 },
  slow: { all: 512, merchant: 64 },
  endpoint: 32,
  silentEndpoint: 4,
  slowMs: 1_000,
}
export type PlaceLimits = typeof usual

export type Place = {
  /** Call it when the request is sent. From then on its duration counts. */
  ask(): void
  /** Call it when the endpoint has answered, or did not in time. */
  answered(inTime: boolean): void
  /** Gives the place back. May be called again. */
  leave(): void
}

export type Places = {
  /** Undefined: there is no place for it now. */
  enter(key: QueueKey): Place | undefined
  /** Whose queues need not be looked at, because there is no place for them. */
  full(): { endpointIds: string[]; merchantIds: number[] }
}

export function openPlaces(most: PlaceLimits = usual): Places {
  const quick = openRoom(most.quick)
  const slow = openRoom(most.slow)
  const underWay = new Map<string, number>()
  /** Endpoints whose last request took long, and how many places each has. */
  const slowEndpoints = new Map<string, { merchantId: number; most: number }>()

  const isFull = (endpointId: string) =>
    (underWay.get(endpointId) ?? 0) >= (slowEndpoints.get(endpointId)?.most ?? most.endpoint)
  const turnSlow = (merchantId: number, endpointId: string, places: number) =>
    slowEndpoints.set(endpointId, { merchantId, most: places })

  return {
    enter({ merchantId, endpointId }) {
      let room = slowEndpoints.has(endpointId) ? slow : quick
      if (isFull(endpointId) || !room.hasPlace(merchantId)) return undefined
      room.change(merchantId, 1)
      change(underWay, endpointId, 1)
      let timer: NodeJS.Timeout | undefined
      let isIn = true
      let isSlow = false
      const lasts = () => {
        isSlow = true
        turnSlow(merchantId, endpointId, most.endpoint)
        room.change(merchantId, -1)
        room = slow
        room.change(merchantId, 1)
      }
      return {
        ask() {
          timer = setTimeout(lasts, most.slowMs)
        },
        answered(inTime) {
          clearTimeout(timer)
          if (!inTime) turnSlow(merchantId, endpointId, most.silentEndpoint)
          else if (!isSlow) slowEndpoints.delete(endpointId)
        },
        leave() {
          clearTimeout(timer)
          if (!isIn) return
          isIn = false
          room.change(merchantId, -1)
          change(underWay, endpointId, -1)
        },
      }
    },
    full() {
      const endpointIds = [...underWay.keys()].filter(isFull)
      for (const [endpointId, { merchantId }] of slowEndpoints)
        if (!slow.hasPlace(merchantId)) endpointIds.push(endpointId)
      return { endpointIds, merchantIds: quick.fullMerchants() }
    },
  }
}

function openRoom(most: Most) {
  const byMerchant = new Map<number, number>()
  let all = 0
  return {
    hasPlace: (merchantId: number) => all < most.all && (byMerchant.get(merchantId) ?? 0) < most.merchant,
    fullMerchants: () =>
      [...byMerchant].filter(([, count]) => count >= most.merchant).map(([merchantId]) => merchantId),
    change(merchantId: number, by: number) {
      all += by
      change(byMerchant, merchantId, by)
    },
  }
}

function change<K>(counts: Map<K, number>, key: K, by: number): void {
  const next = (counts.get(key) ?? 0) + by
  if (next > 0) counts.set(key, next)
  else counts.delete(key)
}
