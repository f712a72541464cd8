/** SQL of the counters of sessions: deltas that writers append, totals that a job folds them into, and reading both at once. */

import { texts } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import { type Fragment, plannedAfresh } from '../kit/statement.ts'
import { accountsOf, appendDeltas } from './counts-part.ts'
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
 * How many sessions match: totals plus the deltas that are not folded yet, in one statement and so in one snapshot. A
 * session that pays several of the accounts is in the total of each, so `countedTwice` is taken off.
 */
export async function countSessions(sql: Executor, filter: CountFilter): Promise<number> {
  const { merchantId, owners, fromDay, untilDay } = filter
  const accounts = filter.accounts ?? all
  const statuses = sql`status = any (${texts(filter.statuses)})`
  const days = sql`
    ${fromDay === undefined ? sql`` : sql`and created_day >= ${fromDay}::int`}
    ${untilDay === undefined ? sql`` : sql`and created_day <= ${untilDay}::int`}`
  const level =
    fromDay === undefined && untilDay === undefined
      ? sql`and created_day = ${everyDay}::int`
      : sql`and created_day >= 0 ${days}`
  const counted = sql`${statuses} ${level} and owner_identity_id = any (${texts(owners ?? all)})`
  const [row] = await plannedAfresh(sql<{ total: number }[]>`
    select coalesce(sum(n), 0)::int as total from (
      select sum(sessions) as n from checkout_session_totals
      where merchant_id = ${merchantId} and ${counted} and account_number = any (${texts(accounts)})
      ${accounts.length < 2 ? sql`` : countedTwice(sql, { merchantId, accounts, counted })}
      union all
      select sum(change) from checkout_session_deltas
      where merchant_id = ${merchantId} and ${statuses} ${days}
        ${owners ? sql`and owner_identity_id = any (${texts(owners)})` : sql``}
        ${filter.accounts ? sql`and account_numbers && ${texts(accounts)}::text[]` : sql``}
    ) as parts`)
  return row?.total ?? 0
}

/**
 * Sets of accounts that belong to one of the given accounts and hold another one that stands before it. The accounts
 * stand in the order of their size: the largest belongs to most sets, and those are not looked at. OFFSET 0 keeps each
 * look a range of the key.
 */
function countedTwice(
  sql: Executor,
  { merchantId, accounts, counted }: { merchantId: number; accounts: readonly string[]; counted: Fragment },
): Fragment {
  return sql`
    union all
    select -sum(t.sessions) from (
      select account, array_agg(account) over (order by sessions desc, account rows between unbounded preceding and 1 preceding) as before
      from (
        select account_number as account, sum(sessions) as sessions from checkout_session_totals
        where merchant_id = ${merchantId} and ${counted} and account_number = any (${texts(accounts)}) group by account_number
      ) as sized
    ) as ranked
    cross join lateral (
      select sessions from checkout_session_totals
      where merchant_id = ${merchantId} and ${counted} and account_number >= ranked.account || ' {' and account_number < ranked.account || ' |'
        and substr(account_number, length(ranked.account) + 2)::text[] && ranked.before offset 0
    ) as t
    where ranked.before is not null`
}

/**
 * Rows of counts as the totals keep them: each for all owners and for its own, for all accounts, each of its own and each
 * of them with the whole set if there are several, for every day and for its own.
 */
export const toTotals = (sql: Executor, counts: Fragment) => sql`
  select c.merchant_id, o.owner, a.account, c.status, d.created_day, sum(c.change)::bigint as sessions
  from (${counts}) as c
  cross join lateral (values (''), (c.owner_identity_id::text)) as o (owner)
  cross join lateral (
    select '' union all select unnest(c.account_numbers)
    union all select unnest(c.account_numbers) || ' ' || c.account_numbers::text where cardinality(c.account_numbers) > 1
  ) as a (account)
  cross join lateral (values (${everyDay}::int), (c.created_day)) as d (created_day)
  group by 1, 2, 3, 4, 5`

/**
 * Folds up to `most` deltas into totals and returns how many. What DELETE returns is exactly what this statement took away,
 * whatever commits meanwhile: a mark by number or time would lose what commits out of order. Crosses merchants: it is a job.
 * Totals are written in the order of their key, so that two rounds at once wait for each other instead of dying.
 */
export async function foldSessionDeltas(sql: Executor, most: number): Promise<number> {
  const counts = sql`select * from summed where change <> 0`
  const [done] = await sql<{ folded: number }[]>`
    with taken as (
      delete from checkout_session_deltas d
      using (select merchant_id, arrival from checkout_session_deltas order by merchant_id, arrival limit ${most}) as next
      where d.merchant_id = next.merchant_id and d.arrival = next.arrival
      returning d.merchant_id, d.created_day, d.owner_identity_id, d.account_numbers, d.status, d.change
    ), summed as (
      select merchant_id, created_day, owner_identity_id, account_numbers, status, sum(change) as change
      from taken group by merchant_id, created_day, owner_identity_id, account_numbers, status
    ), totals as (
      insert into checkout_session_totals as t ${toTotals(sql, counts)} order by 1, 2, 3, 4, 5
      on conflict (merchant_id, owner_identity_id, account_number, status, created_day)
      do update set sessions = t.sessions + excluded.sessions
    )
    select count(*)::int as folded from taken`
  return done?.folded ?? 0
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
    select merchant_id, id, day_before as created_day, owner_identity_id, status, -1 as change from moved
    union all select merchant_id, id, created_day, owner_identity_id, status, 1 from moved`
  const [done] = await sql<{ found: number }[]>`
    with found as (
      select merchant_id, id, status, created_day from checkout_sessions
      where merchant_id = ${at.merchantId} and id >= ${at.fromId} and id < ${at.beforeId} and deleted_at is null
        and created_day <> ${at.day} limit ${at.most}
    ), moved as (
      update checkout_sessions s set created_day = ${at.day} from found f
      where s.merchant_id = f.merchant_id and s.id = f.id and s.status = f.status and s.created_day = f.created_day
        and s.deleted_at is null
      returning s.merchant_id, s.id, s.created_day, s.owner_identity_id, s.status, f.created_day as day_before
    ), ${appendDeltas(sql, changed, accountsOf(sql, 'moved'))}
    select count(*)::int as found from found`
  return done?.found ?? 0
}
