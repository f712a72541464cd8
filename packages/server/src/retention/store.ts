/** SQL of forgetting sessions: which are over for good, and what goes with them. Works as the owner of the tables (ADR 13). */

import { json, texts } from '@pasarela/sql'
import { appendDeltas } from '../checkout-sessions/counts-part.ts'
import type { Executor } from '../kit/db.ts'

/** Ids from `after` on, made before `madeBefore`; nothing of them changed since `before`, nor may be refunded since `refundableSince`. */
export type SessionWindow = {
  after: string
  madeBefore: string
  before: Date
  refundableSince: Date
  most: number
}

export type Candidate = { id: string; eventSequence: number; goes: boolean }

/**
 * The next sessions in the order of their ids, and of each whether it may go. A window of ids and not a search for so many
 * that may go, so that no statement reads further than `most` rows however many must stay.
 */
export async function findCandidates(sql: Executor, merchantId: number, w: SessionWindow): Promise<Candidate[]> {
  return sql<Candidate[]>`
    with seen as materialized (
      select id, event_sequence, status, successor_id, deleted_at, updated_at from checkout_sessions
      where merchant_id = ${merchantId} and id > ${w.after} and id < ${w.madeBefore} order by id limit ${w.most}
    )
    select s.id, s.event_sequence,
      s.updated_at < ${w.before} and s.status <> 'PROCESSING_PAYMENT'
      and (s.deleted_at is not null or s.status in ('EXPIRED', 'FAILED', 'FINISHED'))
      -- A chain goes from its newest session backwards: a token must lead to nothing or to the newest.
      and not exists (select from checkout_sessions n where n.merchant_id = ${merchantId} and n.id = s.successor_id)
      and not exists (
        select from payments p where p.merchant_id = ${merchantId} and p.session_id = s.id and (
          p.status not in ('FAILED', 'EXPIRED', 'SETTLED', 'REVERSED') or p.updated_at >= ${w.before}
          or p.hold is not null or p.attention is not null or p.next_check_at is not null
          or (p.type = 'PURCHASE' and p.status = 'SETTLED' and p.refunded_at is null and p.settled_at >= ${w.refundableSince})
          or exists (select from payment_resolutions r where r.merchant_id = ${merchantId} and r.payment_id = p.id)
          or exists (select from sandbox_notices n where n.merchant_id = ${merchantId} and n.payment_id = p.id)
          or exists (select from notices n where n.merchant_id = ${merchantId} and n.payment_id = p.id
            and (n.next_at is not null or n.attention is not null))
        )
      )
      and not exists (
        select from webhook_deliveries d
        where d.merchant_id = ${merchantId} and d.stream_id = s.id and d.status = 'PENDING'
      ) as goes
    from seen s order by s.id`
}

/** Locks those whose counter of events has not moved since they were found: nothing below them has changed, nor can now. */
export async function lockUnchanged(sql: Executor, merchantId: number, found: readonly Candidate[]): Promise<string[]> {
  const keys = found.map(({ id, eventSequence }) => ({ id, event_sequence: eventSequence }))
  const rows = await sql<{ id: string }[]>`
    select s.id from checkout_sessions s
    join (select * from json_to_recordset(${json(keys)}::json) as t (id object_id, event_sequence int)) k on k.id = s.id
    where s.merchant_id = ${merchantId} and s.event_sequence = k.event_sequence
    order by s.id for update of s`
  return rows.map((row) => row.id)
}

/** Everything that is about to go, one JSON text per row. */
export async function readForArchive(sql: Executor, merchantId: number, ids: readonly string[]): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    select json_build_object('table', 'checkout_sessions', 'row', to_json(s))::text as line from checkout_sessions s
    where s.merchant_id = ${merchantId} and s.id = any (${texts(ids)})
    union all
    select json_build_object('table', 'payments', 'row', to_json(p))::text from payments p
    where p.merchant_id = ${merchantId} and p.session_id = any (${texts(ids)})`
  return rows.map((row) => row.line)
}

/** Deletes the payments of sessions, refunds and surplus with them. Their ledger entries stay. Returns how many. */
export async function deletePayments(sql: Executor, merchantId: number, ids: readonly string[]): Promise<number> {
  const gone = await sql`
    delete from payments where merchant_id = ${merchantId} and session_id = any (${texts(ids)}) returning 1 as gone`
  return gone.length
}

/** Deletes sessions, what finds them by their destinations, and their part of the counters. */
export async function deleteSessions(sql: Executor, merchantId: number, ids: readonly string[]): Promise<void> {
  const uncounted = sql`select *, -1 as change from gone where deleted_at is null`
  await sql`
    with gone as (
      delete from checkout_sessions where merchant_id = ${merchantId} and id = any (${texts(ids)})
      returning merchant_id, id, created_day, owner_identity_id, status, deleted_at
    ), account_rows as (
      delete from checkout_session_accounts where merchant_id = ${merchantId} and session_id = any (${texts(ids)})
      returning merchant_id, session_id, account_number
    ), ${appendDeltas(sql, uncounted, sql`table account_rows`)}
    select count(*) from gone`
}
