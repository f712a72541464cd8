/**
 * Submits a payment to a session. Two transactions with the provider between them: first the fact "we are about to ask",
 * then, through `settle`, what it said. If the process dies in between, the poller finds the payment and asks.
 */
import type { Merchant } from '../access/caller.ts'
import { readSession } from '../checkout-sessions/find.ts'
import { lockSession, trackSession } from '../checkout-sessions/move.ts'
import { isDue, isWholeOrder, type Session, sessionMachine, stepTime } from '../checkout-sessions/session.ts'
import type { PaymentOrder } from '../connectors/connector.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { transaction } from '../kit/db.ts'
import { newId } from '../kit/id.ts'
import { next } from '../kit/machine.ts'
import { problem } from '../kit/problem.ts'
import { countLinkUse } from '../payment-links/move.ts'
import { findOpenPayment, findPaymentById, insertPayment, planSandboxNotices } from '../payments/find.ts'
import type { Payment } from '../payments/payment.ts'
import { toSnapshot } from '../payments/schema.ts'
import { totalFees } from '../rules/fee.ts'
import { limits } from '../vocabulary/limits.ts'
import { cancelOpen } from './cancel-payment.ts'
import { connectorNameFor } from './connection.ts'
import { ask, connectorOfPayment, orderOf } from './order.ts'
import { type ReadSubmission, readSubmission, type Submission } from './read-submission.ts'
import { settle, settleWork } from './settle.ts'
import { readStanding } from './store.ts'
import { recordedWrites, writeUnlocked } from './unlocked.ts'

/** How long the poller leaves a payment alone that is being started: the provider's time limit and a little more. */
const headStartMs = limits.providerTimeoutMs + 5_000

export type Submitter = { merchant: Merchant; seed?: Uint8Array }

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
    (await beginUnlocked(ctx, submitter, session, submission)) ?? (await begin(ctx, submitter, sessionId, submission))
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
  const { merchant } = submitter
  if (begun.is === 'known') return begun.payment
  if (begun.is === 'replace') {
    await cancelOpen(ctx, merchant, begun.payment)
    return submitPayment(ctx, submitter, session.id, body)
  }
  const outcome = await ask(ctx, begun.payment, 'start', orderOf(ctx, merchant, begun.payment, session))
  const read = begun.session && { session: begun.session, payment: begun.payment }
  return settle(ctx, merchant, begun.payment.id, outcome, read)
}

/** `session` as it was written with a new payment, where nobody held it locked. */
type Begun = { is: 'new' | 'known' | 'replace'; payment: Payment; session?: Session }

/** Begins where nobody else is at work on the session and no link counts its uses; undefined where it takes locks. */
async function beginUnlocked(
  ctx: Context,
  submitter: Submitter,
  session: Session,
  submission: ReadSubmission,
): Promise<Begun | undefined> {
  const { merchant } = submitter
  const now = stepTime(session, nowFor(ctx, merchant))
  if (submitter.seed || session.paymentLinkId !== null || isDue(session, now)) return undefined
  const { paid, open } = await standingOf(ctx, session)
  if (open) return undefined
  refuseUnpayable(session, submission, paid, now)
  const payment = newPayment(submitter, session, submission, now)
  const order = orderOf(ctx, merchant, payment, session)
  const notices = noticesOf(payment, order)
  const tracked = trackSession(session, now)
  tracked.move('submit')
  tracked.record('payment.created', toSnapshot(payment))
  const prepared = connectorOfPayment(payment).prepare?.(order)
  if (prepared) {
    const { writes } = recordedWrites()
    await settleWork(
      { sql: ctx.sql, merchant, now, session: tracked, payment, rail: submission.rail, writes },
      prepared,
    )
  }
  const set = { session, ...tracked.take(), newPayments: [payment], payments: [], entries: [], notices }
  if (!(await writeUnlocked(ctx.sql, set))) return undefined
  return { is: prepared ? 'known' : 'new', payment, session }
}

/**
 * Whether the order is paid or being paid. A session that is the whole of its order and waits for a payment has neither: both
 * would have moved its counter of events, which guards what is written.
 */
async function standingOf(ctx: Context, session: Session): Promise<{ paid: boolean; open: boolean }> {
  const waits = session.status === 'ATTEMPT' || session.status === 'ACTIVE'
  return waits && isWholeOrder(session) ? { paid: false, open: false } : readStanding(ctx.sql, session)
}

/** When the sandbox's banks will tell of this payment by themselves. */
function noticesOf(payment: Payment, order: PaymentOrder) {
  const [told] = connectorOfPayment(payment).plays?.notices(order) ?? []
  return told ? [{ payment, dueAt: told.at }] : []
}

function begin(ctx: Context, submitter: Submitter, sessionId: string, submission: ReadSubmission): Promise<Begun> {
  const { merchant } = submitter
  return transaction(ctx.sql, async (sql): Promise<Begun> => {
    const session = await lockSession(sql, merchant.id, sessionId, nowFor(ctx, merchant))
    if (!session || session.row.deletedAt) throw problem('notFound', 'There is no such checkout session.')
    const { now } = session
    const repeated = submitter.seed && (await findPaymentById(sql, merchant.id, newId('payment', 0, submitter.seed)))
    if (repeated) return { is: 'known', payment: repeated }
    const open = await findOpenPayment(sql, merchant.id, sessionId)
    if (open) return openAlready(open, submission)
    const { paid } = await readStanding(sql, session.row)
    refuseUnpayable(session.row, submission, paid, now)
    const payment = newPayment(submitter, session.row, submission, now)
    await insertPayment(sql, payment)
    for (const { dueAt } of noticesOf(payment, orderOf(ctx, merchant, payment, session.row)))
      await planSandboxNotices(sql, payment, dueAt)
    await countLinkUse(sql, merchant.id, payment.paymentLinkId, 'submitted', now)
    session.move('submit')
    session.record('payment.created', toSnapshot(payment))
    await session.save()
    return { is: 'new', payment }
  })
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

/** What has not happened to a payment when it begins. */
const untouched = {
  parentPaymentId: null,
  relatedPaymentId: null,
  identityExternalId: null,
  connectionId: null,
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
} as const

/** Everything that was submitted is frozen into the payment: method, rate, amounts, fees, shares. */
function newPayment(submitter: Submitter, session: Session, submission: ReadSubmission, now: Date): Payment {
  const { rail, method, node, description, requestHash } = submission
  const id = newId('payment', now.getTime(), submitter.seed)
  const railEnd = now.getTime() + rail.expiresAfterMs
  const fees = totalFees(method.fees)
  return {
    ...untouched,
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
    connector: connectorNameFor(submitter.merchant, rail),
    nextCheckAt: new Date(now.getTime() + headStartMs),
    checks: 0,
    createdAt: now,
    updatedAt: now,
    expiresAt: new Date(Math.min(railEnd, session.expiresAt.getTime())),
  }
}
