/** The list of links: the published filters, each a comma list with its literal dotted name. */

import { texts } from '@pasarela/sql'
import Type from 'typebox'
import type { Executor } from '../kit/db.ts'
import {
  commaList,
  commaListOf,
  inPage,
  listQuery,
  oneValue,
  type Page,
  readCommaList,
  withinDays,
} from '../kit/page.ts'
import { limits } from '../vocabulary/limits.ts'
import { linkMachine, type PaymentLink } from './link.ts'

const base = listQuery('paymentLink', {
  id: Type.Optional(commaList('Ids of links.')),
  status: Type.Optional(commaListOf(linkMachine.statuses, 'Statuses.')),
  checkoutToken: Type.Optional(oneValue(limits.checkoutTokenLength, 'Your reference.')),
  'destination.accountNumber': Type.Optional(commaList('Numbers of destination accounts.')),
  'customer.email': Type.Optional(commaList('E-mail addresses of pre-filled customers.')),
  'owner.identityId': Type.Optional(commaList('Ids of owner identities.')),
})

/** Links page by 0 to 50, as published. */
export const LinkQuery = Type.Object(
  {
    ...base.properties,
    limit: Type.Optional(
      Type.Integer({ minimum: 0, maximum: limits.linkPageSizeMax, description: 'Most results to answer. Default 50.' }),
    ),
  },
  { additionalProperties: false },
)
export type LinkQuery = Type.Static<typeof LinkQuery>

/** One page of a merchant's links, and how many match in all. */
export async function listLinks(sql: Executor, merchantId: number, query: LinkQuery, page: Page) {
  const where = sql`merchant_id = ${merchantId} and deleted_at is null ${filters(sql, query)} ${withinDays(sql, page)}`
  const [rows, [counted]] = await Promise.all([
    sql<PaymentLink[]>`select * from payment_links where ${where} ${inPage(sql, page)}`,
    sql<{ total: number }[]>`select count(*)::int as total from payment_links where ${where}`,
  ])
  return { links: rows, total: counted?.total ?? 0 }
}

function filters(sql: Executor, query: LinkQuery) {
  const ids = readCommaList(query.id)
  const statuses = readCommaList(query.status)
  const accounts = readCommaList(query['destination.accountNumber'])
  const emails = readCommaList(query['customer.email'])?.map((email) => email.toLowerCase())
  const owners = readCommaList(query['owner.identityId'])
  return sql`
    ${ids ? sql`and id = any(${texts(ids)})` : sql``}
    ${statuses ? sql`and status = any(${texts(statuses)})` : sql``}
    ${query.checkoutToken === undefined ? sql`` : sql`and checkout_token = ${query.checkoutToken}`}
    ${accounts ? sql`and account_numbers && ${texts(accounts)}` : sql``}
    ${emails ? sql`and lower(customer ->> 'email') = any(${texts(emails)})` : sql``}
    ${owners ? sql`and owner_identity_id = any(${texts(owners)})` : sql``}`
}
