/** Webhook endpoints and deliveries on the wire. */
import Type from 'typebox'
import { idPattern } from '../kit/id.ts'
import { named } from '../kit/operation.ts'
import type { OutboundResult } from '../kit/outbound.ts'
import { commaListOf, listQuery, pageOf } from '../kit/page.ts'
import { limits } from '../vocabulary/limits.ts'
import { type Delivery, deliveryStatuses, type Endpoint, endpointStatuses, formats } from './endpoint.ts'

const closed = { additionalProperties: false }
const When = Type.String({ format: 'date-time' })

const url = Type.String({
  minLength: 1,
  maxLength: limits.urlLength,
  description: 'https. For sandbox merchants also http, and this machine (localhost).',
})
const description = Type.Union([Type.String({ minLength: 1, maxLength: limits.descriptionLength }), Type.Null()])
const eventTypes = Type.Array(Type.String({ minLength: 1, maxLength: 80 }), {
  minItems: 1,
  maxItems: limits.webhookEventTypesMax,
  description: 'Types of event, such as `payment.settled`; `payment.*` is all below it, `*` all there are.',
})

export const CreateEndpoint = Type.Object(
  {
    url,
    description: Type.Optional(description),
    format: Type.Optional(
      Type.Enum([...formats], {
        description:
          'Default `standard` (Standard Webhooks). `published-v1` and `published-v2` are the two published envelopes; they carry payments alone.',
      }),
    ),
    eventTypes: Type.Optional(eventTypes),
  },
  { ...closed, $id: 'CreateWebhookEndpoint', title: 'CreateWebhookEndpoint' },
)
export type CreateEndpoint = Type.Static<typeof CreateEndpoint>

export const ChangeEndpoint = Type.Object(
  {
    url: Type.Optional(url),
    description: Type.Optional(description),
    eventTypes: Type.Optional(eventTypes),
    status: Type.Optional(
      Type.Enum([...endpointStatuses], { description: 'ACTIVE resumes: what was missed follows in order.' }),
    ),
  },
  { ...closed, $id: 'ChangeWebhookEndpoint', title: 'ChangeWebhookEndpoint', minProperties: 1 },
)
export type ChangeEndpoint = Type.Static<typeof ChangeEndpoint>

const shared = {
  id: Type.String(),
  description: Type.Optional(Type.String()),
  format: Type.Enum([...formats]),
  eventTypes: Type.Array(Type.String()),
  status: Type.Enum([...endpointStatuses]),
  attention: Type.Optional(
    Type.String({ description: 'Why somebody should look: it failed for long and was paused.' }),
  ),
  failingSince: Type.Optional(
    Type.String({ format: 'date-time', description: 'The first failure since something was last delivered.' }),
  ),
  pausedAt: Type.Optional(When),
  createdAt: When,
  updatedAt: When,
}

export const EndpointSchema = Type.Object(
  {
    ...shared,
    url: Type.String(),
    previousSecretExpiresAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'Until then the secret before the last rotation is valid too.' }),
    ),
  },
  { ...closed, $id: 'WebhookEndpoint', title: 'WebhookEndpoint' },
)

export const EndpointWithSecret = Type.Object(
  {
    ...EndpointSchema.properties,
    secret: Type.String({ description: 'Shown here and never again. Verify signatures with it.' }),
  },
  { ...closed, $id: 'WebhookEndpointWithSecret', title: 'WebhookEndpointWithSecret' },
)

export const EndpointQuery = listQuery('webhookEndpoint', {})
export const EndpointPage = pageOf('WebhookEndpointPage', EndpointSchema)

export const DeliverySchema = Type.Object(
  {
    id: Type.String(),
    type: Type.String({ description: 'The name that the message carries.' }),
    stream: Type.String({ description: 'Messages of one stream go out one after the other.' }),
    sequence: Type.Integer({ description: 'Of the event within its stream.' }),
    status: Type.Enum([...deliveryStatuses]),
    attempts: Type.Integer({ description: 'Tries so far, since it was made or last replayed.' }),
    createdAt: When,
    lastAttemptAt: Type.Optional(When),
    nextAttemptAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'Not before what stands ahead of it.' }),
    ),
    deliveredAt: Type.Optional(When),
    statusCode: Type.Optional(Type.Integer({ description: 'What the last try was answered.' })),
    error: Type.Optional(
      Type.String({
        description: 'What went wrong with the last try: `timeout`, `ECONNREFUSED`, `address_not_allowed` …',
      }),
    ),
    durationMs: Type.Optional(Type.Integer()),
  },
  { ...closed, $id: 'WebhookDelivery', title: 'WebhookDelivery' },
)

export const DeliveryQuery = Type.Object(
  {
    status: Type.Optional(commaListOf(deliveryStatuses, 'Only those that are one of these.')),
    stream: Type.Optional(Type.String({ maxLength: 60, description: 'Only of this session, link or payment.' })),
    after: Type.Optional(
      Type.String({
        pattern: idPattern('webhookDelivery'),
        'x-wants': '`next` of the page before',
        description: '`next` of the page before.',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: limits.pageSizeMax,
        description: `Most deliveries to answer. Default ${limits.pageSizeDefault}.`,
      }),
    ),
  },
  closed,
)
export type DeliveryQuery = Type.Static<typeof DeliveryQuery>

export const DeliveryList = Type.Object(
  {
    results: Type.Array(named(DeliverySchema), { description: 'Newest first.' }),
    next: Type.Optional(Type.String({ description: 'Give it as `after`; absent on the last page.' })),
  },
  { ...closed, $id: 'WebhookDeliveryList', title: 'WebhookDeliveryList' },
)

export const Replay = Type.Object(
  {
    from: Type.String({ format: 'date-time', description: 'Events that happened at this moment or later …' }),
    to: Type.Optional(Type.String({ format: 'date-time', description: '… and at this one or earlier. Default: now.' })),
  },
  { ...closed, $id: 'ReplayWebhooks', title: 'ReplayWebhooks' },
)
export type Replay = Type.Static<typeof Replay>

export const Replayed = Type.Object(
  { replayed: Type.Integer({ description: 'Messages that will be sent, those not yet delivered included.' }) },
  { ...closed, $id: 'ReplayedWebhooks', title: 'ReplayedWebhooks' },
)

export const Tested = Type.Object(
  {
    delivered: Type.Boolean({ description: 'Whether it was answered 2xx within 10 seconds.' }),
    statusCode: Type.Optional(Type.Integer()),
    error: Type.Optional(Type.String()),
    durationMs: Type.Integer(),
  },
  { ...closed, $id: 'TestedWebhook', title: 'TestedWebhook' },
)

export const webhookSchemas = [
  CreateEndpoint,
  ChangeEndpoint,
  EndpointSchema,
  EndpointWithSecret,
  EndpointPage,
  DeliverySchema,
  DeliveryList,
  Replay,
  Replayed,
  Tested,
]

/** The endpoint without its url, which may hold a secret: what events hold. */
export function toSnapshot(e: Endpoint) {
  return {
    id: e.id,
    ...(e.description === null ? {} : { description: e.description }),
    format: e.format,
    eventTypes: e.eventTypes,
    status: e.status,
    ...(e.attention === null ? {} : { attention: e.attention }),
    ...moments(e, ['failingSince', 'pausedAt']),
    createdAt: e.createdAt.toISOString(),
    updatedAt: e.updatedAt.toISOString(),
  }
}

/** The endpoint as the API answers it. */
export function toWire(e: Endpoint, now: Date) {
  const { previousSecretUntil: until } = e
  return {
    ...toSnapshot(e),
    url: e.url,
    ...(until !== null && until > now ? { previousSecretExpiresAt: until.toISOString() } : {}),
  }
}

export function deliveryToWire(d: Delivery): Type.Static<typeof DeliverySchema> {
  return {
    id: d.id,
    type: d.type,
    stream: d.streamId,
    sequence: d.sequence,
    status: d.status,
    attempts: d.attempts,
    createdAt: d.createdAt.toISOString(),
    ...(d.triedAt === null ? {} : { lastAttemptAt: d.triedAt.toISOString() }),
    ...moments(d, ['nextAttemptAt', 'deliveredAt']),
    ...(d.statusCode === null ? {} : { statusCode: d.statusCode }),
    ...(d.error === null ? {} : { error: d.error }),
    ...(d.durationMs === null ? {} : { durationMs: d.durationMs }),
  }
}

/** What came of a test message. */
export function testedToWire(result: OutboundResult, delivered: boolean): Type.Static<typeof Tested> {
  const { status, error, durationMs } = result
  return {
    delivered,
    ...(status === undefined ? {} : { statusCode: status }),
    ...(error === undefined ? {} : { error }),
    durationMs,
  }
}

function moments<K extends string>(row: Record<K, Date | null>, names: readonly K[]): Partial<Record<K, string>> {
  const entries = names.flatMap((name) => (row[name] ? [[name, row[name].toISOString()] as const] : []))
  return Object.fromEntries(entries) as Partial<Record<K, string>>
}
