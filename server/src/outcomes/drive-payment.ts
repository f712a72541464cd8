/** Steps that a merchant's backend may drive: authorise, capture, and in the sandbox the provider's receipt (contract section 4.5). */
import type { Caller } from '../access/caller.ts'
import { findSessionEvenDeleted } from '../checkout-sessions/find.ts'
import type { Outcome } from '../connectors/connector.ts'
import type { Context } from '../kit/context.ts'
import { edge } from '../kit/machine.ts'
import { problem } from '../kit/problem.ts'
import { findPaymentById } from '../payments/find.ts'
import { type Payment, paymentMachine } from '../payments/payment.ts'
import { ask, orderOf, railOfPayment } from './order.ts'
import { settle } from './settle.ts'

/** Reserves the money. Throws `notFound`; `failedPrecondition` where the rail or the status forbids it, or the provider refuses. */
export function authorizePayment(ctx: Context, caller: Caller, paymentId: string): Promise<Payment> {
  return drive(ctx, caller, paymentId, { question: 'authorize', event: 'authorize', is: 'authorized' })
}

/** Takes the money, wholly: there is no partial capture. Throws as `authorizePayment`. */
export function capturePayment(ctx: Context, caller: Caller, paymentId: string): Promise<Payment> {
  return drive(ctx, caller, paymentId, { question: 'capture', event: 'capture', is: 'captured' })
}

type Drive = { question: 'authorize' | 'capture'; event: 'authorize' | 'capture'; is: 'authorized' | 'captured' }

async function drive(
  ctx: Context,
  caller: Caller,
  paymentId: string,
  { question, event, is }: Drive,
): Promise<Payment> {
  const { merchant } = caller
  const payment = await purchaseOf(ctx, caller, paymentId)
  const rail = railOfPayment(payment)
  if (merchant.mode === 'live' && rail.capture === 'automatic') {
    throw problem('failedPrecondition', `${rail.name} authorises and captures by itself.`)
  }
  if (!edge(paymentMachine, payment.status, event)) {
    throw problem('failedPrecondition', `The payment is ${payment.status}; it cannot be ${is}.`)
  }
  const session = await findSessionEvenDeleted(ctx.sql, merchant.id, payment.sessionId)
  if (!session) throw problem('failedPrecondition', 'The session of this payment was deleted.')
  const outcome = await ask(ctx, payment, question, orderOf(ctx, merchant, payment, session))
  const settled = await settle(ctx, merchant, payment.id, outcome)
  if (outcome.is !== is)
    throw problem('failedPrecondition', `The provider did not say that it is ${is}; the payment is ${settled.status}.`)
  return settled
}

/** Sandbox only: plays the provider's notice that the money has arrived. What is over already stays as it is (422). */
export async function receivePayment(ctx: Context, caller: Caller, paymentId: string): Promise<Payment> {
  const payment = await purchaseOf(ctx, caller, paymentId)
  if (payment.status === 'RECEIVED') return payment
  if (!edge(paymentMachine, payment.status, 'receive')) {
    throw problem('failedPrecondition', `The payment is ${payment.status}; it cannot be received.`)
  }
  const amount = { minor: payment.purchaseMinor, currency: payment.purchaseCurrency }
  const outcome: Outcome = { is: 'received', ref: payment.connectorRef ?? payment.id, amount }
  return settle(ctx, caller.merchant, payment.id, outcome)
}

async function purchaseOf(ctx: Context, caller: Caller, paymentId: string): Promise<Payment> {
  const payment = await findPaymentById(ctx.sql, caller.merchant.id, paymentId)
  if (!payment) throw problem('notFound', 'There is no such payment.')
  if (payment.type === 'REFUND') throw problem('failedPrecondition', 'A refund is driven by its provider.')
  return payment
}
