/** The session endpoints that need no provider (contract section 2). Submit, cancel and delete stand with the outcomes. */
import Type from 'typebox'
import type { Context } from '../kit/context.ts'
import { type App, jsonType, named, operation, sendText } from '../kit/operation.ts'
import { listPage, pageOf, readPage } from '../kit/page.ts'
import { problem } from '../kit/problem.ts'
import { EmptyBody, offerExample } from '../offers/schema.ts'
import { keyed } from '../platform/idempotency-key.ts'
import { answerSession } from './answer.ts'
import { createFromLink, createSession } from './create.ts'
import { sessionExample } from './example.ts'
import { listSessions, SessionQuery, sessionSorts } from './list-query.ts'
import { refreshByToken } from './refresh.ts'
import { CheckoutSession, CreateSession, PaymentConfig, toWire } from './schema.ts'
import type { Session } from './session.ts'

const tag = 'Checkout sessions'
const CheckoutSessionPage = pageOf('CheckoutSessionPage', CheckoutSession)
const SessionId = Type.Object({ checkout_session_id: Type.String({ description: 'Id of the session.' }) })
const CheckoutToken = Type.Object({ checkout_token: Type.String({ description: "The session's `checkoutToken`." }) })

const list = operation({
  operationId: 'listCheckoutSessions',
  tag,
  summary: 'List checkout sessions',
  querystring: SessionQuery,
  answers: { 200: named(CheckoutSessionPage) },
  example: { answer: { pagination: { count: 1, next: 1, previous: 0, total: 1 }, results: [sessionExample] } },
})
const read = operation({
  operationId: 'getCheckoutSession',
  tag,
  summary: 'Read a checkout session',
  params: SessionId,
  answers: { 200: named(CheckoutSession) },
  example: { answer: sessionExample },
})
const create = operation({
  operationId: 'createCheckoutSession',
  tag,
  summary: 'Create a checkout session',
  description: 'Either from a whole offer, or for one payer from the `checkoutToken` of an ACTIVE payment link.',
  body: named(CreateSession),
  answers: { 201: named(CheckoutSession) },
  keyed: true,
  refusals: ['alreadyExist', 'notFound', 'failedPrecondition'],
  example: { request: offerExample, answer: sessionExample },
})
const refresh = operation({
  operationId: 'refreshCheckoutSession',
  tag,
  summary: 'Give a session more time and a fresh quote',
  description:
    'ATTEMPT or ACTIVE: the same session. EXPIRED or FAILED: a successor with a new id, the same token and url.',
  body: named(EmptyBody),
  params: CheckoutToken,
  answers: { 201: named(CheckoutSession) },
  keyed: true,
  refusals: ['failedPrecondition'],
  example: { request: {}, answer: sessionExample },
})
const mint = operation({
  operationId: 'createCheckoutSessionFromLink',
  tag,
  summary: 'Mint a session from a payment link',
  body: named(EmptyBody),
  params: CheckoutToken,
  answers: { 201: named(CheckoutSession) },
  keyed: true,
  refusals: ['failedPrecondition'],
  example: { request: {}, answer: sessionExample },
})

export function sessionRoutes(app: App, ctx: Context): void {
  for (const schema of [PaymentConfig, CheckoutSession, CheckoutSessionPage, CreateSession]) app.addSchema(schema)

  app.get('/checkout-sessions', { schema: list }, async ({ caller, query }) => {
    const page = readPage(query, 'checkoutSession', caller.merchant.timeZone, sessionSorts)
    const { sessions, total } = await listSessions(ctx.sql, caller.merchant.id, query, page)
    return listPage(page, { rows: sessions, total }, (s) => toWire(s, ctx.publicUrl))
  })
  app.get('/checkout-sessions/:checkout_session_id', { schema: read }, async ({ caller, params }, reply) => {
    const text = await answerSession(ctx, caller.merchant.id, params.checkout_session_id)
    if (text === undefined) throw problem('notFound', 'There is no such checkout session.')
    return reply.type(jsonType).send(text as never)
  })
  const answer = (session: Session) => ({ status: 201, body: JSON.stringify(toWire(session, ctx.publicUrl)) })
  app.post('/checkout-sessions', { schema: create, config: { writesKey: true } }, async ({ caller, body }, reply) =>
    sendText(reply, answer(await createSession(ctx, caller, body, keyed(caller.key, answer)))),
  )
  app.post(
    '/checkout-sessions/token/:checkout_token/refresh',
    { schema: refresh },
    async ({ caller, params }, reply) => {
      const session = await refreshByToken(ctx, caller, params.checkout_token)
      return reply.code(201).send(toWire(session, ctx.publicUrl))
    },
  )
  app.post(
    '/payment-links/token/:checkout_token/checkout-sessions',
    { schema: mint, config: { writesKey: true } },
    async ({ caller, params }, reply) => {
      const input = { checkoutToken: params.checkout_token, customer: null }
      return sendText(reply, answer(await createFromLink(ctx, caller, input, keyed(caller.key, answer))))
    },
  )
}
