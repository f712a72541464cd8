/** The payment: the contract's transaction, its machine, and the table of what becomes of money. Pure. */
import type { Currency, Outcome } from '@pasarela/connector-kit'
import { edge, machine, type StatusOf } from '../kit/machine.ts'
import type { Destination } from '../offers/offer.ts'
import type { Fee } from '../rules/fee.ts'
import type { EventType } from '../vocabulary/events.ts'

/** Design section 5: steps may be skipped forwards, never backwards. */
export const paymentMachine = machine('payment', 'CREATED', {
  CREATED: { authorize: 'AUTHORIZED', capture: 'CAPTURED', receive: 'RECEIVED', fail: 'FAILED', expire: 'EXPIRED' },
  AUTHORIZED: { capture: 'CAPTURED', receive: 'RECEIVED', fail: 'FAILED', expire: 'EXPIRED' },
  CAPTURED: { receive: 'RECEIVED', settle: 'SETTLED', fail: 'FAILED', reverse: 'REVERSED' },
  RECEIVED: { settle: 'SETTLED', reverse: 'REVERSED' },
  SETTLED: {},
  FAILED: {},
  EXPIRED: {},
  REVERSED: {},
})
export type PaymentStatus = StatusOf<typeof paymentMachine>
export type PaymentEvent = 'authorize' | 'capture' | 'receive' | 'settle' | 'fail' | 'expire' | 'reverse'

/** A refund is a child payment: announced to the provider, then done or refused. */
export const refundMachine = machine('refund', 'RECEIVED', {
  RECEIVED: { settle: 'SETTLED', fail: 'FAILED' },
  SETTLED: {},
  FAILED: {},
})

/** The event that tells the merchant of each transition. */
export const paymentEventTypes = {
  authorize: 'payment.authorized',
  capture: 'payment.captured',
  receive: 'payment.received',
  settle: 'payment.settled',
  fail: 'payment.failed',
  expire: 'payment.expired',
  reverse: 'payment.reversed',
} as const satisfies Record<PaymentEvent, EventType>

/** The column that remembers when each status began. */
export const statusTimes = {
  authorize: 'authorizedAt',
  capture: 'capturedAt',
  receive: 'receivedAt',
  settle: 'settledAt',
  fail: 'failedAt',
  expire: 'expiredAt',
  reverse: 'reversedAt',
} as const satisfies Record<PaymentEvent, keyof Payment>

export type HoldReason = 'late' | 'second' | 'too_little' | 'surplus' | 'deleted_session' | 'wrong_currency'

/** A node as stored: base fields and the rail object under the rail's key. */
export type PaymentNode = { type: string; currency: Currency; amount?: string } & Record<string, unknown>

export type Payment = {
  merchantId: number
  id: string
  type: 'PURCHASE' | 'REFUND'
  status: PaymentStatus
  sessionId: string
  paymentLinkId: string | null
  orderKey: string | null
  parentPaymentId: string | null
  relatedPaymentId: string | null
  externalId: string
  identityId: string
  identityExternalId: string | null
  accountNumber: string
  description: string | null
  currency: Currency
  /** What the session asks for, in `currency`. */
  grossMinor: bigint
  /** Gross less fees. */
  totalMinor: bigint
  purchaseCurrency: Currency
  /** What the payer was asked for, in `purchaseCurrency`. */
  purchaseMinor: bigint
  rate: string
  fees: Fee[]
  origin: PaymentNode | null
  destinations: Destination[]
  settlement: string | null
  metadata: Record<string, string>
  requestHash: Uint8Array | null
  rail: string
  connector: string
  connectionId: string | null
  connectorRef: string | null
  receivedMinor: bigint | null
  /** Set where it is not `purchaseCurrency`. */
  receivedCurrency: Currency | null
  failureReason: string | null
  hold: HoldReason | null
  attention: string | null
  nextCheckAt: Date | null
  checks: number
  createdAt: Date
  updatedAt: Date
  expiresAt: Date | null
  authorizedAt: Date | null
  capturedAt: Date | null
  receivedAt: Date | null
  settledAt: Date | null
  failedAt: Date | null
  expiredAt: Date | null
  reversedAt: Date | null
  refundedAt: Date | null
  acceptedAt: Date | null
}

/** What has not happened to a payment, a refund or money beside a payment when it is first recorded. */
export const untouched = {
  connectorRef: null,
  receivedMinor: null,
  receivedCurrency: null,
  failureReason: null,
  hold: null,
  attention: null,
  authorizedAt: null,
  capturedAt: null,
  receivedAt: null,
  settledAt: null,
  failedAt: null,
  expiredAt: null,
  reversedAt: null,
  refundedAt: null,
  acceptedAt: null,
  checks: 0,
} as const satisfies Partial<Payment>

/** What an outcome asks of the machine, in order; empty where it says nothing new. */
const wishes: Record<Outcome['is'], readonly PaymentEvent[]> = {
  authorized: ['authorize'],
  captured: ['capture'],
  received: ['receive'],
  settled: ['receive', 'settle'],
  declined: ['fail'],
  expired: ['expire'],
  reversed: ['reverse'],
  action: [],
  pending: [],
}

/**
 * The steps an outcome leads through from a status. Late or repeated news leads nowhere (empty). A refusal is legal from
 * CAPTURED only while that is not yet "paid", and a reversal only after it.
 */
export function stepsFor(status: PaymentStatus, is: Outcome['is'], paidOn: 'CAPTURED' | 'RECEIVED'): PaymentEvent[] {
  const steps: PaymentEvent[] = []
  let at = status
  for (const event of wishes[is]) {
    if (at === 'CAPTURED' && event === 'fail' && paidOn === 'CAPTURED') continue
    if (at === 'CAPTURED' && event === 'reverse' && paidOn === 'RECEIVED') continue
    // A card's money counts at CAPTURED; that it also arrived is skipped when it settles at once.
    if (at === 'CAPTURED' && event === 'receive' && is === 'settled' && paidOn === 'CAPTURED') continue
    const to = edge(paymentMachine, at, event)
    if (to === undefined) continue
    steps.push(event)
    at = to
  }
  return steps
}

/** Whether the provider may still say yes or no. Late and surplus money is on record because it came: never open. */
export function isOpen(payment: Pick<Payment, 'status' | 'acceptedAt' | 'hold' | 'relatedPaymentId'>): boolean {
  const waiting = payment.status === 'CREATED' || payment.status === 'AUTHORIZED' || payment.status === 'CAPTURED'
  return waiting && payment.relatedPaymentId === null && payment.acceptedAt === null && payment.hold === null
}

/** Why a payment cannot be refunded now; undefined where it can. A mark says that its money is in doubt, so it comes first. */
export function refundObstacle({ type, status, attention }: Payment): string | undefined {
  if (type !== 'PURCHASE') return 'A refund cannot be refunded.'
  if (status !== 'SETTLED') return `The payment is ${status}; only a SETTLED one can be refunded.`
  if (attention !== null) return `Resolve the payment before you refund it. It is marked: ${attention}`
  return undefined
}

/** Whether this step is the one at which the rail's money counts as paid. */
export function paysAt(event: PaymentEvent, paidOn: 'CAPTURED' | 'RECEIVED'): boolean {
  return event === 'receive' || (event === 'capture' && paidOn === 'CAPTURED')
}
