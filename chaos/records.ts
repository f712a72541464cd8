/** The same questions put to the tables: what is there once, what is gone as it should be, what the money says. */
import { toSnapshot as sessionSnapshot } from '../packages/server/src/checkout-sessions/schema.ts'
import type { Session } from '../packages/server/src/checkout-sessions/session.ts'
import type { Sql } from '../packages/server/src/kit/db.ts'
import type { PaymentLink } from '../packages/server/src/payment-links/link.ts'
import { toSnapshot as linkSnapshot } from '../packages/server/src/payment-links/schema.ts'
import type { Payment } from '../packages/server/src/payments/payment.ts'
import { toSnapshot as paymentSnapshot } from '../packages/server/src/payments/schema.ts'
import { id, script, texts } from '../packages/sql/src/sql.ts'
import type { Answered, Body } from './client.ts'
import type { Intents } from './shopper.ts'

const slice = 500

/** Every session, link and payment as it stands, in the form that events hold. */
export async function* snapshotsOf(sql: Sql): AsyncGenerator<{ id: string; snapshot: Body }> {
  for await (const rows of slicesOf<Session>(sql, 'checkout_sessions'))
    for (const row of rows) yield { id: row.id, snapshot: sessionSnapshot(row) }
  for await (const rows of slicesOf<PaymentLink>(sql, 'payment_links'))
    for (const row of rows) yield { id: row.id, snapshot: linkSnapshot(row) }
  for await (const rows of slicesOf<Payment>(sql, 'payments'))
    for (const row of rows) yield { id: row.id, snapshot: paymentSnapshot(row) }
}

/** All rows of a table, some at a time, as they were at one moment. */
async function* slicesOf<R>(sql: Sql, table: string): AsyncGenerator<R[]> {
  const session = await sql.reserve()
  try {
    await session`begin`
    await session`declare walk cursor for select * from ${id(table)}`
    for (;;) {
      const rows = await script<R[]>(session, `fetch ${slice} from walk`)
      if (rows.length === 0) return
      yield rows
    }
  } finally {
    await session`rollback`
    session.release()
  }
}

/** Sessions whose deletion was answered and that are still there. */
export async function deletedAnswers(sql: Sql, answers: readonly Answered[]): Promise<string[]> {
  const ids = answers
    .filter((answer) => answer.method === 'DELETE' && answer.status < 300)
    .map((answer) => answer.path.split('/').at(-1) ?? '')
  const rows = await sql<{ id: string }[]>`
    select id from checkout_sessions where id = any (${texts(ids)}::text[]) and deleted_at is null`
  return rows.map((row) => `${row.id} was deleted and is there again`)
}

/** What was asked for once and is there twice, and what was answered under a name and is not there. */
export async function doubledWrites(sql: Sql, answers: readonly Answered[], intents: Intents): Promise<string[]> {
  const answered = new Set(answers.flatMap((answer) => (answer.status < 300 && answer.id ? [answer.id] : [])))
  const rows = await sql<{ what: string; name: string; ids: string[] }[]>`
    select 'sessions with the token' as what, checkout_token as name, array_agg(id::text) as ids from checkout_sessions
      where id = root_session_id and checkout_token = any (${texts(intents.sessions)}::text[]) group by checkout_token having count(*) > 1
    union all
    select 'sessions minted for', customer ->> 'email', array_agg(id::text) from checkout_sessions
      where customer ->> 'email' = any (${texts(intents.minted)}::text[]) group by customer ->> 'email' having count(*) > 1
    union all
    select 'payments submitted as', description, array_agg(id::text) from payments
      where type = 'PURCHASE' and related_payment_id is null and description = any (${texts(intents.payments)}::text[])
      group by description having count(*) > 1
    union all
    select 'refunds asked for as', description, array_agg(id::text) from payments
      where type = 'REFUND' and description = any (${texts(intents.refunds)}::text[]) group by description having count(*) > 1
    union all
    select 'successors of', root_session_id, array_agg(id::text) from checkout_sessions
      where id <> root_session_id group by root_session_id having count(*) > 1
    union all
    select 'accepted payments of the order', order_key, array_agg(id::text) from payments
      where accepted_at is not null group by order_key having count(*) > 1`
  return rows.map(({ what, name, ids }) => {
    const seen = ids.filter((id) => answered.has(id)).length
    return `${what} ${name}: ${ids.join(', ')} (${seen} of them answered)`
  })
}

/** Payments, sessions and ledger entries that contradict each other. */
export async function moneyFaults(sql: Sql): Promise<string[]> {
  const rows = await sql<{ fault: string }[]>`
    with kinds as (
      select p.merchant_id, p.id, p.type, p.status, p.accepted_at, p.hold,
        array(select kind from ledger_entries e where e.merchant_id = p.merchant_id and e.source_id = p.id) as kinds
      from payments p
    )
    select id || ' is accepted and was not booked' as fault from kinds
      where accepted_at is not null and not kinds && array['paid', 'hold_accepted']
    union all
    select id || ' is ' || status || ' and yet booked: ' || array_to_string(kinds, ' ') from kinds
      where type = 'PURCHASE' and status in ('CREATED', 'FAILED', 'EXPIRED') and cardinality(kinds) > 0
    union all
    select id || ' is SETTLED without its entry' from kinds
      where type = 'PURCHASE' and status = 'SETTLED' and hold is null and not kinds @> array['settled']
    union all
    select id || ' is a refund ' || status || ' with the entries ' || array_to_string(kinds, ' ') from kinds
      where type = 'REFUND' and hold is null and (
        (status = 'SETTLED' and not kinds && array['refund_done', 'hold_returned'])
        or (status = 'FAILED' and not kinds && array['refund_failed', 'hold_returned'] and cardinality(kinds) > 0))
    union all
    select p.id || ' is refunded by more than it was' from payments p
      join payments r on r.merchant_id = p.merchant_id and r.parent_payment_id = p.id and r.status <> 'FAILED'
      group by p.id, p.purchase_minor, p.received_minor
      having sum(r.purchase_minor) > greatest(p.purchase_minor, coalesce(p.received_minor, 0))
    union all
    select s.id || ' is FINISHED and nothing paid it' from checkout_sessions s where s.status = 'FINISHED'
      and not exists (select from payments p where p.merchant_id = s.merchant_id and p.order_key = s.order_key and p.accepted_at is not null)
    union all
    select p.id || ' was accepted and its session is ' || s.status from payments p
      join checkout_sessions s on s.merchant_id = p.merchant_id and s.id = p.session_id
      where p.accepted_at is not null and s.status <> 'FINISHED'
    union all
    select 'the key ' || key || ' has been running for too long' from idempotency_keys
      where status is null and created_at < now() - interval '1 hour'`
  return rows.map((row) => row.fault)
}
