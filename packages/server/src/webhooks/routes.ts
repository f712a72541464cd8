/** The webhook endpoints (ours): where to tell, what was told, and telling it again. */
import Type from 'typebox'
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { openOutbound } from '../kit/outbound.ts'
import { EmptyBody } from '../offers/schema.ts'
import { limits } from '../vocabulary/limits.ts'
import { changeEndpoint, deleteEndpoint, rotateSecret } from './change.ts'
import { createEndpoint } from './create.ts'
import { isDelivered } from './deliver.ts'
import * as example from './example.ts'
import { listDeliveries, listEndpoints, readEndpoint } from './read.ts'
import { replayDelivery, replayRange } from './replay.ts'
import * as schema from './schema.ts'
import { testEndpoint } from './test-endpoint.ts'

const tag = 'Webhooks'
const ById = Type.Object({ id: Type.String({ description: 'Id of the webhook endpoint.' }) })
const ByDelivery = Type.Object({
  id: Type.String({ description: 'Id of the webhook endpoint.' }),
  delivery_id: Type.String({ description: 'Id of the delivery.' }),
})

const create = operation({
  operationId: 'createWebhookEndpoint',
  tag,
  summary: 'Create a webhook endpoint',
  description:
    'Events are sent to it from now on, in the order of each stream, at least once: every message until it is answered 2xx within 10 seconds, for 3 days (published formats: 24 hours). The secret is in this answer alone.',
  body: named(schema.CreateEndpoint),
  answers: { 201: named(schema.EndpointWithSecret) },
  keyed: true,
  refusals: ['failedPrecondition'],
  example: { request: example.create, answer: { ...example.endpoint, secret: 'whsec_…' } },
})
const list = operation({
  operationId: 'listWebhookEndpoints',
  tag,
  summary: 'List webhook endpoints',
  querystring: schema.EndpointQuery,
  answers: { 200: named(schema.EndpointPage) },
  example: {
    answer: { pagination: { count: 1, next: 1, previous: 0, total: 1 }, results: [example.endpoint] },
  },
})
const read = operation({
  operationId: 'getWebhookEndpoint',
  tag,
  summary: 'Read a webhook endpoint',
  params: ById,
  answers: { 200: named(schema.EndpointSchema) },
  example: { answer: example.endpoint },
})
const change = operation({
  operationId: 'changeWebhookEndpoint',
  tag,
  summary: 'Change, pause or resume a webhook endpoint',
  description:
    'What is not named stays. While PAUSED nothing is sent and nothing is lost: with ACTIVE all that was missed follows, in order. What was queued under older `eventTypes` is still sent.',
  params: ById,
  body: named(schema.ChangeEndpoint),
  answers: { 200: named(schema.EndpointSchema) },
  example: { request: { eventTypes: ['payment.*'] }, answer: { ...example.endpoint, eventTypes: ['payment.*'] } },
})
const remove = operation({
  operationId: 'deleteWebhookEndpoint',
  tag,
  summary: 'Delete a webhook endpoint',
  description: 'What waits for it is dropped with it. To stop for a while, set its status to PAUSED instead.',
  params: ById,
  answers: { 204: Type.Null({ description: 'Deleted.' }) },
})
const rotate = operation({
  operationId: 'rotateWebhookSecret',
  tag,
  summary: 'Give a webhook endpoint a new secret',
  description:
    'The secret before it stays valid for 24 hours. `standard` messages are signed with both; of the published formats, which have room for one signature, tries alternate, the new one first.',
  params: ById,
  body: named(EmptyBody),
  answers: { 200: named(schema.EndpointWithSecret) },
  keyed: true,
  example: { request: {}, answer: { ...example.endpoint, secret: 'whsec_…' } },
})
const test = operation({
  operationId: 'testWebhookEndpoint',
  tag,
  summary: 'Send a test message now',
  description:
    'A message of no event, signed as all others: `webhook_endpoint.test` with `sequence` 0, or a failed payment whose id nothing has in the published formats. It is sent to a PAUSED endpoint too.',
  params: ById,
  body: named(EmptyBody),
  answers: { 200: named(schema.Tested) },
  keyed: true,
  example: { request: {}, answer: { delivered: true, statusCode: 200, durationMs: 48 } },
})
const deliveries = operation({
  operationId: 'listWebhookDeliveries',
  tag,
  summary: 'List what was sent, what waits and what failed',
  params: ById,
  querystring: schema.DeliveryQuery,
  answers: { 200: named(schema.DeliveryList) },
  example: { answer: { results: [example.delivery] } },
})
const replayOne = operation({
  operationId: 'replayWebhookDelivery',
  tag,
  summary: 'Send a delivery again',
  description: 'One that still waits is tried now. It carries the same id as before.',
  params: ByDelivery,
  body: named(EmptyBody),
  answers: { 202: named(schema.DeliverySchema) },
  keyed: true,
  refusals: ['failedPrecondition'],
  example: { request: {}, answer: { ...example.delivery, status: 'PENDING', attempts: 0 } },
})
const replayMany = operation({
  operationId: 'replayWebhooks',
  tag,
  summary: 'Send again what happened in a range of time',
  description: `Delivered or not, and also what happened before the endpoint was there. At most ${limits.webhookReplayMax} events at once.`,
  params: ById,
  body: named(schema.Replay),
  answers: { 202: named(schema.Replayed) },
  keyed: true,
  refusals: ['failedPrecondition'],
  example: {
    request: { from: '2026-01-05T00:00:00Z', to: '2026-01-05T12:00:00Z' },
    answer: { replayed: 42 },
  },
})

export function webhookRoutes(app: App, ctx: Context): void {
  for (const shared of schema.webhookSchemas) app.addSchema(shared)
  const outbound = openOutbound({ timeoutMs: limits.webhookTimeoutMs, answerBytes: limits.webhookAnswerBytes })
  app.addHook('onClose', async () => outbound.close())
  const now = () => new Date(ctx.clock.nowMs())
  // An answer with a secret is not kept: a repeated request makes the same one again.
  const unstored = { unstored: true }

  app.post('/webhook-endpoints', { schema: create, config: unstored }, async ({ caller, body }, reply) => {
    const { endpoint, secret } = await createEndpoint(ctx, caller, body)
    return reply.code(201).send({ ...schema.toWire(endpoint, now()), secret })
  })
  app.get('/webhook-endpoints', { schema: list }, async ({ caller, query }) => {
    const { endpoints, pagination } = await listEndpoints(ctx, caller, query)
    return { pagination, results: endpoints.map((endpoint) => schema.toWire(endpoint, now())) }
  })
  app.get('/webhook-endpoints/:id', { schema: read }, async ({ caller, params }) =>
    schema.toWire(await readEndpoint(ctx, caller, params.id), now()),
  )
  app.patch('/webhook-endpoints/:id', { schema: change }, async ({ caller, params, body }) =>
    schema.toWire(await changeEndpoint(ctx, caller, params.id, body), now()),
  )
  app.delete('/webhook-endpoints/:id', { schema: remove }, async ({ caller, params }, reply) => {
    await deleteEndpoint(ctx, caller, params.id)
    return reply.code(204).send(null)
  })
  app.post('/webhook-endpoints/:id/rotate', { schema: rotate, config: unstored }, async ({ caller, params }) => {
    const { endpoint, secret } = await rotateSecret(ctx, caller, params.id)
    return { ...schema.toWire(endpoint, now()), secret }
  })
  app.post('/webhook-endpoints/:id/test', { schema: test }, async ({ caller, params }) => {
    const result = await testEndpoint(ctx, outbound, caller, params.id)
    return schema.testedToWire(result, isDelivered(result))
  })
  app.get('/webhook-endpoints/:id/deliveries', { schema: deliveries }, async ({ caller, params, query }) => {
    const { deliveries: found, next } = await listDeliveries(ctx, caller, params.id, query)
    return { results: found.map(schema.deliveryToWire), ...(next === undefined ? {} : { next }) }
  })
  app.post(
    '/webhook-endpoints/:id/deliveries/:delivery_id/replay',
    { schema: replayOne },
    async ({ caller, params }, reply) =>
      reply.code(202).send(schema.deliveryToWire(await replayDelivery(ctx, caller, params.id, params.delivery_id))),
  )
  app.post('/webhook-endpoints/:id/replay', { schema: replayMany }, async ({ caller, params, body }, reply) =>
    reply.code(202).send({ replayed: await replayRange(ctx, caller, params.id, body) }),
  )
}
