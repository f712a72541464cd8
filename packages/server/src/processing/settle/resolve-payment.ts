/** An operator decides what nobody else can: what becomes of held money, and of a payment whose provider stayed silent. */
import type { Caller } from '../../access/caller.ts'
import type { Context } from '../../kit/context.ts'
import { problem } from '../../kit/problem.ts'
import { findResolution, insertResolution, listRefunds, readOrder } from '../../payments/find.ts'
import { isOpen, type Payment } from '../../payments/payment.ts'
import type { Keyed } from '../../platform/idempotency-key.ts'
import { answerWith } from '../../platform/idempotency-part.ts'
import { startReturn } from '../refunds/return-money.ts'
import { record, type Work, workerFor, workLocked } from '../writing/work.ts'
import { postHoldAccepted } from './entries.ts'
import { acceptMoney, shrinkTo } from './money.ts'
import { settleWork } from './settle.ts'

export type Decision = { decision: 'accept' | 'refund' | 'failed'; reason: string }

/**
 * Ends a hold or an unanswered payment, and keeps who decided what and why. Held: `accept` makes it pay its order (not
 * when another payment did), `refund` sends it back. Unanswered: `accept` says that the money came, `failed` that it did not.
 */
export async function resolvePayment(
  ctx: Context,
  caller: Caller,
  paymentId: string,
  { decision, reason }: Decision,
  keyed?: Keyed<Payment>,
): Promise<Payment> {
  const { merchant, clientId } = caller
  const at = new Date(ctx.clock.nowMs())
  const keysOf = (resolved: Payment) => answerWith(keyed, resolved, { writtenId: resolved.sessionId, at })
  const step = async (work: Work) => {
    const { payment, sql } = work
    const kept = { merchantId: merchant.id, paymentId, clientId, decision, reason }
    // The first run of the same Idempotency-Key decided and broke off before its answer.
    if (caller.resumed && (await findResolution(sql, kept))) return payment
    if (payment.attention === null && payment.hold === null) {
      throw problem('failedPrecondition', 'There is nothing to decide about this payment.')
    }
    await insertResolution(sql, { ...kept, at: work.now })
    if (payment.hold !== null) await resolveHold(work, decision)
    else if (isOpen(payment)) await resolveSilence(work, decision)
    else acknowledge(work)
    record(work, 'payment.resolved')
    work.changes.updatePayment(payment)
    return payment
  }
  return workLocked(workerFor(ctx, merchant), paymentId, step, keysOf)
}

async function resolveHold(work: Work, decision: Decision['decision']): Promise<void> {
  const { payment, sql, merchant } = work
  if (decision === 'failed') throw problem('failedPrecondition', 'The money is here: accept it or refund it.')
  const returns = await listRefunds(sql, merchant.id, payment.id)
  if (returns.some((refund) => refund.status === 'RECEIVED'))
    throw problem('failedPrecondition', 'The money is on its way back to the payer already; wait for its outcome.')
  if (decision === 'refund') {
    payment.attention = null
    return startReturn(work, payment, 'An operator decided to send the held money back.')
  }
  if (payment.hold === 'wrong_currency')
    throw problem('failedPrecondition', 'Money in another currency can only be refunded.')
  const order = await readOrder(sql, {
    merchantId: merchant.id,
    orderKey: payment.orderKey ?? payment.id,
    besides: payment.id,
  })
  if (order.paid && payment.hold !== 'surplus')
    throw problem('failedPrecondition', 'The order is paid by another payment; refund this one.')
  if (order.open)
    throw problem('failedPrecondition', 'Another payment of this order is open; cancel it or wait for its outcome.')
  const came = payment.receivedMinor ?? payment.purchaseMinor
  if (came !== payment.purchaseMinor) shrinkTo(payment, came)
  postHoldAccepted(work, payment)
  const surplus = payment.hold === 'surplus'
  payment.hold = null
  payment.attention = null
  if (!surplus) await acceptMoney(work, payment.relatedPaymentId !== null)
  payment.nextCheckAt = work.now
}

/** The same road as the provider's own word. */
async function resolveSilence(work: Work, decision: Decision['decision']): Promise<void> {
  const { payment } = work
  if (decision === 'refund') throw problem('failedPrecondition', 'Nothing is known to have come; accept or fail it.')
  const ref = payment.connectorRef ?? payment.id
  const amount = { minor: payment.purchaseMinor, currency: payment.purchaseCurrency }
  await settleWork(
    work,
    decision === 'accept'
      ? { is: 'received', ref, amount }
      : { is: 'declined', ref, reason: 'An operator decided that it was not paid.' },
  )
  payment.attention = null
}

/** A mark that only tells (a reversal, a contradiction) is taken off. */
function acknowledge(work: Work): void {
  work.payment.attention = null
}
