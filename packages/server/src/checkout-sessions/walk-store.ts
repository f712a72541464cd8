/**
 * SQL of a page of sessions. A page is either walked to, along indexes that are in the order of the list, or sorted: all
 * that match are found first. Only the ids of the page are then joined to their rows.
 */

import { texts } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import { idTimeMs } from '../kit/id.ts'
import { inPage, type Page, withinDays } from '../kit/page.ts'
import { type Fragment, plannedAfresh } from '../kit/statement.ts'
import type { CountFilter } from './counts-store.ts'
import { type Session, sessionMachine } from './session.ts'

export type ListFilter = CountFilter
export type TokenFilter = ListFilter & { readonly token: string }

/** The index that a walk follows: by status, by owner and status, or by account. */
export type Along = 'all' | 'owner' | 'account'

type Search = { readonly sql: Executor; readonly filter: ListFilter; readonly page: Page }
type Walk = Search & { readonly along: Along }

/** Up to this many walks are merged, each read no further than the page needs; more are read one after the other and sorted. */
const mergedMax = 48

/**
 * Walks to a page. Each value and status is one index-only walk; Postgres merges them. Every order has an index along `all`; `id` and
 * `status` also have one along `owner`, and only `id` has one along `account`.
 */
export async function findPageByWalking(
  sql: Executor,
  filter: ListFilter,
  page: Page,
  along: Along,
): Promise<Session[]> {
  const walk: Walk = { sql, filter, page, along }
  const values = (along === 'owner' ? filter.owners : along === 'account' ? filter.accounts : undefined) ?? ['']
  const statuses = along === 'account' ? 1 : filter.statuses.length
  const walks = values.length * statuses > mergedMax ? oneAfterTheOther(walk, values) : merged(walk, values)
  // A session that pays two of the accounts is found twice, and the two stand side by side.
  const once = along === 'account' && values.length > 1
  return readRows(
    { sql, filter, page },
    sql`
    select ${once ? sql`distinct on (${key(sql, page, false)})` : sql``} * from (${walks}) as walks`,
  )
}

/** Finds everything that matches, along one index as a walk does, and sorts it. */
export async function findPageBySorting(
  sql: Executor,
  filter: ListFilter,
  page: Page,
  along: Along,
): Promise<Session[]> {
  const search = { sql, filter, page }
  const session = sql`
    select id as page_id, ${sql(page.column)} as page_key from checkout_sessions w
    where merchant_id = ${filter.merchantId} and deleted_at is null and status = any (${texts(filter.statuses)}) ${ownerIs(search)}`
  const found =
    along === 'account'
      ? sql`
        select one.* from (
          select distinct id from (
            select session_id as id from checkout_session_accounts
            where merchant_id = ${filter.merchantId} and account_number = any (${texts(filter.accounts ?? [])})
          ) as rows where true ${withinDays(sql, page)}
        ) as paying
        cross join lateral (${session} and id = paying.id offset 0) as one`
      : sql`${session} ${paysAccount(search)} ${withinDays(sql, page)}`
  // MATERIALIZED: the planner must not walk in the order of the list after all.
  return readRows(search, sql`with found as materialized (${found}) select * from found`)
}

/** The rows of one page of these ids, in the order of the list. */
function readRows({ sql, filter, page }: Search, ids: Fragment): Promise<Session[]> {
  return plannedAfresh(sql<Session[]>`
    select s.* from (${ids} order by ${key(sql, page)} limit ${page.limit} offset ${page.offset}) as page
    join checkout_sessions s on s.merchant_id = ${filter.merchantId} and s.id = page.page_id
    order by ${key(sql, page)}`)
}

/** The order of the list, by the names that walks give to its columns. */
function key(sql: Executor, { column, direction }: Page, directed = true): Fragment {
  const way = directed && direction === 'desc' ? sql`desc` : sql``
  return column === 'id' ? sql`page_id ${way}` : sql`page_key ${way}, page_id ${way}`
}

function merged(walk: Walk, values: readonly string[]): Fragment {
  const { sql, filter, along } = walk
  const statuses = along === 'account' ? [''] : filter.statuses
  const each = values.flatMap((value) =>
    statuses.map((status) => sql`(${walkOf(walk, sql`${value}`, sql`${status}`)})`),
  )
  return each.reduce((before, next) => sql`${before} union all ${next}`)
}

function oneAfterTheOther(walk: Walk, values: readonly string[]): Fragment {
  const { sql, filter, along } = walk
  const statuses = along === 'account' ? [''] : filter.statuses
  return sql`
    select one.* from unnest(${texts(values)}::text[]) as v (value), unnest(${texts(statuses)}::text[]) as t (status),
      lateral (${walkOf(walk, sql`v.value`, sql`t.status`)}) as one`
}

/** One walk: the ids of one value and status in the order of the list, as far as the page may need them. */
function walkOf(walk: Walk, value: Fragment, status: Fragment): Fragment {
  const { sql, filter, page, along } = walk
  const id = along === 'account' ? sql`session_id` : sql`id`
  const from = {
    all: sql`checkout_sessions w where deleted_at is null ${ownerIs(walk)} ${paysAccount(walk)}`,
    owner: sql`checkout_sessions w where deleted_at is null and owner_identity_id = ${value} ${paysAccount(walk)}`,
    account: sql`checkout_session_accounts w where account_number = ${value} ${ofSession(walk)}`,
  }[along]
  const order = page.column === 'id' ? id : sql(page.column)
  const way = page.direction === 'desc' ? sql`desc` : sql`asc`
  return sql`
    select ${id} as page_id, ${order} as page_key from ${from} and merchant_id = ${filter.merchantId} ${inRange(walk, id, status)}
    order by ${page.column === 'id' ? sql`` : sql`${order} ${way},`} ${id} ${way} limit ${page.offset + page.limit}`
}

/**
 * The status and the ids between the ends. In the order of the status both are one range of pairs: an equality would hide
 * from the planner that the walk is in that order, and it would sort. No session ends before it was created.
 */
function inRange({ sql, page, along }: Walk, id: Fragment, status: Fragment): Fragment {
  const { after, direction, column, fromId, beforeId } = page
  if (column === 'status')
    return sql`and (status, ${id}) >= (${status}, ${fromId ?? ''}) and (status, ${id}) < (${status}, ${beforeId ?? lastId})`
  return sql`
    ${along === 'account' ? sql`` : sql`and status = ${status}`}
    ${column === 'expires_at' && fromId !== undefined ? sql`and expires_at >= ${new Date(idTimeMs(fromId))}` : sql``}
    ${fromId === undefined ? sql`` : sql`and ${id} >= ${fromId}`} ${beforeId === undefined ? sql`` : sql`and ${id} < ${beforeId}`}
    ${after === undefined ? sql`` : direction === 'desc' ? sql`and ${id} < ${after}` : sql`and ${id} > ${after}`}`
}

/** Behind every id. */
const lastId = '~'

function ownerIs({ sql, filter: { owners } }: Search): Fragment {
  return owners ? sql`and owner_identity_id = any (${texts(owners)})` : sql``
}

/** A session `w` pays one of the accounts. OFFSET 0 keeps it a look-up for each session. */
function paysAccount({ sql, filter: { merchantId, accounts } }: Search): Fragment {
  if (!accounts) return sql``
  return sql`and exists (
    select from checkout_session_accounts a
    where a.merchant_id = ${merchantId} and a.session_id = w.id and a.account_number = any (${texts(accounts)}) offset 0)`
}

/** The session of an account row `w` has one of the owners and statuses: a look-up as well. */
function ofSession({ sql, filter: { merchantId, owners, statuses } }: Search): Fragment {
  if (!owners && statuses.length === sessionMachine.statuses.length) return sql``
  return sql`and exists (
    select from checkout_sessions o
    where o.merchant_id = ${merchantId} and o.id = w.session_id and o.deleted_at is null and o.status = any (${texts(statuses)})
      ${owners ? sql`and o.owner_identity_id = any (${texts(owners)})` : sql``} offset 0)`
}

/** The sessions of a page among those with this token: a chain of refreshed sessions shares one. */
export async function findPageByToken(sql: Executor, filter: TokenFilter, page: Page): Promise<Session[]> {
  return plannedAfresh(sql<Session[]>`
    select * from checkout_sessions s where s.merchant_id = ${filter.merchantId} and ${byToken(sql, filter, page)} ${inPage(sql, page)}`)
}

/** How many sessions have this token and all else that is asked for. */
export async function countByToken(sql: Executor, filter: TokenFilter, page: Page): Promise<number> {
  const [row] = await plannedAfresh(sql<{ total: number }[]>`
    select count(*)::int as total from checkout_sessions s where s.merchant_id = ${filter.merchantId} and ${byToken(sql, filter, page)}`)
  return row?.total ?? 0
}

function byToken(sql: Executor, filter: TokenFilter, page: Page): Fragment {
  const { owners, accounts } = filter
  return sql`
    checkout_token = ${filter.token} and deleted_at is null
    and status = any (${texts(filter.statuses)})
    ${owners ? sql`and owner_identity_id = any (${texts(owners)})` : sql``}
    ${
      accounts
        ? sql`and exists (
          select from checkout_session_accounts a
          where a.merchant_id = s.merchant_id and a.session_id = s.id and a.account_number = any (${texts(accounts)}))`
        : sql``
    }
    ${withinDays(sql, page)}`
}
