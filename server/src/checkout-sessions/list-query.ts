/** The list of sessions: every documented filter and sort, each a walk over an index; `total` is exact and comes from counters. */
import Type from 'typebox'
import type { Executor } from '../kit/db.ts'
import { commaList, commaListOf, listQuery, oneValue, type Page, readCommaList } from '../kit/page.ts'
import { limits } from '../vocabulary/limits.ts'
import { countSessions, findBounds } from './counts-store.ts'
import { type Session, type SessionStatus, sessionMachine } from './session.ts'
import { countByToken, findPage, findPageByToken, type ListFilter } from './walk-store.ts'

export const sessionSorts = { createdAt: 'id', expiresAt: 'expires_at', totalAmount: 'total_order', status: 'status' }

export const SessionQuery = listQuery(
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
  const [sessions, total] = await Promise.all(
    token !== undefined
      ? [findPageByToken(sql, { ...filter, token }, page), countByToken(sql, { ...filter, token }, page)]
      : [findShorterWay(sql, filter, page), countSessions(sql, filter)],
  )
  return { sessions, total }
}

/** A list by owner and account walks along the one that has fewer sessions, and looks each up in the other. */
async function findShorterWay(sql: Executor, filter: ListFilter, page: Page): Promise<Session[]> {
  const { owners, accounts } = filter
  // Days are where ids lie, not where sessions end: the order of expiry has to be told where to walk.
  const hasDays = filter.fromDay !== undefined || filter.untilDay !== undefined
  const bounds = hasDays && page.column === 'expires_at' ? await findBounds(sql, filter) : undefined
  if (!owners || !accounts) return findPage(sql, filter, page, accounts ? 'account' : owners ? 'owner' : 'all', bounds)
  const [byOwner, byAccount] = await Promise.all([
    countSessions(sql, { ...filter, accounts: undefined }),
    countSessions(sql, { ...filter, owners: undefined }),
  ])
  return findPage(sql, filter, page, byOwner < byAccount ? 'owner' : 'account', bounds)
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
