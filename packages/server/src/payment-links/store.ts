/** SQL of payment links. */

import { json } from '@pasarela/sql'
import { appendPart, eventsOf } from '../events/append-part.ts'
import type { NewEvent } from '../events/event.ts'
import { claim, type Due } from '../kit/claim.ts'
import type { Executor } from '../kit/db.ts'
import type { PaymentLink } from './link.ts'

export async function insertLink(sql: Executor, link: PaymentLink, events: readonly NewEvent[]): Promise<void> {
  await sql`
    with link as (
      insert into payment_links select * from json_populate_recordset(null::payment_links, ${json([toRow(link)])}::json)
      returning merchant_id, id
    ), ${appendPart(sql, eventsOf(sql, events, 'link'))}
    select id from link where merchant_id = ${link.merchantId}`
}

function toRow(link: PaymentLink) {
  return {
    merchant_id: link.merchantId,
    id: link.id,
    checkout_token: link.checkoutToken,
    page_token: link.pageToken,
    status: link.status,
    owner_identity_id: link.ownerIdentityId,
    owner: link.owner,
    items: link.items,
    currency: link.currency,
    pre_tax_minor: link.preTaxMinor.toString(),
    total_minor: link.totalMinor.toString(),
    payment_methods: link.paymentMethods,
    customer: link.customer,
    customer_requirements: link.customerRequirements,
    destinations: link.destinations,
    account_numbers: [...new Set(link.destinations.map((d) => d.account.accountNumber))],
    success_url: link.successUrl,
    failed_url: link.failedUrl,
    duration_seconds: link.durationSeconds,
    metadata: link.metadata,
    max_payments: link.maxPayments,
    uses_open: link.usesOpen,
    uses_paid: link.usesPaid,
    event_sequence: link.eventSequence,
    created_at: link.createdAt,
    updated_at: link.updatedAt,
    expires_at: link.expiresAt,
    deleted_at: link.deletedAt,
  }
}

export async function findLinkById(sql: Executor, merchantId: number, id: string): Promise<PaymentLink | undefined> {
  const [row] = await sql<PaymentLink[]>`
    select * from payment_links where merchant_id = ${merchantId} and id = ${id} and deleted_at is null`
  return row
}

/** A link whether deleted or not. */
export async function findLinkEvenDeleted(
  sql: Executor,
  merchantId: number,
  id: string,
): Promise<PaymentLink | undefined> {
  const [row] = await sql<PaymentLink[]>`select * from payment_links where merchant_id = ${merchantId} and id = ${id}`
  return row
}

export async function findLinkByCheckoutToken(
  sql: Executor,
  merchantId: number,
  checkoutToken: string,
): Promise<PaymentLink | undefined> {
  const [row] = await sql<PaymentLink[]>`
    select * from payment_links where merchant_id = ${merchantId} and checkout_token = ${checkoutToken} and deleted_at is null`
  return row
}

/** By the secret part of its url; a deleted one too, so that the page can say so. */
export async function findLinkByPageToken(
  sql: Executor,
  merchantId: number,
  pageToken: string,
): Promise<PaymentLink | undefined> {
  const [row] = await sql<PaymentLink[]>`
    select * from payment_links where merchant_id = ${merchantId} and page_token = ${pageToken}`
  return row
}

export async function lockLinkById(sql: Executor, merchantId: number, id: string): Promise<PaymentLink | undefined> {
  const [row] = await sql<PaymentLink[]>`
    select * from payment_links where merchant_id = ${merchantId} and id = ${id} for update`
  return row
}

/** Writes what may change of a link, guarded by the counter of its events. */
export async function updateLink(sql: Executor, link: PaymentLink, sequenceBefore: number): Promise<void> {
  const rows = await sql`
    update payment_links set status = ${link.status}, uses_open = ${link.usesOpen}, uses_paid = ${link.usesPaid},
      event_sequence = ${link.eventSequence}, updated_at = ${link.updatedAt}, deleted_at = ${link.deletedAt}
    where merchant_id = ${link.merchantId} and id = ${link.id} and event_sequence = ${sequenceBefore}
    returning id`
  if (rows.length !== 1) throw new Error(`payment link ${link.id} was changed without its lock`)
}

/** Expires links whose duration is over. */
export async function moveLinksDue(sql: Executor, due: Due): Promise<PaymentLink[]> {
  const waiting = {
    columns: sql`merchant_id, id`,
    table: sql`payment_links`,
    dueAt: sql`expires_at`,
    open: sql`status in ('ATTEMPT', 'ACTIVE', 'PROCESSING_PAYMENT') and deleted_at is null`,
  }
  return sql<PaymentLink[]>`
    with ${claim(sql, waiting, due)}
    update payment_links l set status = 'EXPIRED', event_sequence = l.event_sequence + 1, updated_at = ${due.now} from due
    where l.merchant_id = due.merchant_id and l.id = due.id
    returning l.*`
}

/** Whether the link may bring only so many payments; read without a lock. */
export async function isLimitedLink(sql: Executor, merchantId: number, id: string): Promise<boolean> {
  const rows = await sql`
    select 1 as limited from payment_links where merchant_id = ${merchantId} and id = ${id} and max_payments is not null`
  return rows.length === 1
}
