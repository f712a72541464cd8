/** The payment on the wire (contract section 4.1), v2 canonical and v1 as a transform at the edge. */

import { formatAmount, parseAmount } from '@pasarela/connector-kit'
import Type from 'typebox'
import type { ApiVersion } from '../access/caller.ts'
import { named } from '../kit/operation.ts'
import { qrImage } from '../kit/qr-image.ts'
import { spreadFee } from '../ledger/posting.ts'
import { Amount, CurrencyCode, Metadata } from '../offers/schema.ts'
import { railOf } from '../rails/index.ts'
import { PaymentNodeSchema } from '../rails/node.ts'
import { feeToWire, totalFees } from '../rules/fee.ts'
import { type Payment, type PaymentNode, paymentMachine } from './payment.ts'

const closed = { additionalProperties: false }
const When = Type.String({ format: 'date-time' })
const Moment = Type.Optional(When)

/** Version 1 names two moments differently. */
export const paymentStatuses = [...paymentMachine.statuses, 'PENDING', 'REFUNDED']

export const FeeSchema = Type.Object(
  {
    name: Type.String(),
    type: Type.Enum(['FIXED', 'PERCENTAGE']),
    value: Type.String({ description: 'Major units, or percent.' }),
    amount: Type.String({ description: 'What it comes to.' }),
    currency: CurrencyCode,
  },
  { ...closed, $id: 'Fee', title: 'Fee' },
)

export const PaymentSchema = Type.Object(
  {
    id: Type.String(),
    externalId: Type.String({
      description: 'The same as `id`: payments of a session have no reference of the caller.',
    }),
    identityId: Type.String(),
    identityExternalId: Type.Optional(Type.String()),
    accountNumber: Type.String({ description: 'The first destination.' }),
    totalAmount: Type.String({ description: 'After conversion and fees.' }),
    currency: CurrencyCode,
    description: Type.Optional(Type.String()),
    product: Type.String({ description: '`purchaseCurrency:currency`.' }),
    exchangeRate: Type.String({ description: 'Ours: how much of `currency` one unit of `purchaseCurrency` was.' }),
    status: Type.Enum(paymentStatuses, {
      description: 'In v1 CREATED reads PENDING, and a wholly refunded payment REFUNDED.',
    }),
    type: Type.Enum(['PURCHASE', 'REFUND']),
    purchaseAmount: Amount,
    purchaseCurrency: CurrencyCode,
    fees: Type.Array(named(FeeSchema)),
    createdAt: When,
    updatedAt: When,
    expiresAt: Moment,
    authorizedAt: Moment,
    capturedAt: Moment,
    receivedAt: Moment,
    settledAt: Moment,
    failedAt: Moment,
    expiredAt: Moment,
    reversedAt: Moment,
    refundedAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'When the whole of it had been refunded.' }),
    ),
    origins: Type.Array(named(PaymentNodeSchema)),
    destinations: Type.Array(named(PaymentNodeSchema)),
    settlement: Type.Optional(Type.String()),
    parentPaymentId: Type.Optional(Type.String({ description: 'Of a refund: the refunded payment.' })),
    relatedPaymentId: Type.Optional(Type.String({ description: 'Of late or surplus money: the payment it came for.' })),
    checkoutSessionId: Type.String(),
    paymentLinkId: Type.Optional(Type.String()),
    failureReason: Type.Optional(Type.String()),
    receivedAmount: Type.Optional(Type.String({ description: 'What came, where it differs from `purchaseAmount`.' })),
    receivedCurrency: Type.Optional(
      Type.String({ description: 'Of `receivedAmount`, where it is not `purchaseCurrency`.' }),
    ),
    hold: Type.Optional(Type.String({ description: 'Why the money is held; `resolve` ends it.' })),
    attention: Type.Optional(Type.String({ description: 'Why somebody should look.' })),
    metadata: Metadata,
  },
  { ...closed, $id: 'Payment', title: 'Payment' },
)

/** A payment in canonical form: what events hold and v2 answers. */
export function toSnapshot(p: Payment) {
  return {
    id: p.id,
    externalId: p.externalId,
    identityId: p.identityId,
    ...optional('identityExternalId', p.identityExternalId),
    accountNumber: p.accountNumber,
    totalAmount: formatAmount(p.totalMinor, p.currency),
    currency: p.currency,
    ...optional('description', p.description),
    product: `${p.purchaseCurrency}:${p.currency}`,
    exchangeRate: p.rate,
    status: p.status as (typeof paymentStatuses)[number],
    type: p.type,
    purchaseAmount: formatAmount(p.purchaseMinor, p.purchaseCurrency),
    purchaseCurrency: p.purchaseCurrency,
    fees: p.fees.map(feeToWire),
    createdAt: p.createdAt.toISOString(),
    updatedAt: p.updatedAt.toISOString(),
    ...moments(p),
    origins: p.origin ? [p.origin] : [],
    destinations: destinationNodes(p),
    ...optional('settlement', p.settlement),
    ...optional('parentPaymentId', p.parentPaymentId),
    ...optional('relatedPaymentId', p.relatedPaymentId),
    checkoutSessionId: p.sessionId,
    ...optional('paymentLinkId', p.paymentLinkId),
    ...optional('failureReason', p.failureReason),
    ...receivedOtherwise(p),
    ...optional('hold', p.hold),
    ...optional('attention', p.attention),
    metadata: p.metadata,
  }
}

/** The payment as this API version shows it. */
export function toWire(p: Payment, version: ApiVersion) {
  const wire = { ...toSnapshot(p), origins: p.origin ? [withQrImage(p, p.origin)] : [] }
  if (version === 'v2') return wire
  if (p.refundedAt !== null) return { ...wire, status: 'REFUNDED' }
  return p.status === 'CREATED' ? { ...wire, status: 'PENDING' } : wire
}

/** While it can be paid, the code to scan is shown as an image too (contract section 4.4); events do without. */
function withQrImage(p: Payment, origin: PaymentNode): PaymentNode {
  const key = railOf(p.rail)?.key ?? ''
  const fields = origin[key] as { data?: unknown; qrCode?: unknown } | undefined
  if (p.status !== 'CREATED' || typeof fields?.data !== 'string' || fields.qrCode !== undefined) return origin
  return { ...origin, [key]: { ...fields, qrCode: qrImage(fields.data) } }
}

function moments(p: Payment) {
  const names = [
    'expiresAt',
    'authorizedAt',
    'capturedAt',
    'receivedAt',
    'settledAt',
    'failedAt',
    'expiredAt',
    'reversedAt',
    'refundedAt',
  ] as const
  const entries = names.flatMap((name) => (p[name] ? [[name, p[name].toISOString()] as const] : []))
  return Object.fromEntries(entries) as Partial<Record<(typeof names)[number], string>>
}

/** What came, where it is not what was asked for. */
function receivedOtherwise({ receivedMinor, receivedCurrency, purchaseMinor, purchaseCurrency }: Payment) {
  if (receivedMinor === null || (receivedMinor === purchaseMinor && receivedCurrency === null)) return {}
  const receivedAmount = formatAmount(receivedMinor, receivedCurrency ?? purchaseCurrency)
  return { receivedAmount, ...optional('receivedCurrency', receivedCurrency) }
}

/** The destinations as nodes: `amount` gross, `amountOut` after the share of the fees. */
function destinationNodes(p: Payment) {
  const grosses = p.destinations.map((d) => parseAmount(d.amount, p.currency) ?? 0n)
  const fees = spreadFee(totalFees(p.fees), grosses)
  return p.destinations.map(({ accountId: _, ...destination }, index) => ({
    ...destination,
    currency: p.currency,
    amountOut: formatAmount((grosses[index] ?? 0n) - (fees[index] ?? 0n), p.currency),
  }))
}

function optional<K extends string, V>(key: K, value: V | null): Partial<Record<K, V>> {
  return value === null ? {} : ({ [key]: value } as Record<K, V>)
}
