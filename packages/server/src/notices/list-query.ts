/** The list of notices: for those who look for money that found no payment. */

import { texts } from '@pasarela/sql'
import Type from 'typebox'
import type { Executor } from '../kit/db.ts'
import { commaList, inPage, listQuery, type Page, readCommaList, withinDays } from '../kit/page.ts'
import type { NoticeRow } from './notice.ts'

export const NoticeQuery = listQuery('notice', {
  attention: Type.Optional(Type.Boolean({ description: 'Only those that somebody should look at.' })),
  paymentId: Type.Optional(commaList('Ids of payments that they were matched with.')),
})
export type NoticeQuery = Type.Static<typeof NoticeQuery>

/** One page of a merchant's notices, and how many match in all. */
export async function listNotices(sql: Executor, merchantId: number, query: NoticeQuery, page: Page) {
  const payments = readCommaList(query.paymentId)
  const where = sql`
    merchant_id = ${merchantId} ${withinDays(sql, page)}
    ${payments ? sql`and payment_id = any(${texts(payments)})` : sql``}
    ${query.attention === undefined ? sql`` : query.attention ? sql`and attention is not null` : sql`and attention is null`}`
  const [rows, [counted]] = await Promise.all([
    sql<NoticeRow[]>`select * from notices where ${where} ${inPage(sql, page)}`,
    sql<{ total: number }[]>`select count(*)::int as total from notices where ${where}`,
  ])
  return { notices: rows, total: counted?.total ?? 0 }
}
