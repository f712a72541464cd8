/** Money that goes back to the payer: refunds of settled payments, and held money that nobody accepted. */

import { formatAmount, parseAmount, type RefundOutcome } from '@pasarela/connector-kit'
import type { Merchant } from '../../access/caller.ts'
import type { Context } from '../../kit/context.ts'
import { newId } from '../../kit/id.ts'
import { edge, next } from '../../kit/machine.ts'
import { mirrored, refundDonePostings, refundStartedPostings } from '../../ledger/posting.ts'
import { listRefunds } from '../../payments/find.ts'
import { type Payment, paymentMachine, refundMachine, untouched } from '../../payments/payment.ts'
import { heldMoney, post, postHoldReturned } from '../settle/entries.ts'
import { releaseSession } from '../settle/release.ts'
import { record, type Work, workerFor, workLocked } from '../writing/work.ts'

/** How long a refund that is being asked for is left alone before the poller asks. */
const headStartMs = 15_000

export type RefundFigures = {
  purchaseMinor: bigint
  /** Where it is not the parent's: held money goes back in the currency it came in. */
  purchaseCurrency?: Payment['purchaseCurrency']
  /** What is taken from each destination, in the destinations' currency. */
  destinations: Payment['destinations']
  grossMinor: bigint
}

/** The child payment of a refund. Its destinations are the accounts that it is taken from. */
export function newRefund(
  work: Work,
  parent: Payment,
  figures: RefundFigures,
  reason: string | null,
  seed?: Uint8Array,
): Payment {
  const id = newId('payment', work.now.getTime(), seed)
  return {
    ...parent,
    ...untouched,
    ...figures,
    totalMinor: figures.grossMinor,
    id,
    externalId: id,
    type: 'REFUND',
    status: 'RECEIVED',
    parentPaymentId: parent.id,
    relatedPaymentId: null,
    orderKey: null,
    description: reason,
    fees: [],
    origin: null,
    requestHash: null,
    nextCheckAt: new Date(work.now.getTime() + headStartMs),
    createdAt: work.now,
    updatedAt: work.now,
    expiresAt: null,
    receivedAt: work.now,
  }
}

/** Starts sending held money back: a refund on record, which the poller carries out. The money stays held until it is done. */
export async function startReturn(work: Work, held: Payment, reason: string): Promise<void> {
  const { grossMinor, destinations } = held
  const { minor: purchaseMinor, currency: purchaseCurrency } = heldMoney(held)
  const refund = newRefund(work, held, { purchaseMinor, purchaseCurrency, grossMinor, destinations }, reason)
  refund.nextCheckAt = work.now
  work.changes.insertPayment(refund)
  record(work, 'payment.refund.created', refund)
}

/** Takes what a refund needs from its destinations; in the transaction that inserts it, under their locks. */
export function postRefundStarted(work: Work, refund: Payment): void {
  post(work, refund, 'refund_started', startedPostings(refund))
}

function startedPostings(refund: Payment) {
  const taken = refund.destinations.map((d) => ({
    accountId: d.accountId,
    amountMinor: parseAmount(d.amount, refund.currency) ?? 0n,
  }))
  return refundStartedPostings({ currency: refund.currency, taken })
}

/** Applies what a provider said of a refund; idempotent, as `settle` is for payments. */
export async function settleRefund(
  ctx: Context,
  merchant: Merchant,
  refundId: string,
  outcome: RefundOutcome,
): Promise<Payment> {
  return workLocked(workerFor(ctx, merchant), refundId, async (work) => {
    const { payment: refund, now } = work
    const parent = await work.reach.lockPayment(refund.parentPaymentId ?? '')
    if (!parent || refund.type !== 'REFUND') throw new Error(`${refundId} is no refund`)
    if (outcome.is !== 'declined' && outcome.ref !== undefined) refund.connectorRef ??= outcome.ref
    if (refund.status !== 'RECEIVED') return refund
    refund.nextCheckAt = null
    if (outcome.is === 'settled') await finishRefund(work, parent)
    else if (outcome.is === 'declined') await failRefund(work, parent, outcome.reason)
    else {
      refund.checks += 1
      refund.nextCheckAt =
        outcome.askAgainAt ?? new Date(now.getTime() + Math.min(3_600_000, 1000 * 2 ** Math.min(refund.checks, 12)))
    }
    work.changes.updatePayment(refund)
    work.changes.updatePayment(parent)
    return refund
  })
}

async function finishRefund(work: Work, parent: Payment): Promise<void> {
  const { payment: refund, now, sql } = work
  refund.status = next(refundMachine, 'RECEIVED', 'settle')
  refund.settledAt = now
  record(work, 'payment.refund.settled')
  if (isReturn(parent)) return returnHeld(work, parent)
  const postings = refundDonePostings({
    rail: parent.rail,
    purchase: { minor: refund.purchaseMinor, currency: refund.purchaseCurrency },
    taken: { minor: refund.grossMinor, currency: refund.currency },
  })
  post(work, refund, 'refund_done', postings)
  const done = (await listRefunds(sql, parent.merchantId, parent.id)).filter(
    (other) => other.status === 'SETTLED' && other.id !== refund.id,
  )
  const sum = done.reduce((total, other) => total + other.purchaseMinor, refund.purchaseMinor)
  if (sum < parent.purchaseMinor) return
  parent.refundedAt = now
  record(work, 'payment.refunded', parent)
}

/** Whether what goes back was never the merchant's: only money that settled is refunded, all else was held. */
function isReturn(parent: Payment): boolean {
  return parent.settledAt === null
}

/** Held money is back with the payer: the payment it was is undone, and its session may be paid again. */
async function returnHeld(work: Work, parent: Payment): Promise<void> {
  if (parent.hold === null) {
    parent.attention = 'The money was sent back to the payer, and the provider took it back as well.'
    return record(work, 'payment.attention', parent)
  }
  postHoldReturned(work, parent)
  parent.hold = null
  parent.attention = null
  if (edge(paymentMachine, parent.status, 'reverse')) {
    parent.status = next(paymentMachine, parent.status, 'reverse')
    parent.reversedAt = work.now
  }
  record(work, 'payment.reversed', parent)
  await releaseSession({ ...work, payment: parent }, 'expire')
}

async function failRefund(work: Work, parent: Payment, reason: string): Promise<void> {
  const { payment: refund, now } = work
  refund.status = next(refundMachine, 'RECEIVED', 'fail')
  refund.failedAt = now
  refund.failureReason = reason.slice(0, 500)
  record(work, 'payment.refund.failed')
  if (isReturn(parent)) {
    if (parent.hold === null) return
    parent.attention = `The provider refused to send the held money back: ${formatAmount(refund.purchaseMinor, refund.purchaseCurrency)} ${refund.purchaseCurrency} stay held.`
    record(work, 'payment.attention', parent)
    return
  }
  const postings = mirrored(startedPostings(refund))
  post(work, refund, 'refund_failed', postings)
}
