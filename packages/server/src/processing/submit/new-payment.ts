/** A payment as it begins. */
import type { Merchant } from '../../access/caller.ts'
import type { Session } from '../../checkout-sessions/session.ts'
import { connectorNameFor } from '../../connections/choose.ts'
import { newId } from '../../kit/id.ts'
import { type Payment, untouched } from '../../payments/payment.ts'
import { totalFees } from '../../rules/fee.ts'
import { limits } from '../../vocabulary/limits.ts'
import type { ReadSubmission } from './read-submission.ts'

/** How long the poller leaves a payment alone that is being started: the provider's time limit and a little more. */
const headStartMs = limits.providerTimeoutMs + 5_000

/** Everything that was submitted is frozen into the payment: method, rate, amounts, fees, shares. */
export function newPayment(
  { merchant, seed }: { merchant: Merchant; seed: Uint8Array | undefined },
  session: Session,
  submission: ReadSubmission,
  now: Date,
): Payment {
  const { rail, method, node, description, requestHash } = submission
  const id = newId('payment', now.getTime(), seed)
  const railEnd = now.getTime() + rail.expiresAfterMs
  const fees = totalFees(method.fees)
  return {
    ...untouched,
    parentPaymentId: null,
    relatedPaymentId: null,
    identityExternalId: null,
    connectionId: null,
    merchantId: session.merchantId,
    id,
    type: 'PURCHASE',
    status: 'CREATED',
    sessionId: session.id,
    paymentLinkId: session.paymentLinkId,
    orderKey: session.orderKey,
    externalId: id,
    identityId: session.ownerIdentityId,
    accountNumber: session.destinations[0]?.account.accountNumber ?? '',
    description,
    currency: session.currency,
    grossMinor: session.totalMinor,
    totalMinor: session.totalMinor - fees,
    purchaseCurrency: method.currency,
    purchaseMinor: BigInt(method.purchaseMinor),
    rate: method.rate,
    fees: method.fees,
    origin: node,
    destinations: session.destinations,
    settlement: rail.settlement,
    metadata: session.metadata,
    requestHash,
    rail: rail.type,
    connector: connectorNameFor(merchant, rail),
    nextCheckAt: new Date(now.getTime() + headStartMs),
    createdAt: now,
    updatedAt: now,
    expiresAt: new Date(Math.min(railEnd, session.expiresAt.getTime())),
  }
}
