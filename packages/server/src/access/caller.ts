/** Who is calling, as every verb sees it. */
import type { RequestKey } from '../platform/idempotency-key.ts'

export type ApiVersion = 'v1' | 'v2'

/** The published values of the version header; v1 is its absence. */
export const versionV2 = '24-04-2025'

export type Merchant = {
  readonly id: number
  readonly name: string
  readonly mode: 'live' | 'sandbox'
  /** IANA name: the days of list filters are this zone's. */
  readonly timeZone: string
  readonly quoteTtlSeconds: number
  /** What becomes of money that nothing waits for (design: late and surplus money). */
  readonly lateMoney: 'accept' | 'refund' | 'hold'
  readonly payerRefresh: boolean
  readonly clockOffsetMs: number
}

export type Caller = {
  readonly merchant: Merchant
  readonly clientId: string
  readonly requestsPerSecond: number | null
  readonly version: ApiVersion
  /** The request's Idempotency-Key, when it carries one. */
  key?: RequestKey
  /** UUID for what this request creates, when it carries an Idempotency-Key: a repeated run finds the first run's row. */
  seed?: Uint8Array
  /** An earlier run with this seed broke off: what it wrote, if anything, is the answer. */
  resumed?: boolean
}
