/**
 * The single entry point: every outcome goes through `settle`, whether a submit's answer, a look-up, a notice or an operator brings it.
 * It walks the steps of the machine, posts, moves the session and appends the events, all in one statement. The same outcome
 * twice changes nothing; one that contradicts the record is flagged, never applied.
 */

import type { Money, Outcome } from '@pasarela/connector-kit'
import type { Merchant } from '../../access/caller.ts'
import type { Context } from '../../kit/context.ts'
import { edge, next } from '../../kit/machine.ts'
import { problem } from '../../kit/problem.ts'
import { findPaymentBeside } from '../../payments/find.ts'
import {
  isOpen,
  type Payment,
  type PaymentEvent,
  paymentEventTypes,
  paymentMachine,
  paysAt,
  statusTimes,
  stepsFor,
} from '../../payments/payment.ts'
import type { Keyed } from '../../platform/idempotency-key.ts'
import { answerWith } from '../../platform/idempotency-part.ts'
import { nextCheck } from '../asking/schedule.ts'
import { type Read, readPaymentWithSession } from '../writing/read-payment.ts'
import { flag, record, type Work, workerFor, workLocked, workUnlocked } from '../writing/work.ts'
import { postSettled } from './entries.ts'
import { relatedPayment, takeMoney } from './money.ts'
import { releaseSession } from './release.ts'
import { markReversal, reverseMoney, surplusOf } from './reversal.ts'

/** Applies an outcome to a payment and returns the payment as it then is. `read` saves reading what the caller just wrote. Throws `notFound`. */
export async function settle(
  ctx: Context,
  merchant: Merchant,
  paymentId: string,
  outcome: Outcome,
  { read, keyed }: { read?: Read | undefined; keyed?: Keyed<Payment> | undefined } = {},
): Promise<Payment> {
  const worker = workerFor(ctx, merchant)
  const known = read ?? (await readPaymentWithSession(ctx.sql, merchant.id, paymentId))
  if (!known) throw problem('notFound', 'There is no such payment.')
  const step = (work: Work) => settleWork(work, outcome)
  const keysOf = (settled: Payment) =>
    answerWith(keyed, settled, { writtenId: settled.sessionId, at: new Date(ctx.clock.nowMs()) })
  return (await workUnlocked(worker, known, step, keysOf)) ?? workLocked(worker, paymentId, step, keysOf)
}

/**
 * The same for a notice, which speaks of one reference alone. Undefined, and nothing applied, when the payment has got
 * another one meanwhile: money under a second reference is second money. Throws `notFound`.
 */
export async function settleNotice(
  ctx: Context,
  merchant: Merchant,
  paymentId: string,
  outcome: Outcome,
): Promise<Payment | undefined> {
  const known = await readPaymentWithSession(ctx.sql, merchant.id, paymentId)
  if (!known) throw problem('notFound', 'There is no such payment.')
  // A reference that is there stays. One that is not may be learned without an event, which only a lock keeps out.
  if (known.payment.connectorRef === outcome.ref) return settle(ctx, merchant, paymentId, outcome, { read: known })
  return workLocked(workerFor(ctx, merchant), paymentId, async (work) => {
    const { connectorRef } = work.payment
    return connectorRef === null || connectorRef === outcome.ref ? settleWork(work, outcome) : undefined
  })
}

/** The same on a step's view of the rows, under locks or without. */
export async function settleWork(work: Work, outcome: Outcome): Promise<Payment> {
  const { payment } = work
  const late = payment.status === 'EXPIRED' || payment.status === 'FAILED'
  absorb(work, outcome)
  const steps = stepsFor(payment.status, outcome.is, work.rail.paidOn)
  for (const step of steps) await takeStep(work, step, outcome)
  payment.checks = steps.length > 0 ? 0 : payment.checks + 1
  if (late && bringsMoney(outcome)) await takeMoneyBeside(work, outcome)
  else if (payment.status === 'SETTLED' && outcome.is === 'reversed') await markReversal(work, outcome.amount)
  else if (contradicts(payment, outcome))
    flag(work, `The provider says "${outcome.is}" of a payment that is ${payment.status}.`)
  const { at, attention } = nextCheck(payment, outcome, work.rail, work.now)
  payment.nextCheckAt = at
  if (attention) flag(work, attention)
  work.changes.updatePayment(payment)
  return payment
}

export type MoneyOutcome = Extract<Outcome, { amount: Money }>

export function bringsMoney(outcome: Outcome): outcome is MoneyOutcome {
  return outcome.is === 'captured' || outcome.is === 'received' || outcome.is === 'settled'
}

/** A refusal or an end that is reported after the money was there. */
function contradicts(payment: Payment, outcome: Outcome): boolean {
  const paid = payment.acceptedAt !== null && payment.status !== 'REVERSED'
  return paid && (outcome.is === 'declined' || outcome.is === 'expired')
}

/** Keeps the provider's reference, and what it answered for the payer (QR, account, page), in the node. */
function absorb(work: Work, outcome: Outcome): void {
  const { payment, rail } = work
  // Money beside a payment got its reference when it came; a surplus has none, for it came under its payment's.
  if (outcome.ref !== undefined && payment.relatedPaymentId === null) payment.connectorRef ??= outcome.ref
  if (outcome.is !== 'action' || !payment.origin || payment.status !== 'CREATED') return
  const before = (payment.origin[rail.key] ?? {}) as Record<string, unknown>
  const instructed = { ...before, ...outcome.fields }
  if (JSON.stringify(instructed) === JSON.stringify(before)) return
  payment.origin = { ...payment.origin, [rail.key]: instructed }
  record(work, 'payment.instructed')
}

async function takeStep(work: Work, step: PaymentEvent, outcome: Outcome): Promise<void> {
  const { payment, rail, now } = work
  // Held money settles when somebody has decided, not when the provider reconciles it.
  if (step === 'settle' && payment.hold !== null) return
  const waited = isOpen(payment)
  const wasHeld = payment.hold !== null
  payment.status = next(paymentMachine, payment.status, step)
  payment[statusTimes[step]] = now
  // The provider has spoken: what somebody was to look at has an answer.
  if (waited) payment.attention = null
  if (step === 'fail' && outcome.is === 'declined') payment.failureReason = outcome.reason.slice(0, 500)
  if (step === 'reverse') payment.hold = null
  const pays = waited && paysAt(step, rail.paidOn) && bringsMoney(outcome)
  if (pays) keepReceived(payment, outcome.amount)
  record(work, paymentEventTypes[step])
  if (pays) await takeMoney(work, outcome.amount, { late: false, askedMinor: payment.purchaseMinor })
  if (step === 'settle') await settleMoney(work)
  if (step === 'reverse') await reverseMoney(work, wasHeld)
  if (step === 'fail' || step === 'expire') await releaseSession(work, step)
}

async function settleMoney(work: Work): Promise<void> {
  postSettled(work, work.payment)
  const surplus = await surplusOf(work)
  if (!surplus || surplus.hold !== null || !edge(paymentMachine, surplus.status, 'settle')) return
  // It has no reference of its own to be asked about: it settles with the payment it came with.
  surplus.status = next(paymentMachine, surplus.status, 'settle')
  surplus.settledAt = work.now
  postSettled(work, surplus)
  record(work, 'payment.settled', surplus)
  work.changes.updatePayment(surplus)
}

/**
 * Money that came after a payment had ended, or once more under a reference of its own, is a payment of its own: what
 * ended or was paid stays as it is. There is one per reference, and later news under it goes to that one.
 */
export async function takeMoneyBeside(work: Work, outcome: MoneyOutcome): Promise<Payment | undefined> {
  const { sql, merchant, payment } = work
  const known = await findPaymentBeside(sql, merchant.id, payment.id, outcome.ref)
  if (known) {
    const locked = await work.reach.lockPayment(known.id)
    return locked && settleWork({ ...work, payment: locked }, outcome)
  }
  if (work.rail.paidOn === 'RECEIVED' && outcome.is === 'captured') return undefined
  const askedMinor = payment.purchaseMinor
  const { minor, currency } = outcome.amount
  const less = currency === payment.purchaseCurrency && minor < askedMinor
  const child = relatedPayment(work, { minor: less ? minor : askedMinor, currency: payment.purchaseCurrency })
  child.connectorRef = outcome.ref
  keepReceived(child, outcome.amount)
  const childWork = { ...work, payment: child }
  work.changes.insertPayment(child)
  record(childWork, child.status === 'CAPTURED' ? 'payment.captured' : 'payment.received')
  await takeMoney(childWork, outcome.amount, { late: true, askedMinor })
  child.nextCheckAt = nextCheck(child, outcome, work.rail, work.now).at
  work.changes.updatePayment(child)
  return child
}

function keepReceived(payment: Payment, { minor, currency }: Money): void {
  payment.receivedMinor = minor
  payment.receivedCurrency = currency === payment.purchaseCurrency ? null : currency
}
