/** A ledger entry: why money moved, and the postings that say between which accounts. */
import type { Posting } from './posting.ts'

/** Why an entry was written. The same list as the database's CHECK. */
export const entryKinds = [
  'paid',
  'provider_paid_out',
  'settled',
  'held',
  'hold_accepted',
  'hold_returned',
  'refund_started',
  'refund_done',
  'refund_failed',
  'reversed',
] as const

export type EntryKind = (typeof entryKinds)[number]

export type NewEntry = {
  merchantId: number
  kind: EntryKind
  /** The payment or refund that it belongs to. */
  sourceId: string
  postings: readonly Posting[]
  now: Date
}
