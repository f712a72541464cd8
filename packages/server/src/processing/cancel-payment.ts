/** Cancels an open payment (design section 5): by the provider's word, or at once while its reference stays watched. */
import type { Merchant } from '../access/caller.ts'
import { findSession } from '../checkout-sessions/find.ts'
import type { Context } from '../kit/context.ts'
import { problem } from '../kit/problem.ts'
import { findPaymentById } from '../payments/find.ts'
import { isOpen, type Payment } from '../payments/payment.ts'
import { ask, connectorOfPayment, orderOf, railOfPayment } from './asking/order.ts'
import { settle, settleWork } from './settle/settle.ts'
import { workerFor, workLocked } from './writing/work.ts'

/** Cancels the payment of a session. Throws `notFound`, or `failedPrecondition` when it is not open or its provider does not let go. */
export async function cancelPayment(
  ctx: Context,
  merchant: Merchant,
  sessionId: string,
  paymentId: string,
): Promise<Payment> {
  const payment = await findPaymentById(ctx.sql, merchant.id, paymentId)
  const session = await findSession(ctx.sql, merchant.id, sessionId)
  if (!session || !payment || payment.sessionId !== sessionId)
    throw problem('notFound', 'There is no such payment in this session.')
  if (payment.status === 'EXPIRED') return payment
  if (!isOpen(payment))
    throw problem('failedPrecondition', `The payment is ${payment.status}; only an open one can be cancelled.`)
  return cancelOpen(ctx, merchant, payment)
}

/** Cancels a payment that was open a moment ago; returns it when it has ended unpaid. Throws `failedPrecondition` otherwise. */
export async function cancelOpen(ctx: Context, merchant: Merchant, payment: Payment): Promise<Payment> {
  const ended = await endPayment(ctx, merchant, payment)
  if (ended.status === 'EXPIRED' || ended.status === 'FAILED') return ended
  const rail = railOfPayment(payment)
  throw problem(
    'failedPrecondition',
    `The open payment by ${rail.name} is ${ended.status} and cannot be cancelled now; wait for its outcome.`,
  )
}

async function endPayment(ctx: Context, merchant: Merchant, payment: Payment): Promise<Payment> {
  const byProvider = railOfPayment(payment).cancel === 'provider' || payment.status !== 'CREATED'
  if (!byProvider) return endLocally(ctx, merchant, payment.id)
  if (!connectorOfPayment(payment).cancel) {
    throw problem(
      'failedPrecondition',
      `The payment by ${railOfPayment(payment).name} cannot be cancelled; wait for its outcome.`,
    )
  }
  const session = await findSession(ctx.sql, merchant.id, payment.sessionId)
  if (!session) throw problem('notFound', 'There is no such checkout session.')
  const outcome = await ask(ctx, payment, 'cancel', orderOf(ctx, merchant, payment, session))
  return settle(ctx, merchant, payment.id, outcome)
}

/** Our own word, not the provider's: where its money was faster there is nothing to end, and nothing that contradicts. */
function endLocally(ctx: Context, merchant: Merchant, paymentId: string): Promise<Payment> {
  return workLocked(workerFor(ctx, merchant), paymentId, async (work) =>
    isOpen(work.payment) ? settleWork(work, { is: 'expired' }) : work.payment,
  )
}
