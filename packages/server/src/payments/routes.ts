/** Reading payments (contract section 4.5). What changes them stands with the outcomes. */
import Type from 'typebox'
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { listPage, pageOf, readPage } from '../kit/page.ts'
import { problem } from '../kit/problem.ts'
import { PaymentNodeSchema } from '../rails/node.ts'
import { paymentExample } from './example.ts'
import { findPaymentById } from './find.ts'
import { listPayments, PaymentQuery, paymentSorts } from './list-query.ts'
import { FeeSchema, PaymentSchema, toWire } from './schema.ts'

const tag = 'Payments'
const PaymentPage = pageOf('PaymentPage', PaymentSchema)

const list = operation({
  operationId: 'listPayments',
  tag,
  summary: 'List payments and refunds',
  querystring: PaymentQuery,
  answers: { 200: named(PaymentPage) },
  example: { answer: { pagination: { count: 1, next: 1, previous: 0, total: 1 }, results: [paymentExample] } },
})
const read = operation({
  operationId: 'getPayment',
  tag,
  summary: 'Read a payment',
  params: Type.Object({ id: Type.String({ description: 'Id of the payment.' }) }),
  answers: { 200: named(PaymentSchema) },
  example: { answer: paymentExample },
})

export function paymentRoutes(app: App, ctx: Context): void {
  for (const schema of [PaymentNodeSchema, FeeSchema, PaymentSchema, PaymentPage]) app.addSchema(schema)

  app.get('/payments', { schema: list }, async ({ caller, query }) => {
    const page = readPage(query, 'payment', caller.merchant.timeZone, paymentSorts)
    const { payments, total } = await listPayments(ctx.sql, caller.merchant.id, caller.version, query, page)
    return listPage(page, { rows: payments, total }, (p) => toWire(p, caller.version))
  })
  app.get('/payments/:id', { schema: read }, async ({ caller, params }) => {
    const payment = await findPaymentById(ctx.sql, caller.merchant.id, params.id)
    if (!payment) throw problem('notFound', 'There is no such payment.')
    return toWire(payment, caller.version)
  })
}
