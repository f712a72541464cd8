/** The list of sessions: every documented filter and sort, each with its index; `total` is exact. */
import Type from 'typebox'
import type { Executor } from '../kit/db.ts'
import { commaList, commaListOf, inPage, listQuery, type Page, readCommaList, withinDays } from '../kit/page.ts'
import { type Session, sessionMachine } from './session.ts'

export const sessionSorts = { createdAt: 'id', expiresAt: 'expires_at', totalAmount: 'total_order', status: 'status' }

export const SessionQuery = listQuery(
  {
    identityId: Type.Optional(commaList('Ids of owner identities.')),
    accountNumber: Type.Optional(commaList('Numbers of destination accounts.')),
    status: Type.Optional(commaListOf(sessionMachine.statuses, 'Statuses.')),
    checkoutToken: Type.Optional(commaList('Your references: how a create that timed out finds its session.')),
  },
  sessionSorts,
)
export type SessionQuery = Type.Static<typeof SessionQuery>

/** One page of a merchant's sessions, and how many match in all. */
export async function listSessions(sql: Executor, merchantId: number, query: SessionQuery, page: Page) {
  const where = sql`merchant_id = ${merchantId} and deleted_at is null ${filters(sql, merchantId, query)} ${withinDays(sql, page)}`
  const [rows, [counted]] = await Promise.all([
    sql<Session[]>`select * from checkout_sessions where ${where} ${inPage(sql, page)}`,
    sql<{ total: number }[]>`select count(*)::int as total from checkout_sessions where ${where}`,
  ])
  return { sessions: rows, total: counted?.total ?? 0 }
}

function filters(sql: Executor, merchantId: number, query: SessionQuery) {
  const identities = readCommaList(query.identityId)
  const accounts = readCommaList(query.accountNumber)
  const statuses = readCommaList(query.status)
  const tokens = readCommaList(query.checkoutToken)
  return sql`
    ${identities ? sql`and owner_identity_id = any(${identities})` : sql``}
    ${statuses ? sql`and status = any(${statuses})` : sql``}
    ${tokens ? sql`and checkout_token = any(${tokens})` : sql``}
    ${accounts ? sql`and id in (select session_id from checkout_session_accounts where merchant_id = ${merchantId} and account_number = any(${accounts}))` : sql``}`
}
