/** A message as it goes over the wire: body and signature of each format. Pure; the time is a parameter. */
import { createHmac } from 'node:crypto'
import type { EventType } from '../vocabulary/events.ts'
import type { Format } from './endpoint.ts'
import { publishedV1 } from './messages.ts'

export type Message = {
  /** Of the event: the same for every try, so that a receiver can tell what it has had. */
  id: string
  eventType: EventType | 'webhook_endpoint.test'
  /** The name that the message carries. */
  type: string
  streamId: string
  sequence: number
  createdAt: Date
  /** The object as JSON text, exactly as it is stored. */
  data: string
  /** The payment's identity, where the format shows it. */
  identity: { id: string; email: string | null } | null
}

/** `secrets`: the current one first, then the previous one while it is still valid. */
export type Signing = { secrets: readonly string[]; attempt: number; now: Date }

export type Rendered = { body: string; headers: Record<string, string> }

/** The request that tells of a message. */
export function renderMessage(format: Format, message: Message, signing: Signing): Rendered {
  const base = { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Pasarela-Webhooks/1.0' }
  if (format === 'standard') {
    const { body, headers } = renderStandard(message, signing)
    return { body, headers: { ...base, ...headers } }
  }
  const secret = publishedSecret(signing)
  if (format === 'published-v1') return { body: renderV1(message, secret), headers: base }
  const body = renderV2(message)
  return { body, headers: { ...base, 'x-webhook-signature': hmacHex(secret, body) } }
}

/** Standard Webhooks 1.0: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, one per valid secret. */
function renderStandard(message: Message, { secrets, now }: Signing): Rendered {
  const head = JSON.stringify({
    id: message.id,
    type: message.type,
    timestamp: message.createdAt.toISOString(),
    sequence: message.sequence,
  })
  const body = `${head.slice(0, -1)},"data":${message.data}}`
  const timestamp = Math.floor(now.getTime() / 1000).toString()
  const signed = `${message.id}.${timestamp}.${body}`
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(standardPrefix.length), 'base64')
    return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
  })
  const headers = {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
    'pasarela-stream': message.streamId,
  }
  return { body, headers }
}

/** The prefix of Standard Webhooks secrets; what follows is the key in base64. */
export const standardPrefix = 'whsec_'

/**
 * A published message has room for one signature. While two secrets are valid, tries alternate, the current one first: a
 * receiver that knows only the other one is reached by the next try.
 */
function publishedSecret({ secrets, attempt }: Signing): string {
  return secrets[(attempt - 1) % secrets.length] ?? ''
}

function hmacHex(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex')
}

type Transaction = Record<string, unknown>

/** Contract section 6.2 A. */
function renderV1(message: Message, secret: string): string {
  const payment = JSON.parse(message.data) as Transaction
  const known = publishedV1[message.eventType as EventType]
  const content = {
    event: message.type,
    data: {
      transaction: {
        id: payment.id,
        purchaseAmount: payment.purchaseAmount,
        totalAmount: payment.totalAmount,
        externalId: payment.externalId,
        currency: payment.currency,
        status: known?.status ?? payment.status,
      },
    },
  }
  return JSON.stringify({ ...content, signature: hmacHex(secret, JSON.stringify(content)) })
}

/** Contract section 6.2 B: what does not apply is null. */
function renderV2(message: Message): string {
  const payment = JSON.parse(message.data) as Transaction
  const field = (name: string) => payment[name] ?? null
  return JSON.stringify({
    eventType: message.type,
    timestamp: message.createdAt.toISOString(),
    transaction: {
      id: field('id'),
      externalId: field('externalId'),
      status: field('status'),
      totalAmount: field('totalAmount'),
      currency: field('currency'),
      type: field('type'),
      parentPaymentId: field('parentPaymentId'),
      relatedPaymentId: field('relatedPaymentId'),
      customerId: null,
      settledAt: field('settledAt'),
      expiredAt: field('expiredAt'),
      unsettledAt: null,
      unsettledReason: null,
      settlementBatchId: null,
      documentationStatus: null,
    },
    identity: message.identity ?? { id: null, email: null },
  })
}
