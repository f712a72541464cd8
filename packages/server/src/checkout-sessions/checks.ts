/** SQL that holds the counters of sessions against the sessions themselves: for `doctor` and tests. */
import type { Executor } from '../kit/db.ts'
import { everyDay, toTotals } from './counts-store.ts'

export type CountFault = { merchantId: number; subject: string; fault: string }

/** What there is to count, straight from the rows. */
const counted = (sql: Executor, merchantId: number | null) => sql`
  select s.merchant_id, s.created_day, s.owner_identity_id, array(
      select a.account_number from checkout_session_accounts a
      where a.merchant_id = s.merchant_id and a.session_id = s.id order by a.account_number
    ) as account_numbers, s.status, 1 as change
  from checkout_sessions s where s.deleted_at is null and (${merchantId}::int is null or s.merchant_id = ${merchantId})`

/** Days and statuses whose counter differs from the rows, over all owners and accounts. Reads an index of all sessions: for `doctor`. */
export async function findWrongTotals(sql: Executor): Promise<CountFault[]> {
  return sql<CountFault[]>`
    with expected as (
      select merchant_id, created_day, status, count(*) as sessions from checkout_sessions where deleted_at is null group by 1, 2, 3
    ), kept as (
      select merchant_id, created_day, status, sum(sessions) as sessions from (
        select merchant_id, created_day, status, sessions from checkout_session_totals
        where owner_identity_id = '' and account_number = '' and created_day <> ${everyDay}
        union all
        select merchant_id, created_day, status, change from checkout_session_deltas
      ) as parts group by 1, 2, 3
    )
    select merchant_id, status || ' of day ' || created_day as subject,
      'there are ' || coalesce(expected.sessions, 0) || ' sessions, counted are ' || coalesce(kept.sessions, 0) as fault
    from expected full join kept using (merchant_id, created_day, status)
    where coalesce(expected.sessions, 0) <> coalesce(kept.sessions, 0) order by 1, 2`
}

/** Every counter that differs from the rows, at every level. Reads all sessions: for tests, and for what follows a doubt. */
export async function findWrongCounts(sql: Executor, merchantId: number | null): Promise<CountFault[]> {
  const of = sql`(${merchantId}::int is null or merchant_id = ${merchantId})`
  return sql<CountFault[]>`
    with expected as (
      ${toTotals(sql, counted(sql, merchantId))}
    ), kept as (
      select merchant_id, owner, account, status, created_day, sum(sessions) as sessions from (
        select merchant_id, owner_identity_id as owner, account_number as account, status, created_day, sessions
        from checkout_session_totals where ${of}
        union all
        select * from (${toTotals(sql, sql`select * from checkout_session_deltas where ${of}`)}) as t
      ) as parts group by 1, 2, 3, 4, 5
    )
    select merchant_id, concat_ws(' ', nullif(owner, ''), nullif(account, ''), status, 'day ' || created_day) as subject,
      'there are ' || coalesce(expected.sessions, 0) || ' sessions, counted are ' || coalesce(kept.sessions, 0) as fault
    from expected full join kept using (merchant_id, owner, account, status, created_day)
    where coalesce(expected.sessions, 0) <> coalesce(kept.sessions, 0)
    order by 1, 2`
}

/** Account rows that are not those of their sessions. Reads all sessions: for tests. */
export async function findWrongAccountRows(sql: Executor, merchantId: number | null): Promise<CountFault[]> {
  return sql<CountFault[]>`
    select merchant_id, session_id as subject, 'its account rows differ from its destinations' as fault from (
      select s.merchant_id, s.id as session_id, d.number as account_number
      from checkout_sessions s
      cross join lateral (
        select distinct d -> 'account' ->> 'accountNumber' as number from json_array_elements(s.destinations) as d
      ) as d
      where s.deleted_at is null
    ) as expected
    full join checkout_session_accounts as kept using (merchant_id, session_id, account_number)
    where (expected.* is null or kept.* is null) and (${merchantId}::int is null or merchant_id = ${merchantId})
    group by merchant_id, session_id order by 1, 2`
}
