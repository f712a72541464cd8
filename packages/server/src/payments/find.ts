/** SQL of payments and refunds, for the slices that act on them. `write-part.ts` writes their rows. */
import { claim, type Due, isUnleased } from '../kit/claim.ts'
import type { Executor } from '../kit/db.ts'
import type { Fragment } from '../kit/statement.ts'
import type { Payment } from './payment.ts'

/**
 * Whether a payment still waits for its provider's word: `isOpen` in SQL, written as the partial indexes have it. Money on
 * record because it came late or beside another payment is never open.
 */
export const isOpenPayment = (sql: Executor): Fragment => sql`
  type = 'PURCHASE' and hold is null and related_payment_id is null and accepted_at is null
  and status in ('CREATED', 'AUTHORIZED', 'CAPTURED')`

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
    where merchant_id = ${merchantId} and session_id = ${sessionId} and ${isOpenPayment(sql)}`
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
        and ${isOpenPayment(sql)}) as open`
  return row ?? { paid: false, open: false }
}

/** Whether an order is paid, and whether a payment of this session still waits for its provider. */
export async function readStanding(
  sql: Executor,
  { merchantId, orderKey, id: sessionId }: { merchantId: number; orderKey: string; id: string },
): Promise<{ paid: boolean; open: boolean }> {
  const [row] = await sql<{ paid: boolean; open: boolean }[]>`
    select
      exists (select from payments where merchant_id = ${merchantId} and order_key = ${orderKey}
        and accepted_at is not null) as paid,
      exists (select from payments where merchant_id = ${merchantId} and session_id = ${sessionId}
        and ${isOpenPayment(sql)}) as open`
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
