/** What is sent to move payments, and how refunds are shown (contract sections 2.9, 4.5, 10.5). */

import { formatAmount } from '@pasarela/connector-kit'
import Type from 'typebox'
import { named } from '../kit/operation.ts'
import { Amount, Customer, PaymentMethod } from '../offers/schema.ts'
import { type Payment, refundObstacle } from '../payments/payment.ts'
import { PaymentNodeInputSchema } from '../rails/node.ts'
import { limits } from '../vocabulary/limits.ts'

const closed = { additionalProperties: false }

export const SubmitPayment = Type.Object(
  {
    description: Type.Optional(Type.String({ minLength: 1, maxLength: limits.descriptionLength })),
    origins: Type.Optional(Type.Array(named(PaymentNodeInputSchema), { minItems: 1, maxItems: 20 })),
    paymentMethod: Type.Optional(PaymentMethod),
    customer: Type.Optional(named(Customer)),
  },
  {
    ...closed,
    $id: 'SubmitPayment',
    title: 'SubmitPayment',
    description:
      'Either `origins` with exactly one node, or `paymentMethod` and perhaps `customer`. What is missing of the payer comes from the session.',
  },
)

export const ReceivePayment = Type.Object(
  {
    transactionId: Type.Optional(Type.String({ minLength: 1, maxLength: 120, description: 'The payment.' })),
    id: Type.Optional(Type.String({ minLength: 1, maxLength: 120, description: 'The same, as the guides write it.' })),
    signature: Type.Optional(Type.String({ maxLength: 1000, description: 'Accepted and ignored.' })),
  },
  { ...closed, $id: 'ReceivePayment', title: 'ReceivePayment' },
)

export const RefundPayment = Type.Object(
  {
    amount: Type.Optional(Amount),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: limits.descriptionLength })),
  },
  { ...closed, $id: 'RefundPayment', title: 'RefundPayment', description: 'Without `amount`, all that remains.' },
)

export const ResolvePayment = Type.Object(
  {
    decision: Type.Enum(['accept', 'refund', 'failed']),
    reason: Type.String({ minLength: 1, maxLength: limits.descriptionLength, description: 'Kept with the decision.' }),
  },
  { ...closed, $id: 'ResolvePayment', title: 'ResolvePayment' },
)

const RefundStatus = Type.Enum(['RECEIVED', 'SETTLED', 'FAILED'])

export const RefundCreated = Type.Object(
  {
    refundId: Type.String(),
    parentPaymentId: Type.String(),
    status: RefundStatus,
    totalAmount: Amount,
    currency: Type.String(),
    createdAt: Type.String({ format: 'date-time' }),
  },
  { ...closed, $id: 'RefundCreated', title: 'RefundCreated' },
)

export const RefundList = Type.Object(
  {
    parentId: Type.String(),
    refunds: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          status: RefundStatus,
          totalAmount: Amount,
          currency: Type.String(),
          parentPaymentId: Type.String(),
          createdAt: Type.String({ format: 'date-time' }),
        },
        closed,
      ),
    ),
    summary: Type.Object(
      {
        parentPaymentId: Type.String(),
        parentAmount: Type.String(),
        currency: Type.String(),
        totalRefunded: Type.String(),
        totalInProgress: Type.String(),
        totalFailed: Type.String(),
        maxRefundable: Type.String(),
        completedCount: Type.Integer(),
        inProgressCount: Type.Integer(),
        failedCount: Type.Integer(),
      },
      closed,
    ),
  },
  { ...closed, $id: 'RefundList', title: 'RefundList' },
)

/** A refund as it is answered when it was started: amounts are the payer's. */
export function toRefundCreated(refund: Payment) {
  const { id, ...shown } = toRefund(refund)
  return { refundId: id, ...shown }
}

function toRefund(refund: Payment) {
  return {
    id: refund.id,
    parentPaymentId: refund.parentPaymentId ?? '',
    status: refund.status as 'RECEIVED' | 'SETTLED' | 'FAILED',
    totalAmount: formatAmount(refund.purchaseMinor, refund.purchaseCurrency),
    currency: refund.purchaseCurrency,
    createdAt: refund.createdAt.toISOString(),
  }
}

/** A payment's refunds with their sums, in the payer's currency. */
export function toRefundList(parent: Payment, refunds: readonly Payment[]) {
  const of = (status: Payment['status']) => refunds.filter((refund) => refund.status === status)
  const sum = (list: readonly Payment[]) => list.reduce((total, refund) => total + refund.purchaseMinor, 0n)
  const [done, running, failed] = [of('SETTLED'), of('RECEIVED'), of('FAILED')]
  const format = (minor: bigint) => formatAmount(minor, parent.purchaseCurrency)
  const refundable = refundObstacle(parent) ? 0n : parent.purchaseMinor - sum(done) - sum(running)
  return {
    parentId: parent.id,
    refunds: refunds.map(toRefund),
    summary: {
      parentPaymentId: parent.id,
      parentAmount: format(parent.purchaseMinor),
      currency: parent.purchaseCurrency,
      totalRefunded: format(sum(done)),
      totalInProgress: format(sum(running)),
      totalFailed: format(sum(failed)),
      maxRefundable: format(refundable),
      completedCount: done.length,
      inProgressCount: running.length,
      failedCount: failed.length,
    },
  }
}
