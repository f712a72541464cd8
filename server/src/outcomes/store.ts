/** SQL of what an outcome writes: session, payments, events and ledger in one statement, for any number of sessions at once. */
import type { Session } from '../checkout-sessions/session.ts'
import { type NewEvent, toEventRow } from '../events/append.ts'
import { type Executor, readPairs } from '../kit/db.ts'
import { newId } from '../kit/id.ts'
import type { NewEntry } from '../ledger/post.ts'
import { effects, hasBalance } from '../ledger/posting.ts'
import { toPaymentRow } from '../payments/find.ts'
import type { Payment } from '../payments/payment.ts'

/** Everything that one step changes. The session's counter of events guards it: all of it is written, or nothing. */
export type ChangeSet = {
  readonly session: Session
  /** The counter as it was read: somebody else's change in between has moved it. */
  readonly sequenceBefore: number
  readonly newPayments: readonly Payment[]
  readonly payments: readonly Payment[]
  readonly events: readonly NewEvent[]
  readonly entries: readonly NewEntry[]
  /** When the sandbox's banks will tell of a new payment by themselves. */
  readonly notices: readonly { payment: Payment; dueAt: Date }[]
}

/** A payment and its session as of one moment, without a lock; a deleted session's too. */
export async function readPaymentWithSession(
  sql: Executor,
  merchantId: number,
  paymentId: string,
): Promise<{ session: Session; payment: Payment } | undefined> {
  const [row] = await readPairs<Session, Payment>(sql`
    select s.*, p.* from payments p join checkout_sessions s on s.merchant_id = p.merchant_id and s.id = p.session_id
    where p.merchant_id = ${merchantId} and p.id = ${paymentId}`)
  return row && { session: row.first, payment: row.second }
}

/** Whether a session's order is paid, and whether a payment of the session still waits for its provider. */
export async function readStanding(sql: Executor, session: Session): Promise<{ paid: boolean; open: boolean }> {
  const [row] = await sql<{ paid: boolean; open: boolean }[]>`
    select
      exists (select from payments where merchant_id = ${session.merchantId} and order_key = ${session.orderKey}
        and accepted_at is not null) as paid,
      exists (select from payments where merchant_id = ${session.merchantId} and session_id = ${session.id} and type = 'PURCHASE'
        and hold is null and related_payment_id is null and accepted_at is null
        and status in ('CREATED', 'AUTHORIZED', 'CAPTURED')) as open`
  return row ?? { paid: false, open: false }
}

/**
 * Writes change sets of different sessions in one statement and one commit. Answers for each whether it was written; one
 * whose session was changed meanwhile leaves nothing, and its work is to be done again on what is there now. A broken
 * constraint fails them all: the caller then writes them one by one. A reference may have been learned without an event,
 * which the counter does not show: the first one stays.
 */
export async function writeChangeSets(sql: Executor, sets: readonly ChangeSet[]): Promise<boolean[]> {
  const { sessions, created, changed, events, entries, notices } = toParameters(sets)
  const written = await sql<{ g: number }[]>`
    with kept as (
      update checkout_sessions s set status = r.status, tries = r.tries, event_sequence = r.event_sequence,
        updated_at = r.updated_at, finished_at = r.finished_at
      from json_to_recordset(${sessions as never}::json) as r (g int, before int, merchant_id int, id text, status text, tries int,
        event_sequence int, updated_at timestamptz, finished_at timestamptz)
      where s.merchant_id = r.merchant_id and s.id = r.id and s.event_sequence = r.before
      returning r.g
    ), created as (
      insert into payments
      select p.* from json_to_recordset(${created as never}::json) as w (g int, row json) join kept using (g)
      cross join lateral json_populate_record(null::payments, w.row) p
    ), changed as (
      update payments t set status = p.status, origin = p.origin,
        connector_ref = coalesce(t.connector_ref, p.connector_ref), received_minor = p.received_minor,
        received_currency = p.received_currency, failure_reason = p.failure_reason, hold = p.hold, attention = p.attention,
        next_check_at = p.next_check_at, checks = p.checks, leased_until = null, updated_at = p.updated_at, expires_at = p.expires_at,
        authorized_at = p.authorized_at, captured_at = p.captured_at, received_at = p.received_at, settled_at = p.settled_at,
        failed_at = p.failed_at, expired_at = p.expired_at, reversed_at = p.reversed_at, refunded_at = p.refunded_at,
        accepted_at = p.accepted_at
      from json_to_recordset(${changed as never}::json) as w (g int, row json) join kept using (g)
      cross join lateral json_populate_record(null::payments, w.row) p
      where t.merchant_id = p.merchant_id and t.id = p.id
    ), told as (
      insert into events
      select e.* from json_to_recordset(${events as never}::json) as w (g int, row json) join kept using (g)
      cross join lateral json_populate_record(null::events, w.row) e
      returning merchant_id, stream_id, sequence
    ), queued as (
      insert into event_outbox (merchant_id, stream_id, sequence) select merchant_id, stream_id, sequence from told
    ), entered as (
      select w.row from json_to_recordset(${entries as never}::json) as w (g int, row json) join kept using (g)
    ), entry as (
      insert into ledger_entries select e.* from entered cross join lateral json_populate_record(null::ledger_entries, row -> 'entry') e
    ), posted as (
      insert into ledger_postings
      select p.* from entered cross join lateral json_populate_recordset(null::ledger_postings, row -> 'postings') p
    ), balanced as (
      insert into balance_deltas
      select d.* from entered cross join lateral json_populate_recordset(null::balance_deltas, row -> 'deltas') d
    ), awaited as (
      insert into sandbox_notices
      select n.* from json_to_recordset(${notices as never}::json) as w (g int, row json) join kept using (g)
      cross join lateral json_populate_record(null::sandbox_notices, w.row) n
    )
    select g from kept`
  const done = new Set(written.map((row) => row.g))
  return sets.map((_, g) => done.has(g))
}

/** Every row with the number of its set: what belongs to one that was not kept is left out by the statement. */
function toParameters(sets: readonly ChangeSet[]) {
  const numbered = <T>(pick: (set: ChangeSet) => readonly T[]) =>
    sets.flatMap((set, g) => pick(set).map((row) => ({ g, row })))
  const sessions = sets.map((set, g) => ({ g, before: set.sequenceBefore, ...guardedRow(set.session) }))
  const created = numbered((set) => set.newPayments.map(toPaymentRow))
  const changed = numbered((set) => set.payments.map(toPaymentRow))
  const events = numbered((set) => set.events.map(toEventRow))
  const entries = numbered((set) => set.entries.map(toEntryRows))
  const notices = numbered((set) =>
    set.notices.map(({ payment, dueAt }) => ({
      merchant_id: payment.merchantId,
      payment_id: payment.id,
      due_at: dueAt,
    })),
  )
  return { sessions, created, changed, events, entries, notices }
}

function guardedRow(s: Session) {
  return {
    merchant_id: s.merchantId,
    id: s.id,
    status: s.status,
    tries: s.tries,
    event_sequence: s.eventSequence,
    updated_at: s.updatedAt,
    finished_at: s.finishedAt,
  }
}

function toEntryRows({ merchantId, kind, sourceId, postings, now }: NewEntry) {
  const id = newId('entry', now.getTime())
  const entry = { merchant_id: merchantId, id, kind, source_id: sourceId, created_at: now }
  return {
    entry,
    postings: postings.map((p, index) => ({
      merchant_id: merchantId,
      entry_id: id,
      number: index + 1,
      debit_code: p.debit,
      credit_code: p.credit,
      currency: p.currency,
      amount_minor: p.amountMinor.toString(),
    })),
    deltas: [...effects(postings)]
      .filter(([code]) => hasBalance(code))
      .map(([code, amount]) => ({ merchant_id: merchantId, code, entry_id: id, amount_minor: amount.toString() })),
  }
}
