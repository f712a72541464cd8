/** What a connector is told of a payment, and how it is asked: outside of any transaction, with a time limit. */

import type { Connector, Outcome, PaymentOrder, Rail, RefundOrder, RefundOutcome } from '@pasarela/connector-kit'
import type { Merchant } from '../../access/caller.ts'
import { pageUrl, type Session } from '../../checkout-sessions/session.ts'
import { connectorFor } from '../../connections/registry.ts'
import { type Context, nowFor } from '../../kit/context.ts'
import { type Payment, statusTimes } from '../../payments/payment.ts'
import { railOf } from '../../rails/index.ts'

/** The rail of a stored payment; the registry never loses one. */
export function railOfPayment(payment: Pick<Payment, 'rail'>): Rail {
  const rail = railOf(payment.rail)
  if (!rail) throw new Error(`the rail ${payment.rail} is gone from the registry`)
  return rail
}

export function connectorOfPayment(payment: Pick<Payment, 'connector'>): Connector {
  const connector = connectorFor(payment.connector)
  if (!connector) throw new Error(`the connector ${payment.connector} is gone from the registry`)
  return connector
}

/** Everything a connector may know. Late money is asked about under the payment it came for. */
export function orderOf(
  ctx: Context,
  merchant: Merchant,
  payment: Payment,
  session: Pick<Session, 'merchantId' | 'pageToken'>,
): PaymentOrder {
  const rail = railOfPayment(payment)
  const since = Math.max(
    ...Object.values(statusTimes).map((name) => payment[name]?.getTime() ?? 0),
    payment.createdAt.getTime(),
  )
  return {
    paymentId: payment.relatedPaymentId ?? payment.id,
    ref: payment.connectorRef ?? undefined,
    rail: payment.rail,
    amount: { minor: payment.purchaseMinor, currency: payment.purchaseCurrency },
    fields: (payment.origin?.[rail.key] ?? {}) as Record<string, unknown>,
    description: payment.description ?? '',
    metadata: payment.metadata,
    createdAt: payment.createdAt,
    expiresAt: payment.expiresAt ?? payment.createdAt,
    status: payment.status,
    statusSince: new Date(since),
    returnUrl: `${pageUrl(ctx.publicUrl, session.merchantId, session.pageToken)}/return`,
    publicUrl: ctx.publicUrl,
    now: nowFor(ctx, merchant),
  }
}

type Question = 'start' | 'lookup' | 'authorize' | 'capture' | 'cancel'

/** Asks a connector. No answer in 10 s, or an error, is no news: only an explicit answer is final. */
export async function ask(ctx: Context, payment: Payment, question: Question, order: PaymentOrder): Promise<Outcome> {
  const connector = connectorOfPayment(payment)
  return withTimeout(ctx, { is: 'pending' }, async (signal) => {
    switch (question) {
      case 'start':
        return connector.start(order, signal)
      case 'lookup':
        return connector.lookup(order, signal)
      default:
        return connector[question]?.(order, signal) ?? { is: 'pending' }
    }
  })
}

/** Asks a connector to send money back, or what became of that. */
export function askRefund(ctx: Context, refund: Payment, order: RefundOrder): Promise<RefundOutcome> {
  return withTimeout(ctx, { is: 'pending' }, (signal) => connectorOfPayment(refund).refund(order, signal))
}

async function withTimeout<T>(ctx: Context, noNews: T, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  // Not AbortSignal.timeout: its timer was seen to be collected together with the signal, and then nothing ends the wait.
  const stopping = new AbortController()
  const tooLate = Promise.withResolvers<T>()
  const timer = setTimeout(() => {
    stopping.abort()
    tooLate.resolve(noNews)
  }, ctx.providerTimeoutMs)
  try {
    // A connector may not listen to the signal: the race is what keeps the promise.
    return await Promise.race([call(stopping.signal), tooLate.promise])
  } catch (error) {
    ctx.log.warn({ err: error }, 'a connector failed; its answer counts as no news')
    return noNews
  } finally {
    clearTimeout(timer)
  }
}
