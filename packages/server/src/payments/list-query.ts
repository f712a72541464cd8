/** The list of payments: every documented filter and ours; `total` is exact. */

import { texts } from '@pasarela/sql'
import Type from 'typebox'
import type { ApiVersion } from '../access/caller.ts'
import type { Executor } from '../kit/db.ts'
import { commaList, commaListOf, inPage, listQuery, type Page, readCommaList, withinDays } from '../kit/page.ts'
import type { Payment } from './payment.ts'
import { paymentStatuses } from './schema.ts'

export const paymentSorts = { createdAt: 'id', expiresAt: 'expires_at', totalAmount: 'total_order', status: 'status' }

export const PaymentQuery = listQuery(
  'payment',
  {
    identityId: Type.Optional(commaList('Ids of identities.')),
    type: Type.Optional(commaListOf(['PURCHASE', 'REFUND'], 'Types.')),
    accountNumber: Type.Optional(commaList('Numbers of first destination accounts.')),
    status: Type.Optional(commaListOf(paymentStatuses, 'Statuses; PENDING and REFUNDED as v1 reads them.')),
    checkoutSessionId: Type.Optional(commaList('Ids of sessions.')),
    parentPaymentId: Type.Optional(commaList('Ids of refunded payments.')),
    attention: Type.Optional(Type.Boolean({ description: 'Ours: only those that somebody should look at.' })),
  },
  paymentSorts,
)
export type PaymentQuery = Type.Static<typeof PaymentQuery>

/** One page of a merchant's payments, and how many match in all. */
export async function listPayments(
  sql: Executor,
  merchantId: number,
  version: ApiVersion,
  query: PaymentQuery,
  page: Page,
) {
  const where = sql`merchant_id = ${merchantId} ${filters(sql, version, query)} ${withinDays(sql, page)}`
  const [rows, [counted]] = await Promise.all([
    sql<Payment[]>`select * from payments where ${where} ${inPage(sql, page)}`,
    sql<{ total: number }[]>`select count(*)::int as total from payments where ${where}`,
  ])
  return { payments: rows, total: counted?.total ?? 0 }
}

function filters(sql: Executor, version: ApiVersion, query: PaymentQuery) {
  const identities = readCommaList(query.identityId)
  const types = readCommaList(query.type)
  const accounts = readCommaList(query.accountNumber)
  const sessions = readCommaList(query.checkoutSessionId)
  const parents = readCommaList(query.parentPaymentId)
  return sql`
    ${identities ? sql`and identity_id = any(${texts(identities)})` : sql``}
    ${types ? sql`and type = any(${texts(types)})` : sql``}
    ${accounts ? sql`and account_number = any(${texts(accounts)})` : sql``}
    ${sessions ? sql`and session_id = any(${texts(sessions)})` : sql``}
    ${parents ? sql`and parent_payment_id = any(${texts(parents)})` : sql``}
    ${query.attention === undefined ? sql`` : query.attention ? sql`and attention is not null` : sql`and attention is null`}
    ${statusFilter(sql, version, readCommaList(query.status))}`
}

/** v1 sees SETTLED payments that were wholly refunded as REFUNDED, and only as that. */
function statusFilter(sql: Executor, version: ApiVersion, asked: string[] | undefined) {
  if (!asked) return sql``
  const stored = asked
    .map((status) => (status === 'PENDING' ? 'CREATED' : status))
    .filter((status) => status !== 'REFUNDED')
  const plain =
    version === 'v1'
      ? sql`(status = any(${texts(stored)}) and refunded_at is null)`
      : sql`status = any(${texts(stored)})`
  return asked.includes('REFUNDED') ? sql`and (${plain} or refunded_at is not null)` : sql`and ${plain}`
}
