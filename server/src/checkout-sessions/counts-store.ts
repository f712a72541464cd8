/** SQL of the counters of sessions: deltas that writers append, totals that a job folds them into, and reading both at once. */
import type { Executor } from '../kit/db.ts'
import { type Fragment, plannedAfresh } from '../kit/statement.ts'
import type { SessionStatus } from './session.ts'

/** What a list is filtered by, as far as counters know it. Undefined: any. Days are inclusive. */
export type CountFilter = {
  readonly merchantId: number
  readonly owners: readonly string[] | undefined
  readonly accounts: readonly string[] | undefined
  readonly statuses: readonly SessionStatus[]
  readonly fromDay: number | undefined
  readonly untilDay: number | undefined
}

/** The level of the totals that stands for every owner or account. */
const all = ['']
/** The level of the totals that stands for every day. */
export const everyDay = -1

/**
 * How many sessions match: totals, less what a session of several accounts counts twice, and the deltas that are not yet
 * folded; one statement, one snapshot, so that nothing counts twice or not at all.
 */
export async function countSessions(sql: Executor, filter: CountFilter): Promise<number> {
  const owners = filter.owners ?? all
  const accounts = filter.accounts ?? all
  const { fromDay, untilDay } = filter
  const ofStatus = sql`merchant_id = ${filter.merchantId} and status = any (${filter.statuses as string[]})`
  const days = sql`
    ${fromDay === undefined ? sql`` : sql`and created_day >= ${fromDay}::int`}
    ${untilDay === undefined ? sql`` : sql`and created_day <= ${untilDay}::int`}`
  const level =
    fromDay === undefined && untilDay === undefined
      ? sql`and created_day = ${everyDay}::int`
      : sql`and created_day >= 0 ${days}`
  const twice =
    accounts.length < 2
      ? sql``
      : sql`
        union all
        select -sum(sessions) from checkout_session_pair_totals
        where ${ofStatus} ${level} and owner_identity_id = any (${owners as string[]})
          and first_account = any (${accounts as string[]}) and second_account = any (${accounts as string[]})
          and not exists (
            select from unnest(account_numbers) as between_them (account)
            where account = any (${accounts as string[]}) and account > first_account and account < second_account)`
  const [row] = await plannedAfresh(sql<{ total: number }[]>`
    select coalesce(sum(n), 0)::int as total from (
      select sum(sessions) as n from checkout_session_totals
      where ${ofStatus} ${level} and owner_identity_id = any (${owners as string[]}) and account_number = any (${accounts as string[]})
      ${twice}
      union all
      select sum(change) from checkout_session_deltas
      where ${ofStatus} ${days}
        ${filter.owners ? sql`and owner_identity_id = any (${filter.owners as string[]})` : sql``}
        ${filter.accounts ? sql`and account_numbers && ${filter.accounts as string[]}::text[]` : sql``}
    ) as parts`)
  return row?.total ?? 0
}

/** When the sessions of a status end that a list may show: none of them before `from`, none after `until` (as text of the database). */
export type Bounds = { readonly from: string; readonly until: string }

/**
 * The bounds of every status that a list of these days has sessions of. A day more on both sides: while a merchant's zone is
 * being changed, a session may still be counted on the day before or after.
 */
export async function findBounds(sql: Executor, filter: CountFilter): Promise<Map<SessionStatus, Bounds>> {
  const { merchantId, owners, accounts, fromDay, untilDay } = filter
  const within = sql`
    merchant_id = ${merchantId} and status = any (${filter.statuses as string[]})
    ${fromDay === undefined ? sql`` : sql`and created_day >= ${fromDay - 1}::int`}
    ${untilDay === undefined ? sql`` : sql`and created_day <= ${untilDay + 1}::int`}`
  const rows = await plannedAfresh(sql<({ status: SessionStatus } & Bounds)[]>`
    select status, min(expires_from)::text as "from", max(expires_until)::text as until from (
      select status, expires_from, expires_until from checkout_session_totals
      where ${within} and created_day >= 0
        and owner_identity_id = any (${(owners ?? all) as string[]}) and account_number = any (${(accounts ?? all) as string[]})
      union all
      select status, expires_from, expires_until from checkout_session_deltas
      where ${within}
        ${owners ? sql`and owner_identity_id = any (${owners as string[]})` : sql``}
        ${accounts ? sql`and account_numbers && ${accounts as string[]}::text[]` : sql``}
    ) as parts group by status having min(expires_from) <= max(expires_until)`)
  return new Map(rows.map(({ status, from, until }) => [status, { from, until }]))
}

/**
 * Rows of counts as the totals keep them: each for all owners and for its own, for all accounts and for each of its own, for
 * every day and for its own.
 */
export const toTotals = (sql: Executor, counts: Fragment) => sql`
  select c.merchant_id, o.owner, a.account, c.status, d.created_day, sum(c.change)::bigint as sessions,
    min(c.expires_from) as expires_from, max(c.expires_until) as expires_until
  from (${counts}) as c
  cross join lateral (values (''), (c.owner_identity_id::text)) as o (owner)
  cross join lateral (select '' union all select unnest(c.account_numbers)) as a (account)
  cross join lateral (values (${everyDay}::int), (c.created_day)) as d (created_day)
  group by 1, 2, 3, 4, 5`

/** The same for each pair of accounts that a session pays both. */
export const toPairs = (sql: Executor, counts: Fragment) => sql`
  select c.merchant_id, o.owner, a.account as first_account, b.account as second_account, c.status, d.created_day,
    c.account_numbers, sum(c.change)::bigint as sessions
  from (${counts}) as c
  cross join lateral (values (''), (c.owner_identity_id::text)) as o (owner)
  cross join lateral unnest(c.account_numbers) as a (account)
  cross join lateral unnest(c.account_numbers) as b (account)
  cross join lateral (values (${everyDay}::int), (c.created_day)) as d (created_day)
  where c.change <> 0 and cardinality(c.account_numbers) > 1 and a.account collate "C" < b.account collate "C"
  group by 1, 2, 3, 4, 5, 6, 7`

/**
 * Folds up to `most` deltas into totals and returns how many. What DELETE returns is exactly what this statement took away,
 * whatever commits meanwhile: a mark by number or time would lose what commits out of order. Crosses merchants: it is a job.
 * Totals are written in the order of their key, so that two rounds at once wait for each other instead of dying.
 */
export async function foldSessionDeltas(sql: Executor, most: number): Promise<number> {
  const counts = sql`select * from summed where change <> 0 or expires_from <= expires_until`
  const [done] = await sql<{ folded: number }[]>`
    with taken as (
      delete from checkout_session_deltas d
      using (select merchant_id, arrival from checkout_session_deltas order by merchant_id, arrival limit ${most}) as next
      where d.merchant_id = next.merchant_id and d.arrival = next.arrival
      returning d.merchant_id, d.created_day, d.owner_identity_id, d.account_numbers, d.status, d.change, d.expires_from, d.expires_until
    ), summed as (
      select merchant_id, created_day, owner_identity_id, account_numbers, status, sum(change) as change,
        min(expires_from) as expires_from, max(expires_until) as expires_until
      from taken group by merchant_id, created_day, owner_identity_id, account_numbers, status
    ), totals as (
      insert into checkout_session_totals as t ${toTotals(sql, counts)} order by 1, 2, 3, 4, 5
      on conflict (merchant_id, owner_identity_id, account_number, status, created_day)
      do update set sessions = t.sessions + excluded.sessions,
        expires_from = least(t.expires_from, excluded.expires_from),
        expires_until = greatest(t.expires_until, excluded.expires_until)
    ), pairs as (
      insert into checkout_session_pair_totals as t ${toPairs(sql, counts)} order by 1, 2, 3, 4, 5, 6, 7
      on conflict (merchant_id, owner_identity_id, first_account, second_account, status, created_day, account_numbers)
      do update set sessions = t.sessions + excluded.sessions
    )
    select count(*)::int as folded from taken`
  return done?.folded ?? 0
}

/**
 * The part `counted` of a writing statement, which keeps the counters. `changed`: rows (merchant_id, id, created_day, owner_identity_id,
 * status, change, expires_at), the last null where the end of the session is known already; `accounts`: rows (merchant_id, session_id,
 * account_number) of the same sessions.
 */
export function appendDeltas(sql: Executor, changed: Fragment, accounts: Fragment): Fragment {
  return sql`
    counted as (
    insert into checkout_session_deltas (merchant_id, created_day, owner_identity_id, account_numbers, status, change,
      expires_from, expires_until)
    select c.merchant_id, c.created_day, c.owner_identity_id, coalesce(a.account_numbers, '{}'), c.status, sum(c.change),
      coalesce(min(c.expires_at), 'infinity'), coalesce(max(c.expires_at), '-infinity')
    from (${changed}) as c
    left join (
      select merchant_id, session_id, array_agg(account_number::text order by account_number) as account_numbers
      from (${accounts}) as each_account group by merchant_id, session_id
    ) as a on a.merchant_id = c.merchant_id and a.session_id = c.id
    group by 1, 2, 3, 4, 5 having sum(c.change) <> 0 or count(c.expires_at) > 0)`
}

/**
 * The parts of a writing statement that keep lists and counters in step with sessions that it has changed: what its part
 * `moved` returns of each is merchant_id, id, created_day, owner_identity_id, expires_at, `more_time` (whether it has another end than
 * before), and `status_before` and `status`, which are null for a session that is deleted.
 */
export function keepLists(sql: Executor, moved: string): Fragment {
  const from = sql(moved)
  const changed = sql`
    select m.merchant_id, m.id, m.created_day, m.owner_identity_id, side.status, side.change, side.expires_at
    from ${from} m cross join lateral (values
      (m.status_before, -1, null),
      (m.status, 1, case when m.more_time or m.status_before is distinct from m.status then m.expires_at end)
    ) as side (status, change, expires_at)
    where side.status is not null`
  return sql`
    account_rows as (
      update checkout_session_accounts a set status = m.status, expires_at = m.expires_at from ${from} m
      where a.merchant_id = m.merchant_id and a.session_id = m.id and m.status is not null
      returning a.merchant_id, a.session_id, a.account_number
    ), account_rows_gone as (
      delete from checkout_session_accounts a using ${from} m
      where a.merchant_id = m.merchant_id and a.session_id = m.id and m.status is null
      returning a.merchant_id, a.session_id, a.account_number
    ), ${appendDeltas(sql, changed, sql`table account_rows union all table account_rows_gone`)}`
}

/** The first and the last id of a merchant's sessions; undefined where there are none. */
export async function findIdRange(
  sql: Executor,
  merchantId: number,
): Promise<{ first: string; last: string } | undefined> {
  const [row] = await sql<{ first: string | null; last: string | null }[]>`
    select min(id) as first, max(id) as last from checkout_sessions where merchant_id = ${merchantId}`
  return row?.first && row.last ? { first: row.first, last: row.last } : undefined
}

/** Waits until every transaction that has written sessions is over; new ones begin behind it. */
export async function waitForSessionWriters(sql: Executor): Promise<void> {
  await sql`lock table checkout_sessions in share mode`
}

/**
 * Moves up to `most` sessions of these ids to the day, with their counters, and returns how many were found elsewhere. One
 * that changed meanwhile is left for the next time: what the counters take off must be what was counted.
 */
export async function moveToDay(
  sql: Executor,
  at: { merchantId: number; day: number; fromId: string; beforeId: string; most: number },
): Promise<number> {
  const changed = sql`
    select merchant_id, id, day_before as created_day, owner_identity_id, status, -1 as change, null::timestamptz as expires_at from moved
    union all select merchant_id, id, created_day, owner_identity_id, status, 1, expires_at from moved`
  const accounts = sql`
    select a.merchant_id, a.session_id, a.account_number from checkout_session_accounts a
    join moved m on a.merchant_id = m.merchant_id and a.session_id = m.id`
  const [done] = await sql<{ found: number }[]>`
    with found as (
      select merchant_id, id, status, created_day from checkout_sessions
      where merchant_id = ${at.merchantId} and id >= ${at.fromId} and id < ${at.beforeId} and deleted_at is null
        and created_day <> ${at.day} limit ${at.most}
    ), moved as (
      update checkout_sessions s set created_day = ${at.day} from found f
      where s.merchant_id = f.merchant_id and s.id = f.id and s.status = f.status and s.created_day = f.created_day
        and s.deleted_at is null
      returning s.merchant_id, s.id, s.created_day, s.owner_identity_id, s.status, s.expires_at, f.created_day as day_before
    ), ${appendDeltas(sql, changed, accounts)}
    select count(*)::int as found from found`
  return done?.found ?? 0
}
