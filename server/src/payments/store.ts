/** SQL of payments and refunds. */
import { claim, type Due, isUnleased } from '../kit/claim.ts'
import type { Executor } from '../kit/db.ts'
import { formatAmount } from '../kit/money.ts'
import type { Payment } from './payment.ts'

const columns = {
  merchantId: 'merchant_id',
  id: 'id',
  type: 'type',
  status: 'status',
  sessionId: 'session_id',
  paymentLinkId: 'payment_link_id',
  orderKey: 'order_key',
  parentPaymentId: 'parent_payment_id',
  relatedPaymentId: 'related_payment_id',
  externalId: 'external_id',
  identityId: 'identity_id',
  identityExternalId: 'identity_external_id',
  accountNumber: 'account_number',
  description: 'description',
  currency: 'currency',
  grossMinor: 'gross_minor',
  totalMinor: 'total_minor',
  purchaseCurrency: 'purchase_currency',
  purchaseMinor: 'purchase_minor',
  rate: 'rate',
  fees: 'fees',
  origin: 'origin',
  destinations: 'destinations',
  settlement: 'settlement',
  metadata: 'metadata',
  requestHash: 'request_hash',
  rail: 'rail',
  connector: 'connector',
  connectionId: 'connection_id',
  connectorRef: 'connector_ref',
  receivedMinor: 'received_minor',
  receivedCurrency: 'received_currency',
  failureReason: 'failure_reason',
  hold: 'hold',
  attention: 'attention',
  nextCheckAt: 'next_check_at',
  checks: 'checks',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  expiresAt: 'expires_at',
  authorizedAt: 'authorized_at',
  capturedAt: 'captured_at',
  receivedAt: 'received_at',
  settledAt: 'settled_at',
  failedAt: 'failed_at',
  expiredAt: 'expired_at',
  reversedAt: 'reversed_at',
  refundedAt: 'refunded_at',
  acceptedAt: 'accepted_at',
} as const satisfies Record<keyof Payment, string>

const written = [...Object.values(columns), 'total_order']

/** The row as JSON: bigints as text, bytes as PostgreSQL writes them. */
export function toPaymentRow(payment: Payment): Record<string, unknown> {
  const row: Record<string, unknown> = { total_order: formatAmount(payment.totalMinor, payment.currency) }
  for (const [key, column] of Object.entries(columns)) {
    const value = payment[key as keyof Payment]
    if (typeof value === 'bigint') row[column] = value.toString()
    else if (value instanceof Uint8Array) row[column] = `\\x${Buffer.from(value).toString('hex')}`
    else row[column] = value
  }
  return row
}

export async function insertPayment(sql: Executor, payment: Payment): Promise<void> {
  // The column left out of the row (`leased_until`) must get its default, so the columns are named.
  await sql`
    insert into payments (${sql(written)})
    select ${sql(written)} from json_populate_record(null::payments, ${toPaymentRow(payment) as never}::json)`
}

export async function findPaymentById(sql: Executor, merchantId: number, id: string): Promise<Payment | undefined> {
  const [row] = await sql<Payment[]>`select * from payments where merchant_id = ${merchantId} and id = ${id}`
  return row
}

export async function lockPaymentById(sql: Executor, merchantId: number, id: string): Promise<Payment | undefined> {
  const [row] = await sql<Payment[]>`select * from payments where merchant_id = ${merchantId} and id = ${id} for update`
  return row
}

/** The session's payment that still waits for its provider, if any. */
export async function findOpenPayment(
  sql: Executor,
  merchantId: number,
  sessionId: string,
): Promise<Payment | undefined> {
  const [row] = await sql<Payment[]>`
    select * from payments
    where merchant_id = ${merchantId} and session_id = ${sessionId} and type = 'PURCHASE' and hold is null
      and related_payment_id is null and accepted_at is null and status in ('CREATED', 'AUTHORIZED', 'CAPTURED')`
  return row
}

/** The session's newest purchase of its own: what its page and its answers speak of. */
export async function findLatestPayment(
  sql: Executor,
  merchantId: number,
  sessionId: string,
): Promise<Payment | undefined> {
  const [row] = await sql<Payment[]>`
    select * from payments
    where merchant_id = ${merchantId} and session_id = ${sessionId} and type = 'PURCHASE' and related_payment_id is null
    order by id desc limit 1`
  return row
}

/** The payment that paid an order, of whichever session of its chain it was: there is one at most. */
export async function findAcceptedPayment(
  sql: Executor,
  merchantId: number,
  orderKey: string,
): Promise<Payment | undefined> {
  const [row] = await sql<Payment[]>`
    select * from payments
    where merchant_id = ${merchantId} and order_key = ${orderKey} and accepted_at is not null`
  return row
}

/** What is known of an order besides one payment: whether another one paid it, whether another one is open. */
export async function readOrder(
  sql: Executor,
  input: { merchantId: number; orderKey: string; besides: string },
): Promise<{ paid: boolean; open: boolean }> {
  const [row] = await sql<{ paid: boolean; open: boolean }[]>`
    select
      exists (select from payments where merchant_id = ${input.merchantId} and order_key = ${input.orderKey} and id <> ${input.besides}
        and accepted_at is not null) as paid,
      exists (select from payments where merchant_id = ${input.merchantId} and order_key = ${input.orderKey} and id <> ${input.besides}
        and type = 'PURCHASE' and hold is null and related_payment_id is null and accepted_at is null
        and status in ('CREATED', 'AUTHORIZED', 'CAPTURED')) as open`
  return row ?? { paid: false, open: false }
}

/** What came beyond the amount of a payment: it has no reference of its own. */
export async function findSurplus(sql: Executor, merchantId: number, paymentId: string): Promise<Payment | undefined> {
  const [row] = await sql<Payment[]>`
    select * from payments
    where merchant_id = ${merchantId} and related_payment_id = ${paymentId} and connector_ref is null order by id limit 1`
  return row
}

/** The money that is on record beside a payment under this reference of the provider. */
export async function findPaymentBeside(
  sql: Executor,
  merchantId: number,
  paymentId: string,
  connectorRef: string,
): Promise<Payment | undefined> {
  const [row] = await sql<Payment[]>`
    select * from payments
    where merchant_id = ${merchantId} and related_payment_id = ${paymentId} and connector_ref = ${connectorRef}`
  return row
}

/** What a provider means by a reference: the payment it was given to, else money beside one, else a refund. */
export async function findPaymentByRef(
  sql: Executor,
  merchantId: number,
  connector: string,
  connectorRef: string,
): Promise<Payment | undefined> {
  const [row] = await sql<Payment[]>`
    (select 1 as rank, * from payments where merchant_id = ${merchantId} and connector = ${connector} and connector_ref = ${connectorRef}
      and type = 'PURCHASE' and related_payment_id is null)
    union all
    (select 2, * from payments where merchant_id = ${merchantId} and connector = ${connector} and connector_ref = ${connectorRef}
      and (related_payment_id is not null or type = 'REFUND') order by id limit 1)
    order by rank limit 1`
  return row
}

/** Remembers that the sandbox's banks will tell of this payment by themselves, and when. */
export async function planSandboxNotices(sql: Executor, payment: Payment, dueAt: Date): Promise<void> {
  await sql`
    insert into sandbox_notices (merchant_id, payment_id, due_at) values (${payment.merchantId}, ${payment.id}, ${dueAt})`
}

/** Writes what may change of a locked payment. */
export async function updatePayment(sql: Executor, p: Payment): Promise<void> {
  await sql`
    update payments set
      status = ${p.status}, origin = ${p.origin as never}, connector_ref = ${p.connectorRef}, received_minor = ${p.receivedMinor},
      received_currency = ${p.receivedCurrency},
      failure_reason = ${p.failureReason}, hold = ${p.hold}, attention = ${p.attention}, next_check_at = ${p.nextCheckAt},
      checks = ${p.checks}, leased_until = null, updated_at = ${p.updatedAt}, expires_at = ${p.expiresAt},
      authorized_at = ${p.authorizedAt}, captured_at = ${p.capturedAt}, received_at = ${p.receivedAt}, settled_at = ${p.settledAt},
      failed_at = ${p.failedAt}, expired_at = ${p.expiredAt}, reversed_at = ${p.reversedAt}, refunded_at = ${p.refundedAt},
      accepted_at = ${p.acceptedAt}
    where merchant_id = ${p.merchantId} and id = ${p.id}`
}

/** Writes a locked payment's figures, which change only when somebody accepts another amount than was asked for. */
export async function updateFigures(sql: Executor, p: Payment): Promise<void> {
  await sql`
    update payments set
      purchase_minor = ${p.purchaseMinor}, gross_minor = ${p.grossMinor}, total_minor = ${p.totalMinor},
      total_order = ${formatAmount(p.totalMinor, p.currency)}, fees = ${p.fees as never}, destinations = ${p.destinations as never}
    where merchant_id = ${p.merchantId} and id = ${p.id}`
}

/** A payment's refunds, oldest first. */
export async function listRefunds(sql: Executor, merchantId: number, parentId: string): Promise<Payment[]> {
  return sql<Payment[]>`
    select * from payments where merchant_id = ${merchantId} and parent_payment_id = ${parentId} order by id`
}

/** Leases payments whose provider is to be asked now, for `leaseMs`. */
export async function claimPaymentsDue(
  sql: Executor,
  due: Due & { leaseMs: number },
): Promise<{ merchantId: number; id: string }[]> {
  const waiting = {
    columns: sql`merchant_id, id`,
    table: sql`payments`,
    dueAt: sql`next_check_at`,
    open: isUnleased(sql, due.now),
  }
  return sql<{ merchantId: number; id: string }[]>`
    with ${claim(sql, waiting, due)}
    update payments p set leased_until = ${new Date(due.now.getTime() + due.leaseMs)} from due
    where p.merchant_id = due.merchant_id and p.id = due.id
    returning p.merchant_id, p.id`
}

export type Resolution = { merchantId: number; paymentId: string; clientId: string; decision: string; reason: string }

/** Whether this very decision is on record. */
export async function findResolution(sql: Executor, of: Resolution): Promise<boolean> {
  const rows = await sql`
    select number from payment_resolutions
    where merchant_id = ${of.merchantId} and payment_id = ${of.paymentId} and client_id = ${of.clientId}
      and decision = ${of.decision} and reason = ${of.reason}`
  return rows.length > 0
}

/** An operator's decision, kept. */
export async function insertResolution(sql: Executor, input: Resolution & { at: Date }): Promise<void> {
  await sql`
    insert into payment_resolutions (merchant_id, payment_id, number, client_id, decision, reason, created_at)
    select ${input.merchantId}, ${input.paymentId}, count(*) + 1, ${input.clientId}, ${input.decision}, ${input.reason}, ${input.at}
    from payment_resolutions where merchant_id = ${input.merchantId} and payment_id = ${input.paymentId}`
}

/** What becomes of money that nothing waits for: as the merchant wishes for this rail, else for all. Never from a cached merchant. */
export async function findLatePolicy(
  sql: Executor,
  merchantId: number,
  rail: string,
): Promise<'accept' | 'refund' | 'hold'> {
  const [row] = await sql<{ lateMoney: 'accept' | 'refund' | 'hold' }[]>`
    select coalesce(r.late_money, m.late_money) as late_money
    from merchants m left join merchant_rails r on r.merchant_id = m.id and r.rail = ${rail}
    where m.id = ${merchantId}`
  if (!row) throw new Error(`there is no merchant ${merchantId}`)
  return row.lateMoney
}
