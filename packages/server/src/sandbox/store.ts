/** SQL of the sandbox's own: which payments its banks will tell of, and what is due next by a merchant's clock. */
import { claim, type Due, isUnleased } from '../kit/claim.ts'
import type { Executor } from '../kit/db.ts'

/** Remembers that the banks will report this payment by themselves, and when. */
export async function insertNotice(
  sql: Executor,
  { merchantId, paymentId, dueAt }: { merchantId: number; paymentId: string; dueAt: Date },
): Promise<void> {
  await sql`
    insert into sandbox_notices (merchant_id, payment_id, due_at) values (${merchantId}, ${paymentId}, ${dueAt})
    on conflict do nothing`
}

/** Leases payments that their banks are to report now, for `leaseMs`. */
export async function claimNoticesToSend(
  sql: Executor,
  due: Due & { leaseMs: number },
): Promise<{ merchantId: number; paymentId: string }[]> {
  const waiting = {
    columns: sql`merchant_id, payment_id`,
    table: sql`sandbox_notices`,
    dueAt: sql`due_at`,
    open: isUnleased(sql, due.now),
  }
  return sql<{ merchantId: number; paymentId: string }[]>`
    with ${claim(sql, waiting, due)}
    update sandbox_notices n set leased_until = ${new Date(due.now.getTime() + due.leaseMs)} from due
    where n.merchant_id = due.merchant_id and n.payment_id = due.payment_id
    returning n.merchant_id, n.payment_id`
}

export async function deleteSentNotices(sql: Executor, merchantId: number, paymentId: string): Promise<void> {
  await sql`delete from sandbox_notices where merchant_id = ${merchantId} and payment_id = ${paymentId}`
}

/** When something of the merchant's is due next, not after `until`; undefined when nothing is. */
export async function findNextDue(sql: Executor, merchantId: number, until: Date): Promise<Date | undefined> {
  const [row] = await sql<{ at: Date | null }[]>`
    select min(at) as at from (
      (select expires_at as at from checkout_sessions where merchant_id = ${merchantId} and status in ('ATTEMPT', 'ACTIVE')
        and deleted_at is null order by expires_at limit 1)
      union all
      (select expires_at from payment_links where merchant_id = ${merchantId} and deleted_at is null
        and status in ('ATTEMPT', 'ACTIVE', 'PROCESSING_PAYMENT') order by expires_at limit 1)
      union all
      (select next_check_at from payments where merchant_id = ${merchantId} and next_check_at is not null
        order by next_check_at limit 1)
      union all
      (select next_at from notices where merchant_id = ${merchantId} and next_at is not null order by next_at limit 1)
      union all
      (select due_at from sandbox_notices where merchant_id = ${merchantId} order by due_at limit 1)
    ) as due where at <= ${until}`
  return row?.at ?? undefined
}
