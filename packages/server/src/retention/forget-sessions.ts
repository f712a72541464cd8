/** Forgets sessions that were over long ago, with their payments; the ledger keeps what they moved. */
import { type Sql, transactionAgain } from '../kit/db.ts'
import { idFloor } from '../kit/id.ts'
import * as store from './store.ts'

export type SessionRule = {
  merchantId: number
  /** Sessions and payments that nothing has changed since. */
  before: Date
  /** A payment that was settled since then may still be refunded: it stays, and its session. */
  refundableSince: Date
  /** Sessions per transaction. */
  slice: number
  /** Takes what is about to go, and returns when it is safe; what was archived may come again after a crash. */
  archive?: (lines: readonly string[]) => Promise<void>
}

/** `after`: where the next slice begins; undefined when there is none. `stayed`: old ones that something still waits for. */
export type SliceDone = { sessions: number; payments: number; stayed: number; after: string | undefined }

/** The first value of `after`. */
export const fromTheStart = ''

/** One slice in one transaction; `dry` only counts. Any number of processes may do so at once. */
export async function forgetSlice(sql: Sql, rule: SessionRule, after: string, dry: boolean): Promise<SliceDone> {
  const { merchantId, before, refundableSince, slice: most } = rule
  const madeBefore = idFloor('checkoutSession', before.getTime())
  const window = { after, madeBefore, before, refundableSince, most }
  const seen = await store.findCandidates(sql, merchantId, window)
  const going = seen.filter((candidate) => candidate.goes)
  const done = {
    sessions: going.length,
    payments: 0,
    stayed: seen.length - going.length,
    after: seen.length < most ? undefined : seen.at(-1)?.id,
  }
  if (dry || going.length === 0) return done
  const gone = await transactionAgain(sql, async (tx) => {
    const ids = await store.lockUnchanged(tx, merchantId, going)
    if (ids.length === 0) return { sessions: 0, payments: 0 }
    // On disk before it is gone from the database: a crash in between leaves it in both, never in none.
    if (rule.archive) await rule.archive(await store.readForArchive(tx, merchantId, ids))
    const payments = await store.deletePayments(tx, merchantId, ids)
    await store.deleteSessions(tx, merchantId, ids)
    return { sessions: ids.length, payments }
  })
  return { ...done, ...gone }
}
