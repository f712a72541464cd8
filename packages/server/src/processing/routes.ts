/** The endpoints that move payments: submit, cancel, delete, authorise, capture, receive, refund, resolve. */
import Type, { type TSchema } from 'typebox'
import type { ApiVersion } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import { type App, named, operation, sendText } from '../kit/operation.ts'
import { problem } from '../kit/problem.ts'
import { EmptyBody } from '../offers/schema.ts'
import { paymentExample } from '../payments/example.ts'
import type { Payment } from '../payments/payment.ts'
import { PaymentSchema, toWire } from '../payments/schema.ts'
import { keyed } from '../platform/idempotency-key.ts'
import { PaymentNodeInputSchema } from '../rails/node.ts'
import type { ProblemKey } from '../vocabulary/problems.ts'
import { cancelPayment } from './cancel-payment.ts'
import { deleteSession } from './delete-session.ts'
import { readRefunds, refundPayment } from './refunds/refund-payment.ts'
import {
  ReceivePayment,
  RefundCreated,
  RefundList,
  RefundPayment,
  ResolvePayment,
  SubmitPayment,
  toRefundCreated,
  toRefundList,
} from './schema.ts'
import { authorizePayment, capturePayment, receivePayment } from './settle/drive-payment.ts'
import { resolvePayment } from './settle/resolve-payment.ts'
import { submitPayment } from './submit/submit-payment.ts'

const PaymentId = Type.Object({ id: Type.String({ description: 'Id of the payment.' }) })
const SessionId = Type.Object({ checkout_session_id: Type.String({ description: 'Id of the session.' }) })
const posting: ProblemKey[] = [
  'notFound',
  'requestInProgress',
  'parsingResource',
  'payloadTooLarge',
  'unsupportedMediaType',
  'failedPrecondition',
  'idempotencyMismatch',
]

/** A step of one payment: no body, or a small one; answers the payment. */
const step = <B extends TSchema>(
  operationId: string,
  summary: string,
  description: string,
  body: B,
  request: unknown,
  status: string,
) =>
  operation({
    operationId,
    tag: 'Payments',
    summary,
    description,
    body,
    params: PaymentId,
    answers: { 200: named(PaymentSchema) },
    keyed: true,
    refusals: ['failedPrecondition'],
    example: { request, answer: { ...paymentExample, status } },
  })

const submit = operation({
  operationId: 'createCheckoutSessionPayment',
  tag: 'Checkout sessions',
  summary: 'Submit a payment to a session',
  description:
    'The same request again while its payment is open returns that payment; another one replaces it where its rail can cancel.',
  body: named(SubmitPayment),
  params: SessionId,
  answers: { 200: named(PaymentSchema) },
  keyed: true,
  refusals: ['failedPrecondition', 'quoteExpired'],
  example: {
    request: {
      origins: [
        {
          type: 'PIX',
          currency: 'BRL',
          pix: {
            customer: {
              firstName: 'Ana',
              lastName: 'Souza',
              email: 'ana@example.com',
              documentType: 'CPF',
              documentNumber: '52998224725',
            },
          },
        },
      ],
    },
    answer: paymentExample,
  },
})
const cancel = operation({
  operationId: 'cancelCheckoutSessionPayment',
  tag: 'Checkout sessions',
  summary: "Cancel a session's open payment",
  body: named(EmptyBody),
  params: Type.Object({
    checkout_session_id: Type.String({ description: 'Id of the session.' }),
    payment_id: Type.String({ description: 'Id of the payment.' }),
  }),
  answers: { 200: named(PaymentSchema) },
  refusals: posting,
  example: { request: {}, answer: { ...paymentExample, status: 'EXPIRED', expiredAt: '2026-01-31T19:41:00.000Z' } },
})
const remove = operation({
  operationId: 'deleteCheckoutSession',
  tag: 'Checkout sessions',
  summary: 'Delete a session',
  description: 'An open payment is cancelled first where its rail can. Paid sessions cannot be deleted.',
  params: SessionId,
  answers: { 200: Type.Object({}, { additionalProperties: false }) },
  refusals: ['failedPrecondition'],
  example: { answer: {} },
})
const authorize = step(
  'authorizePayment',
  'Reserve the money',
  'Live: only on rails that do not capture by themselves.',
  named(EmptyBody),
  {},
  'AUTHORIZED',
)
const capture = step(
  'capturePayment',
  'Capture the money',
  'Wholly: there is no partial capture. Live: only on rails that do not capture by themselves.',
  named(EmptyBody),
  {},
  'CAPTURED',
)
const resolve = step(
  'resolvePayment',
  'Decide what nobody else can',
  'Ends a hold, or a payment whose provider stayed silent.',
  named(ResolvePayment),
  { decision: 'accept', reason: 'The bank confirmed it by phone.' },
  'RECEIVED',
)
const receive = operation({
  operationId: 'receivePayment',
  tag: 'Payments',
  summary: "Sandbox: play the provider's notice of receipt",
  body: named(ReceivePayment),
  answers: { 200: named(PaymentSchema) },
  keyed: true,
  refusals: ['notFound', 'failedPrecondition'],
  example: {
    request: { transactionId: paymentExample.id, signature: 'any' },
    answer: { ...paymentExample, status: 'RECEIVED' },
  },
})
const refund = operation({
  operationId: 'refundPayment',
  tag: 'Refunds',
  summary: 'Refund a settled payment, wholly or in part',
  description:
    "In the payer's currency at the original rate, taken from the destinations pro rata; fees are not given back.",
  body: Type.Union([named(RefundPayment), Type.Null()]),
  params: PaymentId,
  answers: { 201: named(RefundCreated) },
  keyed: true,
  refusals: ['failedPrecondition', 'insufficientFunds'],
  example: {
    request: { amount: '5.00', reason: 'One item was out of stock.' },
    answer: {
      refundId: 'pay_01k9v3q7zde8x9tq3p5s2w4r6c',
      parentPaymentId: paymentExample.id,
      status: 'RECEIVED',
      totalAmount: '5.00',
      currency: 'BRL',
      createdAt: '2026-02-01T09:00:00.000Z',
    },
  },
})
const refunds = operation({
  operationId: 'listPaymentRefunds',
  tag: 'Refunds',
  summary: "A payment's refunds and what may still be refunded",
  params: PaymentId,
  answers: { 200: named(RefundList) },
  example: {
    answer: {
      parentId: paymentExample.id,
      refunds: [],
      summary: {
        parentPaymentId: paymentExample.id,
        parentAmount: '11.90',
        currency: 'BRL',
        totalRefunded: '0.00',
        totalInProgress: '0.00',
        totalFailed: '0.00',
        maxRefundable: '11.90',
        completedCount: 0,
        inProgressCount: 0,
        failedCount: 0,
      },
    },
  },
})

export function processingRoutes(app: App, ctx: Context): void {
  const schemas = [
    PaymentNodeInputSchema,
    SubmitPayment,
    ReceivePayment,
    RefundPayment,
    ResolvePayment,
    RefundCreated,
    RefundList,
  ]
  for (const schema of schemas) app.addSchema(schema)
  sessionPaymentRoutes(app, ctx)
  stepRoutes(app, ctx)
  refundRoutes(app, ctx)
}

/** The answer with a payment as text, as the caller's API version has it. */
const answerIn = (version: ApiVersion) => (payment: Payment) => ({
  status: 200,
  body: JSON.stringify(toWire(payment, version)),
})

function sessionPaymentRoutes(app: App, ctx: Context): void {
  app.post(
    '/checkout-sessions/:checkout_session_id/payments',
    { schema: submit, config: { writesKey: true } },
    async ({ caller, params, body }, reply) => {
      const answer = answerIn(caller.version)
      const submitter = { merchant: caller.merchant, keyed: keyed(caller.key, answer) }
      return sendText(reply, answer(await submitPayment(ctx, submitter, params.checkout_session_id, body)))
    },
  )
  app.post(
    '/checkout-sessions/:checkout_session_id/payments/:payment_id/cancel',
    { schema: cancel },
    async ({ caller, params }) =>
      toWire(await cancelPayment(ctx, caller.merchant, params.checkout_session_id, params.payment_id), caller.version),
  )
  app.delete('/checkout-sessions/:checkout_session_id', { schema: remove }, async ({ caller, params }) => {
    await deleteSession(ctx, caller.merchant, params.checkout_session_id)
    return {}
  })
}

function stepRoutes(app: App, ctx: Context): void {
  app.post('/payments/:id/authorized', { schema: authorize }, async ({ caller, params }) =>
    toWire(await authorizePayment(ctx, caller, params.id), caller.version),
  )
  app.post('/payments/:id/captured', { schema: capture }, async ({ caller, params }) =>
    toWire(await capturePayment(ctx, caller, params.id), caller.version),
  )
  app.post(
    '/payments/:id/resolve',
    { schema: resolve, config: { writesKey: true } },
    async ({ caller, params, body }, reply) => {
      const answer = answerIn(caller.version)
      return sendText(reply, answer(await resolvePayment(ctx, caller, params.id, body, keyed(caller.key, answer))))
    },
  )
  app.post(
    '/payments/received',
    { schema: receive, config: { sandboxOnly: true, writesKey: true } },
    async ({ caller, body }, reply) => {
      const answer = answerIn(caller.version)
      return sendText(reply, answer(await receivePayment(ctx, caller, receivedId(body), keyed(caller.key, answer))))
    },
  )
}

function refundRoutes(app: App, ctx: Context): void {
  app.post('/payments/:id/refund', { schema: refund }, async ({ caller, params, body }, reply) => {
    const started = await refundPayment(ctx, caller, params.id, body ?? {})
    return reply.code(201).send(toRefundCreated(started))
  })
  app.get('/payments/:id/refund', { schema: refunds }, async ({ caller, params }) => {
    const { parent, refunds: list } = await readRefunds(ctx, caller, params.id)
    return toRefundList(parent, list)
  })
}

/** The spec names it `transactionId`, the guides `id`. */
function receivedId(body: Type.Static<typeof ReceivePayment>): string {
  const id = body.transactionId ?? body.id
  if (id !== undefined) return id
  throw problem('missingParam', '/transactionId is required.', {
    errors: [{ pointer: '/transactionId', detail: 'is required' }],
  })
}
