/** The door for providers' notices, and the list of what came (ours). */
import Type from 'typebox'
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { listPage, pageOf, readPage } from '../kit/page.ts'
import { limits } from '../vocabulary/limits.ts'
import { dismissNotice } from './dismiss.ts'
import { listNotices, NoticeQuery } from './list-query.ts'
import { receiveNotice } from './receive.ts'
import { DismissNotice, NoticeSchema, noticeExample, toWire } from './schema.ts'

const tag = 'Notifications'
const NoticePage = pageOf('NoticePage', NoticeSchema)

const receive = operation({
  operationId: 'receiveNotification',
  tag,
  summary: "A provider's notice",
  description:
    'For providers, who sign it by the secret of the connection; the body is theirs. 200 says that it is stored, and a job applies it. It may come again and out of order.',
  params: Type.Object({
    connector: Type.String({ description: 'The connector, for example `sandbox`.' }),
    connectionId: Type.String({
      description: "The merchant's connection: it names the merchant and holds the secret.",
    }),
  }),
  answers: { 200: Type.Object({}, { additionalProperties: false }) },
  refusals: ['notFound', 'payloadTooLarge'],
  example: { answer: {} },
  open: true,
})
const list = operation({
  operationId: 'listNotices',
  tag,
  summary: "List providers' notices",
  description: '`attention=true`: those that found no payment for a day, cannot be read or contradict another.',
  querystring: NoticeQuery,
  answers: { 200: named(NoticePage) },
  example: { answer: { pagination: { count: 1, next: 1, previous: 0, total: 1 }, results: [noticeExample] } },
})
const dismiss = operation({
  operationId: 'dismissNotice',
  tag,
  summary: 'Take a notice off the list',
  body: named(DismissNotice),
  params: Type.Object({ id: Type.String({ description: 'The notice.' }) }),
  answers: { 200: named(NoticeSchema) },
  keyed: true,
  refusals: ['failedPrecondition'],
  example: {
    request: { reason: 'A test payment of the bank.' },
    answer: { ...noticeExample, attention: undefined, dismissedWhy: 'A test payment of the bank.' },
  },
})

export function noticeRoutes(app: App, ctx: Context): void {
  for (const schema of [NoticeSchema, NoticePage, DismissNotice]) app.addSchema(schema)

  app.get('/notices', { schema: list }, async ({ caller, query }) => {
    const page = readPage(query, 'notice', caller.merchant.timeZone)
    const { notices, total } = await listNotices(ctx.sql, caller.merchant.id, query, page)
    return listPage(page, { rows: notices, total }, toWire)
  })
  app.post('/notices/:id/dismiss', { schema: dismiss }, async ({ caller, params, body }) =>
    toWire(await dismissNotice(ctx, caller, params.id, body.reason)),
  )
  // A context of its own: here bodies are bytes, of whatever kind a provider says they are.
  app.register(async (raw) => {
    raw.removeAllContentTypeParsers()
    raw.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    const door = { schema: receive, config: { access: 'open' as const }, bodyLimit: limits.noticeBytes }
    ;(raw as unknown as App).post(
      '/notifications/:connector/:connectionId',
      door,
      async ({ params, body, headers }) => {
        const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0)
        await receiveNotice(ctx, { ...params, body: bytes, headers })
        return {}
      },
    )
  })
}
