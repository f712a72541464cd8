/** The list of sessions: every documented filter and sort, walked to or sorted; `total` is exact and comes from counters. */
import Type from 'typebox'
import type { Executor } from '../kit/db.ts'
import { commaList, commaListOf, listQuery, oneValue, type Page, readCommaList } from '../kit/page.ts'
import { limits } from '../vocabulary/limits.ts'
import { countSessions } from './counts-store.ts'
import { type Session, type SessionStatus, sessionMachine } from './session.ts'
import {
  type Along,
  countByToken,
  findPageBySorting,
  findPageByToken,
  findPageByWalking,
  type ListFilter,
} from './walk-store.ts'

export const sessionSorts = { createdAt: 'id', expiresAt: 'expires_at', totalAmount: 'total_order', status: 'status' }

export const SessionQuery = listQuery(
  'checkoutSession',
  {
    identityId: Type.Optional(commaList('Ids of owner identities.')),
    accountNumber: Type.Optional(commaList('Numbers of destination accounts.')),
    status: Type.Optional(commaListOf(sessionMachine.statuses, 'Statuses.')),
    checkoutToken: Type.Optional(
      oneValue(limits.checkoutTokenLength, 'Your reference: how a create that timed out finds its session.'),
    ),
  },
  sessionSorts,
)
export type SessionQuery = Type.Static<typeof SessionQuery>

export type SessionPage = { sessions: Session[]; total: number }

/** One page of a merchant's sessions, and how many match in all. */
export async function listSessions(
  sql: Executor,
  merchantId: number,
  query: SessionQuery,
  page: Page,
): Promise<SessionPage> {
  const filter = readFilter(merchantId, query, page)
  const token = query.checkoutToken
  if (token !== undefined) {
    const [sessions, total] = await Promise.all([
      findPageByToken(sql, { ...filter, token }, page),
      countByToken(sql, { ...filter, token }, page),
    ])
    return { sessions, total }
  }
  const [along, total] = await Promise.all([narrower(sql, filter), countSessions(sql, filter)])
  const sessions =
    page.column === 'id'
      ? await findPageByWalking(sql, filter, page, along)
      : await ((await isSorted(sql, filter, page, total))
          ? findPageBySorting(sql, filter, page, along)
          : findPageByWalking(sql, filter, page, page.column === 'status' && filter.owners ? 'owner' : 'all'))
  return { sessions, total }
}

/** What to go along: of two filters the one that fewer sessions match. Each of those is then looked up in the other. */
async function narrower(sql: Executor, filter: ListFilter): Promise<Along> {
  const { owners, accounts, statuses } = filter
  const others = owners ? 'owner' : 'all'
  if (!accounts) return others
  if (!owners && statuses.length === sessionMachine.statuses.length) return 'account'
  const [byOthers, byAccount] = await Promise.all([
    countSessions(sql, { ...filter, accounts: undefined }),
    countSessions(sql, { ...filter, owners: undefined, statuses: sessionMachine.statuses }),
  ])
  return byOthers < byAccount ? others : 'account'
}

/** Some days in the order of expiry may lie behind all other days. Up to this many sessions are sorted: their rows are neighbours. */
const daysSortedMax = 1_000_000

/**
 * Whether all `total` matches are sorted. Walking instead comes by more sessions the fewer of them match: some
 * `end / total` of all, where `end` is how many matches the page needs.
 */
async function isSorted(sql: Executor, filter: ListFilter, page: Page, total: number): Promise<boolean> {
  const hasDays = filter.fromDay !== undefined || filter.untilDay !== undefined
  if (hasDays && page.column === 'expires_at' && total <= daysSortedMax) return true
  const unfiltered = { owners: undefined, accounts: undefined, fromDay: undefined, untilDay: undefined }
  const all = await countSessions(sql, { ...filter, ...unfiltered })
  return total * total <= (page.offset + page.limit) * all
}

function readFilter(merchantId: number, query: SessionQuery, { fromDay, untilDay }: Page): ListFilter {
  return {
    merchantId,
    owners: unique(readCommaList(query.identityId)),
    accounts: unique(readCommaList(query.accountNumber)),
    statuses: unique(readCommaList(query.status) as SessionStatus[] | undefined) ?? sessionMachine.statuses,
    fromDay,
    untilDay,
  }
}

function unique<T>(values: readonly T[] | undefined): T[] | undefined {
  return values && [...new Set(values)]
}
