/** Money that came once more for a payment, under a reference of its own: paid twice. On record, never called a success silently. */

import type { Outcome } from '@pasarela/connector-kit'
import type { Merchant } from '../../access/caller.ts'
import type { Context } from '../../kit/context.ts'
import type { Payment } from '../../payments/payment.ts'
import { workerFor, workLocked } from '../writing/work.ts'
import { bringsMoney, takeMoneyBeside } from './settle.ts'

/**
 * Records it beside the payment it came for, once per reference, and does with it what the policy says. Returns the payment
 * on record; undefined for news that brings no money. Throws `notFound`.
 */
export async function takeSecondMoney(
  ctx: Context,
  merchant: Merchant,
  paymentId: string,
  outcome: Outcome,
): Promise<Payment | undefined> {
  if (!bringsMoney(outcome)) return undefined
  return workLocked(workerFor(ctx, merchant), paymentId, (work) => takeMoneyBeside(work, outcome))
}
