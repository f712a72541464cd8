/** The payer's decision at the sandbox's bank, applied at once through the one throat. */
import type { Merchant } from '../../access/caller.ts'
import { findMerchant, readMerchantNumber } from '../../access/find.ts'
import { findSessionEvenDeleted } from '../../checkout-sessions/find.ts'
import { pageUrl } from '../../checkout-sessions/session.ts'
import type { Context } from '../../kit/context.ts'
import { problem } from '../../kit/problem.ts'
import { findPaymentByRef } from '../../payments/find.ts'
import { isOpen, type Payment } from '../../payments/payment.ts'
import { settle } from '../../processing/settle/settle.ts'

const connector = 'sandbox'

export type AtBank = { merchant: Merchant; payment: Payment; returnUrl: string }

/** The payment that a bank's address names: `<merchant in base 36>-<reference>`. Throws `notFound`, for live merchants too. */
export async function findAtBank(ctx: Context, name: string): Promise<AtBank> {
  const match = /^([0-9a-z]{1,6})-([0-9a-z]{10,60})$/.exec(name)
  const merchantId = readMerchantNumber(match?.[1] ?? '')
  const merchant = merchantId === undefined ? undefined : await findMerchant(ctx.sql, merchantId)
  const payment =
    merchant?.mode === 'sandbox' ? await findPaymentByRef(ctx.sql, merchant.id, connector, match?.[2] ?? '') : undefined
  const session = payment && merchant && (await findSessionEvenDeleted(ctx.sql, merchant.id, payment.sessionId))
  if (!merchant || !payment || !session) throw problem('notFound', 'There is no such payment at the sandbox’s bank.')
  return { merchant, payment, returnUrl: `${pageUrl(ctx.publicUrl, merchant.id, session.pageToken)}/return` }
}

export type Decision = 'approve' | 'decline'

/** Applies the decision; one that comes twice, or too late, changes nothing. */
export async function decide(ctx: Context, name: string, decision: Decision): Promise<AtBank> {
  const found = await findAtBank(ctx, name)
  const { merchant, payment } = found
  if (!isOpen(payment)) return found
  const ref = payment.connectorRef ?? payment.id
  const amount = { minor: payment.purchaseMinor, currency: payment.purchaseCurrency }
  const outcome =
    decision === 'approve'
      ? ({ is: 'received', ref, amount } as const)
      : ({ is: 'declined', ref, reason: "The payer's bank refused the payment (sandbox)." } as const)
  await settle(ctx, merchant, payment.id, outcome)
  return found
}
