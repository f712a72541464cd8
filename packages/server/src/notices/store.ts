/** SQL of notices. */
import { claim, type Due, isUnleased } from '../kit/claim.ts'
import type { Executor } from '../kit/db.ts'
import type { Effect, NoticeRow } from './notice.ts'

export type NewNotice = Pick<
  NoticeRow,
  'merchantId' | 'connectionId' | 'connector' | 'id' | 'ref' | 'kind' | 'body'
> & {
  meaningHash: Uint8Array
  now: Date
}

/**
 * Stores a notice. One that came before is counted; where it says something else this time, that is kept too, and looked
 * at once more.
 */
export async function insertNotice(sql: Executor, n: NewNotice): Promise<void> {
  await sql`
    insert into notices as n (merchant_id, connection_id, ref, kind, id, connector, body, meaning_hash, next_at, received_at)
    values (${n.merchantId}, ${n.connectionId}, ${n.ref}, ${n.kind}, ${n.id}, ${n.connector}, ${n.body}, ${n.meaningHash}, ${n.now}, ${n.now})
    on conflict (merchant_id, connection_id, ref, kind) do update set
      copies = n.copies + 1,
      other_body = case when n.meaning_hash <> excluded.meaning_hash then coalesce(n.other_body, excluded.body) else n.other_body end,
      next_at = case when n.meaning_hash <> excluded.meaning_hash and n.other_body is null then excluded.next_at else n.next_at end`
}

export async function findNotice(sql: Executor, merchantId: number, id: string): Promise<NoticeRow | undefined> {
  const [row] = await sql<NoticeRow[]>`select * from notices where merchant_id = ${merchantId} and id = ${id}`
  return row
}

/** Leases notices that are to be looked at now, for `leaseMs`. */
export async function claimNoticesDue(sql: Executor, due: Due & { leaseMs: number }): Promise<NoticeRow[]> {
  const waiting = {
    columns: sql`merchant_id, id`,
    table: sql`notices`,
    dueAt: sql`next_at`,
    open: isUnleased(sql, due.now),
  }
  return sql<NoticeRow[]>`
    with ${claim(sql, waiting, due)}
    update notices n set leased_until = ${new Date(due.now.getTime() + due.leaseMs)} from due
    where n.merchant_id = due.merchant_id and n.id = due.id
    returning n.*`
}

export type NoticeResult = {
  paymentId: string | null
  effect: Effect | null
  attention: string | null
  nextAt: Date | null
  appliedAt: Date | null
}

/** Writes what became of a claimed notice. One that was contradicted meanwhile keeps its turn. */
export async function updateNotice(sql: Executor, row: NoticeRow, result: NoticeResult): Promise<void> {
  await sql`
    update notices set
      payment_id = ${result.paymentId}, effect = ${result.effect}, attention = ${result.attention}, applied_at = ${result.appliedAt},
      tries = tries + 1, leased_until = null,
      next_at = case when other_body is not null and ${row.otherBody === null} then next_at else ${result.nextAt}::timestamptz end
    where merchant_id = ${row.merchantId} and id = ${row.id}`
}

/** Gives what waits under a reference its turn: there is news of the payment that it speaks of. */
export async function wakeNotices(sql: Executor, merchantId: number, ref: string, now: Date): Promise<void> {
  await sql`
    update notices set next_at = ${now}
    where merchant_id = ${merchantId} and ref = ${ref} and effect is null and next_at > ${now}`
}

/** Takes a notice off the list. False when there is none on it. */
export async function dismissNotice(
  sql: Executor,
  input: { merchantId: number; id: string; clientId: string; reason: string; now: Date },
): Promise<NoticeRow | undefined> {
  const [row] = await sql<NoticeRow[]>`
    update notices set attention = null, next_at = null, dismissed_at = ${input.now}, dismissed_by = ${input.clientId},
      dismissed_why = ${input.reason}
    where merchant_id = ${input.merchantId} and id = ${input.id} and attention is not null
    returning *`
  return row
}

/** Deletes what was done with before `until`, a slice at a time; what waits or is listed stays. Crosses merchants: it is a job. */
export async function deleteOldNotices(sql: Executor, until: Date, most: number): Promise<number> {
  const [done] = await sql<{ gone: number }[]>`
    with gone as (
      delete from notices n using (
        select merchant_id, id from notices where received_at < ${until} and next_at is null and attention is null limit ${most}
      ) old
      where n.merchant_id = old.merchant_id and n.id = old.id
      returning 1
    )
    select count(*)::int as gone from gone`
  return done?.gone ?? 0
}
