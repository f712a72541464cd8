/** The payment link endpoints (contract section 3, and our `deactivate`). Minting a session stands with the sessions. */
import Type from 'typebox'
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { listPage, pageOf, readPage } from '../kit/page.ts'
import { problem } from '../kit/problem.ts'
import { EmptyBody, offerExample, offerSchemas } from '../offers/schema.ts'
import { LinkQuery, listLinks } from './list-query.ts'
import { activateLink, createLink, deactivateLink, deleteLink } from './manage.ts'
import { CreateLink, PaymentLinkSchema, toWire } from './schema.ts'
import { findLinkById } from './store.ts'

const tag = 'Payment links'
const LinkId = Type.Object({ id: Type.String({ description: 'Id of the link.' }) })
const PaymentLinkPage = pageOf('PaymentLinkPage', PaymentLinkSchema)

const linkExample = {
  id: 'pl_01k9v3m5x8e2wvq0c7d4n6t1ab',
  checkoutToken: 'invoice-1001',
  status: 'ATTEMPT',
  items: offerExample.items,
  currency: 'BRL',
  preTaxAmount: '10.00',
  totalAmount: '11.90',
  url: 'http://127.0.0.1:8080/link/1-Vn9cQ2mJt3xZ0aB4kLr7Pw',
  paymentMethodsAllowed: ['PIX', 'CARD'],
  customer: null,
  createdAt: '2026-01-31T19:38:44.000Z',
  destinations: [
    {
      type: 'ACCOUNT',
      amount: '11.90',
      account: { type: 'CHECKING', currency: 'BRL', accountNumber: '100000000001', accountHolder: 'Tienda Demo' },
    },
  ],
  duration: 3600,
  owner: { identityId: 'idn_01k9v3m5x8e2wvq0c7d4n6t1ab', name: 'Tienda Demo', entityType: 'ORGANIZATION' },
  successUrl: 'https://shop.example/ok',
  failedUrl: 'https://shop.example/no',
  expiresAt: '2026-01-31T20:38:44.000Z',
  metadata: {},
}

const list = operation({
  operationId: 'listPaymentLinks',
  tag,
  summary: 'List payment links',
  querystring: LinkQuery,
  answers: { 200: named(PaymentLinkPage) },
  example: { answer: { pagination: { count: 1, next: 1, previous: 0, total: 1 }, results: [linkExample] } },
})
const read = operation({
  operationId: 'getPaymentLink',
  tag,
  summary: 'Read a payment link',
  params: LinkId,
  answers: { 200: named(PaymentLinkSchema) },
  example: { answer: linkExample },
})
const create = operation({
  operationId: 'createPaymentLink',
  tag,
  summary: 'Create a payment link',
  body: named(CreateLink),
  answers: { 201: named(PaymentLinkSchema) },
  keyed: true,
  refusals: ['failedPrecondition', 'alreadyExist'],
  example: { request: offerExample, answer: linkExample },
})
const change = (operationId: string, summary: string, answer: object) =>
  operation({
    operationId,
    tag,
    summary,
    body: named(EmptyBody),
    params: LinkId,
    answers: { 200: named(PaymentLinkSchema) },
    keyed: true,
    refusals: ['failedPrecondition'],
    example: { request: {}, answer },
  })
const remove = operation({
  operationId: 'deletePaymentLink',
  tag,
  summary: 'Delete a payment link',
  description: 'Only from ATTEMPT and EXPIRED.',
  params: LinkId,
  answers: { 204: Type.Null() },
  refusals: ['failedPrecondition'],
})

export function linkRoutes(app: App, ctx: Context): void {
  for (const schema of [...offerSchemas, PaymentLinkSchema, PaymentLinkPage, CreateLink]) app.addSchema(schema)

  app.get('/payment-links', { schema: list }, async ({ caller, query }) => {
    const page = { ...readPage(query, 'paymentLink', caller.merchant.timeZone), limit: query.limit ?? 50 }
    const { links, total } = await listLinks(ctx.sql, caller.merchant.id, query, page)
    return listPage(page, { rows: links, total }, (link) => toWire(link, ctx.publicUrl))
  })
  app.get('/payment-links/:id', { schema: read }, async ({ caller, params }) => {
    const link = await findLinkById(ctx.sql, caller.merchant.id, params.id)
    if (!link) throw problem('notFound', 'There is no such payment link.')
    return toWire(link, ctx.publicUrl)
  })
  app.post('/payment-links', { schema: create }, async ({ caller, body }, reply) => {
    return reply.code(201).send(toWire(await createLink(ctx, caller, body), ctx.publicUrl))
  })
  app.post(
    '/payment-links/:id/activate',
    { schema: change('activatePaymentLink', 'Accept new sessions', { ...linkExample, status: 'ACTIVE' }) },
    async ({ caller, params }) => toWire(await activateLink(ctx, caller, params.id), ctx.publicUrl),
  )
  app.post(
    '/payment-links/:id/deactivate',
    { schema: change('deactivatePaymentLink', 'Accept no new sessions', linkExample) },
    async ({ caller, params }) => toWire(await deactivateLink(ctx, caller, params.id), ctx.publicUrl),
  )
  app.delete('/payment-links/:id', { schema: remove }, async ({ caller, params }, reply) => {
    await deleteLink(ctx, caller, params.id)
    return reply.code(204).send(null)
  })
}
