/** Money came: it pays its order, or it is held, or sent back; and what is too much becomes a payment of its own. */

import {
  allocate,
  divideHalfUp,
  formatAmount,
  type Money,
  parseAmount,
  parseDecimal,
  unitOf,
} from '@pasarela/connector-kit'
import { findSessionEvenDeleted } from '../../checkout-sessions/find.ts'
import type { TrackedSession } from '../../checkout-sessions/move.ts'
import { isWholeOrder, sessionMachine } from '../../checkout-sessions/session.ts'
import { newId } from '../../kit/id.ts'
import { edge } from '../../kit/machine.ts'
import { findLatePolicy, readOrder } from '../../payments/find.ts'
import { type HoldReason, type Payment, untouched } from '../../payments/payment.ts'
import { totalFees } from '../../rules/fee.ts'
import { startReturn } from '../refunds/return-money.ts'
import { record, type Work } from '../writing/work.ts'
import { postHeld, postPaid } from './entries.ts'
import { decideMoney, isPlain, type Policy } from './verdict.ts'

const holdTexts: Record<HoldReason, string> = {
  late: 'Money came after the payment had ended.',
  second: 'Money came for an order that is paid already, or being paid.',
  too_little: 'Less money came than was asked for.',
  surplus: 'More money came than was asked for; this is the surplus.',
  deleted_session: 'Money came for a session that the merchant deleted.',
  wrong_currency: 'Money came in another currency than was asked for.',
}

/** The policy for money that nothing waits for: the rail's for this merchant, else the merchant's. */
export function policyOf({ sql, merchant, payment }: Work): Promise<Policy> {
  return findLatePolicy(sql, merchant.id, payment.rail)
}

/**
 * Takes money for a payment whose status has just become one that counts as paid, and that says what was received.
 * `askedMinor` is what the payer was asked for; `late` when that payment had ended before.
 */
export async function takeMoney(
  work: Work,
  amount: Money,
  { late, askedMinor }: { late: boolean; askedMinor: bigint },
): Promise<void> {
  const { payment } = work
  const order = await standingOf(work, late)
  const facts = {
    late,
    sameCurrency: amount.currency === payment.purchaseCurrency,
    amount: compare(amount.minor, askedMinor),
    deleted: await orderWasDeleted(work),
    orderPaid: order.paid,
    otherOpen: order.open,
  }
  const policy = isPlain(facts) ? 'hold' : await policyOf(work)
  const verdict = decideMoney({ ...facts, policy })
  if (verdict.is === 'accept') {
    postPaid(work, payment)
    await acceptMoney(work, late)
    if (amount.minor > askedMinor) await recordSurplus(work, amount.minor - askedMinor, policy)
    return
  }
  await holdMoney(work, payment, verdict.reason, verdict.is === 'refund')
}

/**
 * What is known of the order besides this payment. A session that is the whole of its order and waits for this payment has
 * neither another open one nor one that paid it: both would have moved its counter of events, which guards what is written.
 */
async function standingOf({ session, payment, sql, merchant }: Work, late: boolean) {
  const waits = session.row.status === 'PROCESSING_PAYMENT' && payment.relatedPaymentId === null
  if (!late && waits && isWholeOrder(session.row)) return { paid: false, open: false }
  return readOrder(sql, {
    merchantId: merchant.id,
    orderKey: payment.orderKey ?? payment.id,
    besides: payment.id,
  })
}

/** Whether the merchant deleted the session, or the one that now stands for it in its chain of refreshes. */
async function orderWasDeleted({ session, sql, merchant }: Work): Promise<boolean> {
  let { deletedAt, successorId } = session.row
  while (deletedAt === null && successorId !== null) {
    const successor = await findSessionEvenDeleted(sql, merchant.id, successorId)
    if (!successor) break
    ;({ deletedAt, successorId } = successor)
  }
  return deletedAt !== null
}

function compare(came: bigint, asked: bigint): 'exact' | 'more' | 'less' {
  return came === asked ? 'exact' : came > asked ? 'more' : 'less'
}

/** This payment pays its order: the session is FINISHED, and so is whatever replaced it. The entry is posted by the caller. */
export async function acceptMoney(work: Work, late: boolean): Promise<void> {
  const { payment, session, reach, now } = work
  payment.acceptedAt = now
  payment.hold = null
  payment.attention = null
  finish(session)
  for (let next = session.row.successorId; next !== null; ) {
    const successor = await reach.lockSession(next)
    if (!successor) break
    finish(successor)
    next = successor.row.successorId
  }
  await reach.countLinkUse(payment.paymentLinkId, late ? 'paidUncounted' : 'paid')
}

function finish(session: TrackedSession): void {
  if (session.row.deletedAt !== null) return
  const event = edge(sessionMachine, session.row.status, 'paid') ? 'paid' : 'paidLate'
  if (edge(sessionMachine, session.row.status, event)) session.move(event)
}

/** Puts money aside until somebody decides, or sends it back at once where the policy says so. */
export async function holdMoney(work: Work, payment: Payment, reason: HoldReason, sendBack: boolean): Promise<void> {
  payment.hold = reason
  payment.attention = holdTexts[reason]
  payment.nextCheckAt = null
  postHeld(work, payment)
  record(work, 'payment.held', payment)
  if (sendBack) await startReturn(work, payment, 'Sent back by the policy for late and surplus money.')
}

/** What came beyond the amount is a payment of its own, related to the one that was paid. */
async function recordSurplus(work: Work, surplusMinor: bigint, policy: Policy): Promise<void> {
  const child = relatedPayment(work, { minor: surplusMinor, currency: work.payment.purchaseCurrency })
  const accept = policy === 'accept'
  child.connectorRef = null
  child.receivedMinor = surplusMinor
  if (accept) {
    postPaid(work, child)
    work.changes.insertPayment(child)
    record(work, 'payment.received', child)
    return
  }
  child.hold = 'surplus'
  child.attention = holdTexts.surplus
  work.changes.insertPayment(child)
  await holdMoney(work, child, 'surplus', policy === 'refund')
}

/**
 * A payment on record for money that came beside or after `work.payment`, at the same rate. The amount that was asked for
 * has the same shares and fees; another one goes whole to the first destination: how splits would share it is not ours to guess.
 */
export function relatedPayment(work: Work, money: Money): Payment {
  const { payment, now, rail } = work
  const gross = money.minor === payment.purchaseMinor ? payment.grossMinor : worth(money, payment)
  const whole = gross === payment.grossMinor
  const fees = whole ? payment.fees : []
  const id = newId('payment', now.getTime())
  return {
    ...payment,
    id,
    externalId: id,
    ...untouched,
    relatedPaymentId: payment.id,
    connectorRef: payment.connectorRef,
    status: rail.paidOn,
    purchaseMinor: money.minor,
    grossMinor: gross,
    totalMinor: whole ? payment.totalMinor : gross,
    fees,
    destinations: whole ? payment.destinations : wholeToFirst(payment, gross),
    origin: payment.origin && { ...payment.origin, amount: formatAmount(money.minor, money.currency) },
    requestHash: null,
    nextCheckAt: null,
    createdAt: now,
    updatedAt: now,
    expiresAt: null,
    capturedAt: rail.paidOn === 'CAPTURED' ? now : null,
    receivedAt: rail.paidOn === 'RECEIVED' ? now : null,
  }
}

function wholeToFirst(payment: Payment, gross: bigint): Payment['destinations'] {
  const [first] = payment.destinations
  return first ? [{ ...first, amount: formatAmount(gross, payment.currency) }] : []
}

/**
 * Makes a payment of another amount out of one that was asked for, when somebody accepts less: destinations and fees
 * shrink in proportion, so that its entry moves exactly what came.
 */
export function shrinkTo(payment: Payment, purchaseMinor: bigint): void {
  const before = payment.grossMinor
  const gross = worth({ minor: purchaseMinor, currency: payment.purchaseCurrency }, payment)
  const parts = allocate(
    gross,
    payment.destinations.map((d) => parseAmount(d.amount, payment.currency) ?? 0n),
  )
  payment.destinations = payment.destinations
    .map((d, index) => ({ ...d, amount: formatAmount(parts[index] ?? 0n, payment.currency) }))
    .filter((_, index) => (parts[index] ?? 0n) > 0n)
  payment.fees = payment.fees.map((fee) => ({
    ...fee,
    amountMinor: ((BigInt(fee.amountMinor) * gross) / before).toString(),
  }))
  payment.grossMinor = gross
  payment.totalMinor = gross - totalFees(payment.fees)
  payment.purchaseMinor = purchaseMinor
  if (payment.origin) payment.origin.amount = formatAmount(purchaseMinor, payment.purchaseCurrency)
}

/** What money is worth in the payment's currency at its frozen rate, rounded half up, at least one minor unit. */
function worth(money: Money, payment: Payment): bigint {
  const rate = parseDecimal(payment.rate)
  if (!rate || money.currency === payment.currency) return money.minor
  const exact = divideHalfUp(
    money.minor * rate.digits * unitOf(payment.currency),
    unitOf(money.currency) * 10n ** BigInt(rate.scale),
  )
  return exact > 0n ? exact : 1n
}
