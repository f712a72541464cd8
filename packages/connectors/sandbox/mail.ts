/** How the sandbox's banks write their notices: the body, the signature over it, and reading both back. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  type Currency,
  currencies,
  formatAmount,
  type Notice,
  type Outcome,
  type PaymentOrder,
  parseAmount,
  type RawNotice,
} from '@pasarela/connector-kit'
import { referenceOf } from './accounts.ts'
import { noticesOf } from './notices.ts'
import { scenarioName } from './scenarios.ts'

const header = 'sandbox-signature'
/** How far a notice's time may be from ours, either way: an older one may be a replay. */
const windowMs = 5 * 60_000

/** A notice that a played bank will send of an order. */
export type PlayedNotice = { readonly at: Date; readonly body: string }

/** The body of a notice. */
export function writeNotice(paymentId: string | undefined, outcome: Outcome): string {
  const money =
    'amount' in outcome
      ? { amount: formatAmount(outcome.amount.minor, outcome.amount.currency), currency: outcome.amount.currency }
      : {}
  const reason = outcome.is === 'declined' ? { reason: outcome.reason } : {}
  return JSON.stringify({ event: outcome.is, reference: outcome.ref, paymentId, ...money, ...reason })
}

/**
 * What the banks send of an order by themselves. Only the scenarios that are about notices send any: in all others a
 * look-up says the same at the same moment.
 */
export function playedNotices(order: PaymentOrder): PlayedNotice[] {
  const name = scenarioName(order)
  if (name !== 'twice' && name !== 'webhook_first' && name !== 'storm') return []
  return noticesOf(order).map(({ at, outcome }) => ({ at, body: writeNotice(order.paymentId, outcome) }))
}

/** The headers of a notice sent now. */
export function signNotice(body: string, secret: string, now: Date): Record<string, string> {
  const seconds = Math.floor(now.getTime() / 1000).toString()
  return { [header]: `t=${seconds},v1=${signatureOf(seconds, Buffer.from(body), secret).toString('hex')}` }
}

function signatureOf(seconds: string, body: Buffer, secret: string): Buffer {
  return createHmac('sha256', secret).update(`${seconds}.`).update(body).digest()
}

export function isGenuine({ body, headers, secret, now }: RawNotice): boolean {
  const given = headers[header]
  const match = typeof given === 'string' ? /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(given) : null
  if (!match?.[1] || !match[2]) return false
  const fresh = Math.abs(Number(match[1]) * 1000 - now.getTime()) <= windowMs
  return timingSafeEqual(signatureOf(match[1], body, secret), Buffer.from(match[2], 'hex')) && fresh
}

/** Undefined for a body that is not one of the sandbox's, and for an event that this version does not know. */
export function readNotice(body: Buffer): Notice | undefined {
  const said = parse(body)
  const ref = said && referenceIn(said)
  const outcome = ref && outcomeOf(said, ref)
  if (!outcome) return undefined
  const paymentId = typeof said.paymentId === 'string' ? { paymentId: said.paymentId } : {}
  return { ref, kind: outcome.is, ...paymentId, outcome }
}

type Said = Partial<Record<'event' | 'reference' | 'paymentId' | 'amount' | 'currency' | 'reason', unknown>>

/** Whoever plays the bank by hand may leave the reference out: it is then the one that the sandbox gave the payment. */
function referenceIn({ reference, paymentId }: Said): string | undefined {
  if (reference === undefined && typeof paymentId === 'string') return referenceOf(paymentId)
  return typeof reference === 'string' && /^[\x21-\x7e]{1,200}$/.test(reference) ? reference : undefined
}

function parse(body: Buffer): Said | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return value !== null && typeof value === 'object' ? (value as Said) : undefined
  } catch {
    return undefined
  }
}

function outcomeOf(said: Said, ref: string): Outcome | undefined {
  switch (said.event) {
    case 'declined':
      return { is: 'declined', ref, reason: typeof said.reason === 'string' ? said.reason : 'No reason was given.' }
    case 'expired':
      return { is: 'expired', ref }
    case 'authorized':
    case 'captured':
    case 'received':
    case 'settled':
    case 'reversed': {
      const amount = moneyOf(said)
      return amount && { is: said.event, ref, amount }
    }
    default:
      return undefined
  }
}

function moneyOf({ amount, currency }: Said) {
  if (typeof amount !== 'string' || typeof currency !== 'string' || !Object.hasOwn(currencies, currency))
    return undefined
  const minor = parseAmount(amount, currency as Currency)
  return minor === undefined ? undefined : { minor, currency: currency as Currency }
}
