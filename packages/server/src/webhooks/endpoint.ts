/** The webhook endpoint: where a merchant hears of events, in which format, and how long it is tried. Pure. */
import type { EventType } from '../vocabulary/events.ts'

export const formats = ['standard', 'published-v1', 'published-v2'] as const
export type Format = (typeof formats)[number]

export const endpointStatuses = ['ACTIVE', 'PAUSED'] as const
export const deliveryStatuses = ['PENDING', 'DELIVERED', 'FAILED'] as const
export type DeliveryStatus = (typeof deliveryStatuses)[number]

export type Endpoint = {
  merchantId: number
  id: string
  url: string
  description: string | null
  format: Format
  eventTypes: string[]
  status: (typeof endpointStatuses)[number]
  attention: string | null
  secretSealed: Uint8Array
  previousSecretSealed: Uint8Array | null
  previousSecretUntil: Date | null
  failingSince: Date | null
  givenUp: number
  eventSequence: number
  createdAt: Date
  updatedAt: Date
  pausedAt: Date | null
  deletedAt: Date | null
}

/** One message to one endpoint. */
export type Delivery = {
  merchantId: number
  endpointId: string
  id: string
  streamId: string
  sequence: number
  /** Which of the messages that the endpoint's format makes of the event: 0, 1 … */
  part: number
  /** The name that the message carries. */
  type: string
  status: DeliveryStatus
  attempts: number
  createdAt: Date
  triedAt: Date | null
  nextAttemptAt: Date | null
  deliveredAt: Date | null
  statusCode: number | null
  error: string | null
  durationMs: number | null
}

/** An event as far as formats look at it. `money` is the payment where it was held or settled. */
export type Told = { type: EventType; money: Record<string, unknown> | null }

/** Seconds between tries. `standard`: 5 s doubling to 1 h, 3 days in all. */
const standardDelays = doubling(5, 3 * 24 * 3600)
/** As published (contract section 6.3): 30 s doubling to 1 h, within 24 h. */
const publishedDelays = doubling(30, 24 * 3600)

function doubling(firstSeconds: number, totalSeconds: number): readonly number[] {
  const delays: number[] = []
  let spent = 0
  for (let delay = firstSeconds; spent + delay <= totalSeconds; delay = Math.min(delay * 2, 3600)) {
    delays.push(delay)
    spent += delay
  }
  return delays
}

function delaysOf(format: Format): readonly number[] {
  return format === 'standard' ? standardDelays : publishedDelays
}

/**
 * Milliseconds until the next try after `attempts` failed ones, or undefined when that was the last. The standard schedule
 * is spread by a fifth either way (`random` from 0 to 1), so that what failed together is not tried together for ever.
 */
export function retryAfterMs(format: Format, attempts: number, random: number): number | undefined {
  const delay = delaysOf(format)[attempts - 1]
  if (delay === undefined) return undefined
  return Math.round(delay * 1000 * (format === 'standard' ? 0.8 + 0.4 * random : 1))
}

/** How long an endpoint may fail, in milliseconds, before it is one that fails for long: nine tenths of its schedule. */
export function patienceMs(format: Format): number {
  return delaysOf(format).reduce((sum, delay) => sum + delay, 0) * 900
}
