/** The parts of a writing statement that keep the counters of sessions in step with what it changes. */
import type { Executor } from '../kit/db.ts'
import type { Fragment } from '../kit/statement.ts'

/**
 * The part `counted` of a writing statement, which keeps the counters. `changed`: rows (merchant_id, id, created_day, owner_identity_id,
 * status, change); `accounts`: rows (merchant_id, session_id, account_number) of the same sessions.
 */
export function appendDeltas(sql: Executor, changed: Fragment, accounts: Fragment): Fragment {
  return sql`
    counted as (
    insert into checkout_session_deltas (merchant_id, created_day, owner_identity_id, account_numbers, status, change)
    select c.merchant_id, c.created_day, c.owner_identity_id, coalesce(a.account_numbers, '{}'), c.status, sum(c.change)
    from (${changed}) as c
    left join (
      select merchant_id, session_id, array_agg(account_number::text order by account_number) as account_numbers
      from (${accounts}) as each_account group by merchant_id, session_id
    ) as a on a.merchant_id = c.merchant_id and a.session_id = c.id
    group by 1, 2, 3, 4, 5 having sum(c.change) <> 0)`
}

/**
 * The part of a writing statement that keeps the counters in step with sessions that it has changed: what its part `moved`
 * returns of each is merchant_id, id, created_day, owner_identity_id, and `status_before` and `status`, which are null for a session
 * that is deleted.
 */
export function countMoves(sql: Executor, moved: string): Fragment {
  const changed = sql`
    select m.merchant_id, m.id, m.created_day, m.owner_identity_id, side.status, side.change
    from ${sql(moved)} m cross join lateral (values (m.status_before, -1), (m.status, 1)) as side (status, change)
    where side.status is not null and m.status_before is distinct from m.status`
  return appendDeltas(sql, changed, accountsOf(sql, moved))
}

/** The accounts of the sessions that a part of the statement returns. */
export function accountsOf(sql: Executor, part: string): Fragment {
  return sql`
    select a.merchant_id, a.session_id, a.account_number from checkout_session_accounts a
    join ${sql(part)} m on a.merchant_id = m.merchant_id and a.session_id = m.id`
}
