/** SQL of what an outcome writes: session, payments, events and ledger in one statement, for any number of sessions at once. */
import { keepLists } from '../checkout-sessions/counts-store.ts'
import type { Session } from '../checkout-sessions/session.ts'
import { type NewEvent, toEventRow } from '../events/append.ts'
import { handOut } from '../kit/batch.ts'
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

export type PaymentKey = { merchantId: number; paymentId: string }

/** Payments with their sessions as of one moment, without a lock, deleted sessions' too; undefined in the place of one that is not there. */
export async function readPaymentsWithSessions(
  sql: Executor,
  keys: readonly PaymentKey[],
): Promise<({ session: Session; payment: Payment } | undefined)[]> {
  const wanted = keys.map((key) => ({ merchant_id: key.merchantId, id: key.paymentId }))
  const rows = await readPairs<Session, Payment>(sql`
    select s.*, p.*
    from (select * from json_to_recordset(${wanted as never}::json) as t (merchant_id int, id text) limit ${keys.length}) k
    join payments p on p.merchant_id = k.merchant_id and p.id = k.id
    join checkout_sessions s on s.merchant_id = p.merchant_id and s.id = p.session_id`)
  return handOut(
    keys.map((key) => `${key.merchantId} ${key.paymentId}`),
    rows.map(({ first: session, second: payment }) => [`${payment.merchantId} ${payment.id}`, { session, payment }]),
  )
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
 * Writes change sets in one statement and one commit. Answers for each whether it was written; one
 * whose session was changed meanwhile leaves nothing, and its work is to be done again on what is there now. A broken
 * constraint fails them all: the caller then writes them one by one. A reference may have been learned without an event,
 * which the counter does not show: the first one stays.
 *
 * Every kind of row travels as one flat set, each row with the number `g` of its change set: nested ones were parsed again row
 * by row. The limits tell the planner that there are few, so that it always looks rows up by their keys.
 */
export async function writeChangeSets(sql: Executor, all: readonly ChangeSet[]): Promise<boolean[]> {
  const sets = firstOfEachSession(all)
  const { sessions, created, changed, events, entries, postings, deltas, notices } = toParameters(sets)
  const written = await sql<{ g: number }[]>`
    with kept as (
      ${moveGuarded(sql, sessions)}
    ), ${keepLists(sql, 'kept')}, created as (
      insert into payments
      select p.* from json_populate_recordset(null::payments, ${created as never}::json) p
      join kept on kept.merchant_id = p.merchant_id and kept.id = p.session_id
    ), changed as (
      update payments t set status = p.status, origin = p.origin,
        connector_ref = coalesce(t.connector_ref, p.connector_ref), received_minor = p.received_minor,
        received_currency = p.received_currency, failure_reason = p.failure_reason, hold = p.hold, attention = p.attention,
        next_check_at = p.next_check_at, checks = p.checks, leased_until = null, updated_at = p.updated_at, expires_at = p.expires_at,
        authorized_at = p.authorized_at, captured_at = p.captured_at, received_at = p.received_at, settled_at = p.settled_at,
        failed_at = p.failed_at, expired_at = p.expired_at, reversed_at = p.reversed_at, refunded_at = p.refunded_at,
        accepted_at = p.accepted_at
      from (select * from json_to_recordset(${changed as never}::json) as c (g int, merchant_id int, id text, status text,
        origin json, connector_ref text, received_minor bigint, received_currency text, failure_reason text, hold text,
        attention text, next_check_at timestamptz, checks int, updated_at timestamptz, expires_at timestamptz,
        authorized_at timestamptz, captured_at timestamptz, received_at timestamptz, settled_at timestamptz,
        failed_at timestamptz, expired_at timestamptz, reversed_at timestamptz, refunded_at timestamptz,
        accepted_at timestamptz) limit ${changed.length}) p join kept using (g)
      where t.merchant_id = p.merchant_id and t.id = p.id
    ), told as (
      insert into events
      select e.* from json_populate_recordset(null::events, ${events as never}::json) e
      join kept on kept.merchant_id = e.merchant_id and kept.id = e.stream_id
      returning merchant_id, stream_id, sequence, type, created_at
    ), queued as (
      insert into event_outbox (merchant_id, stream_id, sequence, type, created_at) select * from told
    ), entry as (
      insert into ledger_entries
      select e.merchant_id, e.id, e.kind, e.source_id, e.created_at
      from json_to_recordset(${entries as never}::json) as e (g int, merchant_id int, id text, kind text, source_id text,
        created_at timestamptz) join kept using (g)
    ), posted as (
      insert into ledger_postings
      select p.merchant_id, p.entry_id, p.number, p.debit_code, p.credit_code, p.currency, p.amount_minor
      from json_to_recordset(${postings as never}::json) as p (g int, merchant_id int, entry_id text, number smallint,
        debit_code text, credit_code text, currency text, amount_minor bigint) join kept using (g)
    ), balanced as (
      insert into balance_deltas
      select d.merchant_id, d.code, d.entry_id, d.amount_minor
      from json_to_recordset(${deltas as never}::json) as d (g int, merchant_id int, code text, entry_id text,
        amount_minor bigint) join kept using (g)
    ), awaited as (
      insert into sandbox_notices (merchant_id, payment_id, due_at)
      select n.merchant_id, n.payment_id, n.due_at
      from json_to_recordset(${notices as never}::json) as n (g int, merchant_id int, payment_id text, due_at timestamptz)
      join kept using (g)
    )
    select g from kept`
  const done = new Set(written.map((row) => sets[row.g]))
  return all.map((set) => done.has(set))
}

/** Moves the sessions whose counter is what it was; answers what lists and counters are kept by. */
function moveGuarded(sql: Executor, sessions: ReturnType<typeof toParameters>['sessions']) {
  return sql`
    update checkout_sessions s set status = r.status, tries = r.tries, event_sequence = r.event_sequence,
      last_event_at = r.last_event_at, updated_at = r.updated_at, finished_at = r.finished_at
    from (select * from json_to_recordset(${sessions as never}::json) as t (g int, before int, merchant_id int, id text,
      status text, tries int, event_sequence int, last_event_at timestamptz, updated_at timestamptz, finished_at timestamptz) limit ${sessions.length}) r
    join checkout_sessions b on b.merchant_id = r.merchant_id and b.id = r.id and b.event_sequence = r.before
    where s.merchant_id = r.merchant_id and s.id = r.id and s.event_sequence = r.before
    returning r.g, s.merchant_id, s.id, s.created_day, s.owner_identity_id, s.expires_at, false as more_time,
      case when s.deleted_at is null then b.status end as status_before, case when s.deleted_at is null then s.status end as status`
}

/** Two sets of one session were decided on the same counter: the second would find it moved, so it is not even tried. */
function firstOfEachSession(sets: readonly ChangeSet[]): ChangeSet[] {
  const first = new Map<string, ChangeSet>()
  for (const set of sets) {
    const key = `${set.session.merchantId} ${set.session.id}`
    if (!first.has(key)) first.set(key, set)
  }
  return [...first.values()]
}

/** Every row with the number of its set: what belongs to one that was not kept is left out by the statement. */
function toParameters(sets: readonly ChangeSet[]) {
  const entered = sets.flatMap((set, g) => set.entries.map((entry) => toEntryRows(entry, g)))
  return {
    sessions: sets.map((set, g) => ({ g, before: set.sequenceBefore, ...guardedRow(set.session) })),
    created: sets.flatMap((set) => set.newPayments.map(toPaymentRow)),
    changed: sets.flatMap((set, g) => set.payments.map((payment) => ({ g, ...toChangedRow(payment) }))),
    events: sets.flatMap((set) => set.events.map(toEventRow)),
    entries: entered.map(({ entry }) => entry),
    postings: entered.flatMap(({ postings }) => postings),
    deltas: entered.flatMap(({ deltas }) => deltas),
    notices: sets.flatMap((set, g) =>
      set.notices.map(({ payment: { merchantId, id }, dueAt }) => ({
        g,
        merchant_id: merchantId,
        payment_id: id,
        due_at: dueAt,
      })),
    ),
  }
}

function guardedRow(s: Session) {
  return {
    merchant_id: s.merchantId,
    id: s.id,
    status: s.status,
    tries: s.tries,
    event_sequence: s.eventSequence,
    last_event_at: s.lastEventAt,
    updated_at: s.updatedAt,
    finished_at: s.finishedAt,
  }
}

/** What may change of a payment. */
function toChangedRow(p: Payment) {
  return {
    merchant_id: p.merchantId,
    id: p.id,
    status: p.status,
    origin: p.origin,
    connector_ref: p.connectorRef,
    received_minor: p.receivedMinor?.toString(),
    received_currency: p.receivedCurrency,
    failure_reason: p.failureReason,
    hold: p.hold,
    attention: p.attention,
    next_check_at: p.nextCheckAt,
    checks: p.checks,
    updated_at: p.updatedAt,
    expires_at: p.expiresAt,
    authorized_at: p.authorizedAt,
    captured_at: p.capturedAt,
    received_at: p.receivedAt,
    settled_at: p.settledAt,
    failed_at: p.failedAt,
    expired_at: p.expiredAt,
    reversed_at: p.reversedAt,
    refunded_at: p.refundedAt,
    accepted_at: p.acceptedAt,
  }
}

function toEntryRows({ merchantId, kind, sourceId, postings, now }: NewEntry, g: number) {
  const id = newId('entry', now.getTime())
  return {
    entry: { g, merchant_id: merchantId, id, kind, source_id: sourceId, created_at: now },
    postings: postings.map((p, index) => ({
      g,
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
      .map(([code, amount]) => ({ g, merchant_id: merchantId, code, entry_id: id, amount_minor: amount.toString() })),
  }
}
