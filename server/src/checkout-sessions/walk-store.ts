/**
 * SQL of a page of sessions. One walk per value and status, each along an index that holds all it needs in the order of the list;
 * the walks are merged, cut to the page, and only then are the rows themselves read.
 */
import type { Executor } from '../kit/db.ts'
import { inPage, type Page, withinDays } from '../kit/page.ts'
import { type Fragment, plannedAfresh } from '../kit/statement.ts'
import type { Bounds, CountFilter } from './counts-store.ts'
import type { Session, SessionStatus } from './session.ts'

export type ListFilter = CountFilter
export type TokenFilter = ListFilter & { readonly token: string }

/** What the walks of a list go along. */
export type Along = 'all' | 'owner' | 'account'

type Walk = {
  readonly sql: Executor
  readonly filter: ListFilter
  readonly page: Page
  readonly along: Along
  /** In the order of expiry: where the sessions of each status may lie. Those of a status that is not among them are none. */
  readonly bounds: ReadonlyMap<SessionStatus, Bounds> | undefined
}

/** Up to so many walks are merged, each read no further than the page needs; more are read one after the other and sorted. */
const mergedMax = 48

/** The sessions of a page, in its order. `bounds`, if given, are those of every status that has any. */
export async function findPage(
  sql: Executor,
  { statuses: wanted, ...rest }: ListFilter,
  page: Page,
  along: Along,
  bounds?: ReadonlyMap<SessionStatus, Bounds>,
): Promise<Session[]> {
  const statuses = bounds ? wanted.filter((status) => bounds.has(status)) : wanted
  if (statuses.length === 0) return []
  const filter: ListFilter = { ...rest, statuses }
  const walk: Walk = { sql, filter, page, along, bounds }
  const values = along === 'owner' ? filter.owners : along === 'account' ? filter.accounts : undefined
  const many = (values?.length ?? 1) * filter.statuses.length > mergedMax
  const walks = many ? oneAfterTheOther(walk, values ?? ['']) : merged(walk, values ?? [''])
  // A session that pays two of the accounts is met twice, and the two stand side by side.
  const once = along === 'account' && (values?.length ?? 0) > 1
  const ids = sql`
    select ${once ? sql`distinct on (${key(sql, page, false)})` : sql``} * from (${walks}) as walks
    order by ${key(sql, page)} limit ${page.limit} offset ${page.offset}`
  return plannedAfresh(sql<Session[]>`
    select s.* from (${ids}) as page
    join checkout_sessions s on s.merchant_id = ${filter.merchantId} and s.id = page.page_id
    order by ${key(sql, page)}`)
}

/** The order of the list, by the names that walks give to its columns. */
function key(sql: Executor, { column, direction }: Page, directed = true): Fragment {
  const way = directed && direction === 'desc' ? sql`desc` : sql``
  return column === 'id' ? sql`page_id ${way}` : sql`page_key ${way}, page_id ${way}`
}

function merged(walk: Walk, values: readonly string[]): Fragment {
  const { sql, filter, bounds } = walk
  const each = values.flatMap((value) =>
    filter.statuses.map((status) => {
      const ends = bounds?.get(status)
      const between = ends && { from: sql`${ends.from}::timestamptz`, until: sql`${ends.until}::timestamptz` }
      return sql`(${walkOf(walk, sql`${value}`, sql`${status}`, between)})`
    }),
  )
  return each.reduce((before, next) => sql`${before} union all ${next}`)
}

function oneAfterTheOther(walk: Walk, values: readonly string[]): Fragment {
  const { sql, filter, bounds } = walk
  const ends = (side: keyof Bounds) => filter.statuses.map((status) => bounds?.get(status)?.[side] ?? null)
  const between = bounds && { from: sql`t.expires_from`, until: sql`t.expires_until` }
  return sql`
    select one.* from unnest(${values as string[]}::text[]) as v (value),
    unnest(${filter.statuses as string[]}::text[], ${ends('from') as string[]}::timestamptz[], ${ends('until') as string[]}::timestamptz[])
      as t (status, expires_from, expires_until),
    lateral (${walkOf(walk, sql`v.value`, sql`t.status`, between)}) as one`
}

type Between = { from: Fragment; until: Fragment }

/** One walk: the ids of one value and status in the order of the list, as far as the page may need them. */
function walkOf(walk: Walk, value: Fragment, status: Fragment, between: Between | undefined): Fragment {
  const { sql, filter, page, along } = walk
  const id = along === 'account' ? sql`session_id` : sql`id`
  const from = {
    all: sql`checkout_sessions w where deleted_at is null`,
    owner: sql`checkout_sessions w where deleted_at is null and owner_identity_id = ${value}`,
    account: sql`checkout_session_accounts w where account_number = ${value}`,
  }[along]
  const order = page.column === 'id' ? id : sql(page.column)
  const way = page.direction === 'desc' ? sql`desc` : sql`asc`
  return sql`
    select ${id} as page_id, ${order} as page_key from ${from} and merchant_id = ${filter.merchantId}
      and ${inRange(walk, id, status, between)} ${alsoOf(walk, status)}
    order by ${page.column === 'id' ? sql`` : sql`${order} ${way},`} ${id} ${way} limit ${page.offset + page.limit}`
}

/**
 * The status and the ids between the ends. In the order of the status both are one range of pairs: an equality would hide
 * from the planner that the walk is in that order, and it would sort. Between the bounds of expiry of some days nearly all is
 * of these days; the planner would take the two for independent and expect next to nothing, so there the ids are compared in
 * words that it expects nothing of (an inequality is nearly always true). No id is the first of its moment, so `<>` is `>`.
 */
function inRange({ sql, page }: Walk, id: Fragment, status: Fragment, between: Between | undefined): Fragment {
  const { after, direction, column } = page
  const down = direction === 'desc'
  const from = page.fromId ?? ''
  const before = page.beforeId ?? lastId
  if (column === 'status')
    return sql`(status, ${id}) >= (${status}, ${from}) and (status, ${id}) < (${status}, ${before})`
  const days = between
    ? sql`
      ${page.fromId === undefined ? sql`` : sql`and greatest(${id}, ${from}) <> ${from}`}
      ${page.beforeId === undefined ? sql`` : sql`and least(${id}, ${before}) <> ${before}`}`
    : sql`
      ${page.fromId === undefined ? sql`` : sql`and ${id} >= ${from}`} ${page.beforeId === undefined ? sql`` : sql`and ${id} < ${before}`}`
  const expiry = between ? sql`and expires_at >= ${between.from} and expires_at <= ${between.until}` : sql``
  const rest = after === undefined ? sql`` : down ? sql`and ${id} < ${after}` : sql`and ${id} > ${after}`
  return sql`status = ${status} ${days} ${expiry} ${rest}`
}

/** Behind every id. */
const lastId = '~'

/** The filter that the walk does not go along, looked up for each id it meets. OFFSET 0 keeps it a look-up. */
function alsoOf({ sql, filter, along }: Walk, status: Fragment): Fragment {
  const { merchantId, owners, accounts } = filter
  if (along === 'owner' && accounts)
    return sql`and exists (
      select from checkout_session_accounts a
      where a.merchant_id = ${merchantId} and a.session_id = w.id and a.account_number = any (${accounts as string[]}) offset 0)`
  if (along === 'account' && owners)
    return sql`and exists (
      select from checkout_sessions o
      where o.merchant_id = ${merchantId} and o.owner_identity_id = any (${owners as string[]}) and o.status = ${status}
        and o.id = w.session_id and o.deleted_at is null offset 0)`
  return sql``
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
    and status = any (${filter.statuses as string[]})
    ${owners ? sql`and owner_identity_id = any (${owners as string[]})` : sql``}
    ${
      accounts
        ? sql`and exists (
          select from checkout_session_accounts a
          where a.merchant_id = s.merchant_id and a.session_id = s.id and a.account_number = any (${accounts as string[]}))`
        : sql``
    }
    ${withinDays(sql, page)}`
}
