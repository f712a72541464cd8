/** Tucán, a made-up provider of Pix: the example of the guide "add a connector". */
import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  type Connector,
  formatAmount,
  type Notice,
  type Outcome,
  type PaymentOrder,
  parseAmount,
} from '@pasarela/connector-kit'

export type TucanOptions = { baseUrl: string; apiKey: string }

/** What Tucán answers about a charge. */
type Charge = {
  id: string
  state: 'waiting' | 'paid' | 'expired' | 'refused'
  brCode: string
  amount: string
  reason?: string
}

/** A connector to Tucán. `fetch` is Node's unless a test gives another. */
export function tucan({ baseUrl, apiKey }: TucanOptions, call: typeof fetch = fetch): Connector {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }

  /** One request. What is not a clear answer is undefined: nothing is known then. */
  async function ask(method: string, path: string, signal: AbortSignal, body?: object): Promise<Charge | undefined> {
    if (signal.aborted) return undefined
    try {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) }
      const answer = await call(baseUrl + path, { method, headers, signal, ...sent })
      return answer.ok ? ((await answer.json()) as Charge) : undefined
    } catch {
      return undefined
    }
  }

  return {
    name: 'tucan',
    rails: ['PIX'],

    // Our payment id is Tucán's idempotency key: asked twice, it answers with the same charge.
    async start(order, signal) {
      const amount = formatAmount(order.amount.minor, order.amount.currency)
      const body = { amount, description: order.description, expiresAt: order.expiresAt }
      const charge = await ask('PUT', `/charges/${order.paymentId}`, signal, body)
      return charge ? toOutcome(charge, order) : { is: 'pending' }
    },

    async lookup(order, signal) {
      const charge = await ask('GET', `/charges/${order.paymentId}`, signal)
      return charge ? toOutcome(charge, order) : { is: 'pending' }
    },

    async cancel(order, signal) {
      const charge = await ask('DELETE', `/charges/${order.paymentId}`, signal)
      return charge ? toOutcome(charge, order) : { is: 'pending' }
    },

    async refund(order, signal) {
      const amount = formatAmount(order.amount.minor, order.amount.currency)
      const refund = await ask('PUT', `/refunds/${order.refundId}`, signal, { charge: order.parentRef, amount })
      if (refund?.state === 'paid') return { is: 'settled', ref: refund.id }
      if (refund?.state === 'refused') return { is: 'declined', reason: refund.reason ?? 'Tucán refused the refund.' }
      return refund ? { is: 'pending', ref: refund.id } : { is: 'pending' }
    },

    isGenuine({ body, headers, secret }) {
      const given = Buffer.from(String(headers['tucan-signature'] ?? ''), 'hex')
      const wanted = createHmac('sha256', secret).update(body).digest()
      return given.length === wanted.length && timingSafeEqual(given, wanted)
    },

    readNotice,
  }
}

/** Only `paid`, `expired` and `refused` are final; everything else is news to wait for. */
function toOutcome(charge: Charge, order: PaymentOrder): Outcome {
  const ref = charge.id
  switch (charge.state) {
    case 'paid': {
      const minor = parseAmount(charge.amount, order.amount.currency)
      return minor === undefined
        ? { is: 'pending', ref }
        : { is: 'received', ref, amount: { minor, currency: order.amount.currency } }
    }
    case 'expired':
      return { is: 'expired', ref }
    case 'refused':
      return { is: 'declined', ref, reason: charge.reason ?? 'Tucán refused the payment.' }
    default:
      return order.status === 'CREATED'
        ? { is: 'action', ref, fields: { data: charge.brCode } }
        : { is: 'pending', ref }
  }
}

/** A notice says which charge has changed and how. What cannot be read is undefined. */
function readNotice(body: Buffer): Notice | undefined {
  try {
    const { id, paymentId, state, amount } = JSON.parse(body.toString('utf8')) as Record<string, unknown>
    if (typeof id !== 'string' || typeof paymentId !== 'string' || state !== 'paid' || typeof amount !== 'string')
      return undefined
    const minor = parseAmount(amount, 'BRL')
    if (minor === undefined) return undefined
    return {
      ref: id,
      kind: 'paid',
      paymentId,
      outcome: { is: 'received', ref: id, amount: { minor, currency: 'BRL' } },
    }
  } catch {
    return undefined
  }
}
