/** Asks providers about payments whose time to be asked about has come: quiet ones, watched ones, refunds under way. */
import type { Merchant } from '../../access/caller.ts'
import { findMerchant } from '../../access/find.ts'
import { onEveryClock } from '../../access/moved-clocks.ts'
import type { Context } from '../../kit/context.ts'
import { claimPaymentsDue } from '../../payments/find.ts'
import { carryOut } from '../refunds/refund-payment.ts'
import { settle } from '../settle/settle.ts'
import { readPaymentWithSession } from '../writing/read-payment.ts'
import { ask, orderOf } from './order.ts'

const slice = 200
/** Longer than a provider may take, so that no second process asks meanwhile. */
const leaseMs = 30_000

/** One round: a slice of all merchants' due payments, and of each test clock's. True when more may be due. */
export function pollPayments(ctx: Context): Promise<boolean> {
  return onEveryClock(ctx, slice, (now, merchantId) => pollDue(ctx, now, merchantId))
}

/** A slice of what is due at `now`, of one merchant or of all; returns how many. */
export async function pollDue(ctx: Context, now: Date, merchantId: number | null): Promise<number> {
  const claimed = await claimPaymentsDue(ctx.sql, { now, leaseMs, merchantId, most: slice })
  const merchants = new Map<number, ReturnType<typeof findMerchant>>()
  for (const id of new Set(claimed.map((claim) => claim.merchantId))) merchants.set(id, findMerchant(ctx.sql, id))
  const done = await Promise.allSettled(
    claimed.map(async (claim) => {
      const merchant = await merchants.get(claim.merchantId)
      if (merchant) await pollPayment(ctx, merchant, claim.id)
    }),
  )
  for (const result of done)
    if (result.status === 'rejected') ctx.log.error({ err: result.reason }, 'a payment could not be polled')
  return claimed.length
}

/** Asks about one payment and applies what is said. */
export async function pollPayment(ctx: Context, merchant: Merchant, paymentId: string): Promise<void> {
  const read = await readPaymentWithSession(ctx.sql, merchant.id, paymentId)
  if (!read) return
  const { payment, session } = read
  if (payment.type === 'REFUND') {
    await carryOut(ctx, merchant, payment)
    return
  }
  const outcome = await ask(ctx, payment, 'lookup', orderOf(ctx, merchant, payment, session))
  await settle(ctx, merchant, paymentId, outcome, { read })
}
