/**
 * Submits a payment to a session. Two transactions with the provider between them: first the fact "we are about to ask",
 * then, through `settle`, what it said. If the process dies in between, the poller finds the payment and asks.
 */

import type { PaymentOrder } from '@pasarela/connector-kit'
import type { Merchant } from '../../access/caller.ts'
import { readSession } from '../../checkout-sessions/find.ts'
import { lockSession, trackSession } from '../../checkout-sessions/move.ts'
import { isDue, isWholeOrder, type Session, sessionMachine, stepTime } from '../../checkout-sessions/session.ts'
import { type Context, nowFor } from '../../kit/context.ts'
import { type Executor, transaction } from '../../kit/db.ts'
import { newId } from '../../kit/id.ts'
import { next } from '../../kit/machine.ts'
import { problem } from '../../kit/problem.ts'
import { findOpenPayment, findPaymentById, readStanding } from '../../payments/find.ts'
import type { Payment } from '../../payments/payment.ts'
import { toSnapshot } from '../../payments/schema.ts'
import { claimNew } from '../../platform/idempotency.ts'
import type { Keyed } from '../../platform/idempotency-key.ts'
import { answerWith, claimWith, type KeyWrite } from '../../platform/idempotency-part.ts'
import { ask, connectorOfPayment, orderOf } from '../asking/order.ts'
import { cancelOpen } from '../cancel-payment.ts'
import { settle, settleWork } from '../settle/settle.ts'
import { Changes } from '../writing/changes.ts'
import { lockingReach, type Work, withoutLocks } from '../writing/work.ts'
import { save, writeUnlocked } from '../writing/write.ts'
import { reportBegun } from './begun.ts'
import { newPayment } from './new-payment.ts'
import { type ReadSubmission, readSubmission, type Submission } from './read-submission.ts'

/** Who submits. `keyed`: the request's Idempotency-Key, answered with the payment. */
export type Submitter = { readonly merchant: Merchant; readonly keyed?: Keyed<Payment> | undefined }

/**
 * Submits a payment (contract section 2.9). The same request again while its payment is open returns that one; another one
 * replaces the open payment where that can be cancelled. Throws `notFound`, `invalidParam`/`missingParam` naming every
 * fault, `quoteExpired`, and `failedPrecondition` when session, link or order can take no payment.
 */
export async function submitPayment(
  ctx: Context,
  submitter: Submitter,
  sessionId: string,
  body: Submission,
): Promise<Payment> {
  const session = await readSession(ctx.sql, submitter.merchant.id, sessionId)
  if (!session) throw problem('notFound', 'There is no such checkout session.')
  const submission = readSubmission(body, session)
  const begun =
    (await beginUnlocked(ctx, submitter, session, submission)) ??
    (await beginLocked(ctx, submitter, sessionId, submission))
  return goOn(ctx, submitter, session, begun, body)
}

/** From what has begun to its answer: the provider is asked where it has to be. */
async function goOn(
  ctx: Context,
  submitter: Submitter,
  session: Session,
  begun: Begun,
  body: Submission,
): Promise<Payment> {
  const { merchant, keyed } = submitter
  if (begun.order) await reportBegun(ctx, begun.payment, begun.order)
  // Another request's payment is open: it may be a twin's, and to replace it takes several commits.
  if (!begun.order && keyed) await claimNew(ctx.sql, keyed.key, new Date(ctx.clock.nowMs()))
  if (begun.is === 'known') return begun.payment
  if (begun.is === 'replace') {
    await cancelOpen(ctx, merchant, begun.payment)
    return submitPayment(ctx, submitter, session.id, body)
  }
  const outcome = await ask(ctx, begun.payment, 'start', orderOf(ctx, merchant, begun.payment, session))
  const read = begun.session && { session: begun.session, payment: begun.payment }
  return settle(ctx, merchant, begun.payment.id, outcome, { read, keyed })
}

/**
 * `new`: its provider is to be asked. `known`: it is the answer. `replace`: another one is open. `order` says that the payment
 * has just begun; `session` is as it was written, where no other process held it locked.
 */
type Begun = { is: 'new' | 'known' | 'replace'; payment: Payment; order?: PaymentOrder; session?: Session }

/** Begins where no other process is at work on the session and no link counts its uses; undefined where it takes locks. */
async function beginUnlocked(
  ctx: Context,
  { merchant, keyed }: Submitter,
  session: Session,
  submission: ReadSubmission,
): Promise<Begun | undefined> {
  const now = stepTime(session, nowFor(ctx, merchant))
  if (keyed?.key.resumed || session.paymentLinkId !== null || isDue(session, now)) return undefined
  const { paid, open } = await standingOf(ctx.sql, session)
  if (open) return undefined
  refuseUnpayable(session, submission, paid, now)
  const tracked = trackSession(session, now)
  const start = { sql: ctx.sql, merchant, now, session: tracked, changes: new Changes(tracked), reach: withoutLocks }
  const { is, payment, order, keys } = await beginPayment(ctx, start, submission, keyed)
  const set = start.changes.take(keys)
  return set && (await writeUnlocked(ctx.sql, set)) ? { is, payment, order, session } : undefined
}

/**
 * Whether the order is paid or being paid. A session that is the whole of its order and waits for a payment has neither: both
 * would have moved its counter of events, which guards what is written.
 */
async function standingOf(sql: Executor, session: Session): Promise<{ paid: boolean; open: boolean }> {
  const waits = session.status === 'ATTEMPT' || session.status === 'ACTIVE'
  return waits && isWholeOrder(session) ? { paid: false, open: false } : readStanding(sql, session)
}

function beginLocked(
  ctx: Context,
  { merchant, keyed }: Submitter,
  sessionId: string,
  submission: ReadSubmission,
): Promise<Begun> {
  return transaction(ctx.sql, async (sql): Promise<Begun> => {
    const session = await lockSession(sql, merchant.id, sessionId, nowFor(ctx, merchant))
    if (!session || session.row.deletedAt) throw problem('notFound', 'There is no such checkout session.')
    const { now } = session
    const repeated =
      keyed?.key.resumed && (await findPaymentById(sql, merchant.id, newId('payment', 0, keyed.key.seed)))
    if (repeated) return { is: 'known', payment: repeated }
    const open = await findOpenPayment(sql, merchant.id, sessionId)
    if (open) return openAlready(open, submission)
    const { paid } = await readStanding(sql, session.row)
    refuseUnpayable(session.row, submission, paid, now)
    const changes = new Changes(session)
    const reach = lockingReach(sql, { merchant, now }, changes)
    await reach.countLinkUse(session.row.paymentLinkId, 'submitted')
    const start = { sql, merchant, now, session, changes, reach }
    const { is, payment, order, keys } = await beginPayment(ctx, start, submission, keyed)
    await save(sql, changes, keys)
    return { is, payment, order }
  })
}

/**
 * Records a new payment of a session. Where the connector can prepare what the payer needs, its answer is applied at once and the
 * payment is `known`: the key gets its answer. Where the provider has to be asked, the key is claimed until it has been.
 */
async function beginPayment(
  ctx: Context,
  start: Omit<Work, 'payment' | 'rail'>,
  submission: ReadSubmission,
  keyed: Keyed<Payment> | undefined,
): Promise<{ is: 'new' | 'known'; payment: Payment; order: PaymentOrder; keys: KeyWrite[] }> {
  const { merchant, now, session, changes } = start
  const payment = newPayment({ merchant, seed: keyed?.key.seed }, session.row, submission, now)
  const order = orderOf(ctx, merchant, payment, session.row)
  const connector = connectorOfPayment(payment)
  changes.insertPayment(payment)
  session.move('submit')
  session.record('payment.created', toSnapshot(payment))
  const written = { writtenId: session.row.id, at: new Date(ctx.clock.nowMs()) }
  const prepared = connector.prepare?.(order)
  if (!prepared) return { is: 'new', payment, order, keys: claimWith(keyed, written) }
  await settleWork({ ...start, payment, rail: submission.rail }, prepared)
  return { is: 'known', payment, order, keys: answerWith(keyed, payment, written) }
}

function openAlready(open: Payment, submission: ReadSubmission): Begun {
  const same = open.requestHash !== null && submission.requestHash.equals(open.requestHash)
  return { is: same ? 'known' : 'replace', payment: open }
}

function refuseUnpayable(session: Session, { method }: ReadSubmission, paid: boolean, now: Date): void {
  // The machine names what is wrong; the expiry by the clock was applied to the row, or there is none.
  next(sessionMachine, session.status, 'submit')
  if (paid) throw problem('failedPrecondition', 'This order is paid already.')
  if (method.currency !== session.currency && session.quoteExpiresAt !== null && session.quoteExpiresAt <= now) {
    throw problem(
      'quoteExpired',
      'The price in the payer’s currency is no longer valid; refresh the session for a new one.',
    )
  }
}
