/** Steps that a merchant's backend may drive: authorise, capture, and in the sandbox the provider's receipt (contract section 4.5). */

import type { Outcome } from '@pasarela/connector-kit'
import type { Caller } from '../../access/caller.ts'
import type { Context } from '../../kit/context.ts'
import { edge } from '../../kit/machine.ts'
import { problem } from '../../kit/problem.ts'
import { type Payment, paymentMachine, statusTimes } from '../../payments/payment.ts'
import type { Keyed } from '../../platform/idempotency-key.ts'
import { ask, orderOf, railOfPayment } from '../asking/order.ts'
import { type Read, readPaymentWithSession } from '../writing/read-payment.ts'
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
  const read = await readPurchase(ctx, caller, paymentId)
  const { payment, session } = read
  // The first run of the same Idempotency-Key did it and broke off before its answer.
  if (caller.resumed && payment[statusTimes[event]] !== null) return payment
  const rail = railOfPayment(payment)
  if (merchant.mode === 'live' && rail.capture === 'automatic') {
    throw problem('failedPrecondition', `${rail.name} authorises and captures by itself.`)
  }
  if (!edge(paymentMachine, payment.status, event)) {
    throw problem('failedPrecondition', `The payment is ${payment.status}; it cannot be ${is}.`)
  }
  const outcome = await ask(ctx, payment, question, orderOf(ctx, merchant, payment, session))
  const settled = await settle(ctx, merchant, payment.id, outcome, { read })
  if (outcome.is !== is)
    throw problem('failedPrecondition', `The provider did not say that it is ${is}; the payment is ${settled.status}.`)
  return settled
}

/** Sandbox only: plays the provider's notice that the money has arrived. What is over already stays as it is (422). */
export async function receivePayment(
  ctx: Context,
  caller: Caller,
  paymentId: string,
  keyed?: Keyed<Payment>,
): Promise<Payment> {
  const read = await readPurchase(ctx, caller, paymentId)
  const { payment } = read
  if (payment.status === 'RECEIVED') return payment
  if (!edge(paymentMachine, payment.status, 'receive')) {
    throw problem('failedPrecondition', `The payment is ${payment.status}; it cannot be received.`)
  }
  const amount = { minor: payment.purchaseMinor, currency: payment.purchaseCurrency }
  const outcome: Outcome = { is: 'received', ref: payment.connectorRef ?? payment.id, amount }
  return settle(ctx, caller.merchant, payment.id, outcome, { read, keyed })
}

async function readPurchase(ctx: Context, caller: Caller, paymentId: string): Promise<Read> {
  const read = await readPaymentWithSession(ctx.sql, caller.merchant.id, paymentId)
  if (!read) throw problem('notFound', 'There is no such payment.')
  if (read.payment.type === 'REFUND') throw problem('failedPrecondition', 'A refund is driven by its provider.')
  return read
}
