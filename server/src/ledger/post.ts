/** Writing an entry: once per source and kind, with its postings and what they change, in one statement. */
import type { Executor } from '../kit/db.ts'
import { newId } from '../kit/id.ts'
import { effects, hasBalance, type Posting } from './posting.ts'
import { insertEntry } from './store.ts'

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

/**
 * Posts an entry; in the caller's transaction, beside the state change it belongs to. Returns false, and writes nothing,
 * when this source has an entry of this kind already. Takes no lock on any account.
 */
export function postEntry(sql: Executor, entry: NewEntry): Promise<boolean> {
  if (entry.postings.length === 0) throw new RangeError(`an entry ${entry.kind} of ${entry.sourceId} without postings`)
  const deltas = [...effects(entry.postings)].filter(([code]) => hasBalance(code))
  return insertEntry(sql, { ...entry, id: newId('entry', entry.now.getTime()), deltas })
}
