/** Applies stored notices: each is matched with its payment and goes the same road as every outcome. Safe to repeat after a crash. */

import type { Notice } from '@pasarela/connector-kit'
import type { Merchant } from '../access/caller.ts'
import { findMerchant } from '../access/find.ts'
import { onEveryClock } from '../access/moved-clocks.ts'
import { connectorFor } from '../connections/registry.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { brokenConstraint } from '../kit/db.ts'
import { isId } from '../kit/id.ts'
import { findPaymentBeside, findPaymentById, findPaymentByRef } from '../payments/find.ts'
import type { Payment } from '../payments/payment.ts'
import { pollPayment } from '../processing/asking/poll.ts'
import { markPayment } from '../processing/settle/mark-payment.ts'
import { takeSecondMoney } from '../processing/settle/second-money.ts'
import { settleNotice } from '../processing/settle/settle.ts'
import { type Decision, decideNotice, type Effect, type NoticeRow, tellsOtherMoney, waitAgain } from './notice.ts'
import { readBody } from './receive.ts'
import { claimNoticesDue, type NoticeResult, updateNotice, wakeNotices } from './store.ts'

const slice = 50
/** Longer than asking a provider may take. */
const leaseMs = 30_000
/** After so many failures of ours a person is told; tries go on. */
const failuresQuiet = 5

/** One round: a slice of all merchants' notices, and of each test clock's. True when more may be due. */
export function processNotices(ctx: Context): Promise<boolean> {
  return onEveryClock(ctx, slice, (now, merchantId) => processDue(ctx, now, merchantId))
}

/** A slice of what is due at `now`, of one merchant or of all; returns how many. */
export async function processDue(ctx: Context, now: Date, merchantId: number | null): Promise<number> {
  const claimed = await claimNoticesDue(ctx.sql, { now, leaseMs, merchantId, most: slice })
  const done = await Promise.allSettled(claimed.map((row) => processNotice(ctx, row)))
  for (const result of done)
    if (result.status === 'rejected') ctx.log.error({ err: result.reason }, 'what became of a notice could not be kept')
  return claimed.length
}

/** Looks at one notice and writes what became of it. */
export async function processNotice(ctx: Context, row: NoticeRow): Promise<void> {
  const merchant = await findMerchant(ctx.sql, row.merchantId)
  if (!merchant) return
  await updateNotice(ctx.sql, row, await attempt(ctx, merchant, row))
}

async function attempt(ctx: Context, merchant: Merchant, row: NoticeRow): Promise<NoticeResult> {
  try {
    if (row.otherBody !== null && row.effect !== null) return await listContradiction(ctx, merchant, row)
    return await look(ctx, merchant, row)
  } catch (error) {
    if (brokenConstraint(error) === 'payments_connector_ref')
      return listed(row, 'Its reference belongs to another payment already.')
    ctx.log.error({ err: error, notice: row.id }, 'a notice could not be applied')
    const { nextAt } = waitAgain(row, '', nowFor(ctx, merchant))
    const attention = row.tries >= failuresQuiet ? 'It could not be applied; the log says why.' : row.attention
    return { ...unchanged(row), attention, nextAt }
  }
}

async function look(ctx: Context, merchant: Merchant, row: NoticeRow): Promise<NoticeResult> {
  const connector = connectorFor(row.connector)
  const notice = connector && readBody(connector, row.body)
  if (!notice) return listed(row, 'Its signature is right, but what it says cannot be read.')
  const decision = decideNotice({ notice, ...(await match(ctx, row, notice)) })
  if (decision.is === 'list') return listed(row, decision.why)
  const now = nowFor(ctx, merchant)
  if (decision.is === 'wait') return { ...unchanged(row), ...waitAgain(row, decision.why, now) }
  // The payment got its reference while this was decided: it is decided again.
  if (!(await apply(ctx, merchant, notice, decision))) return look(ctx, merchant, row)
  await wakeNotices(ctx.sql, row.merchantId, row.ref, now)
  // A contradiction that came before this was done is looked at next.
  const nextAt = row.otherBody === null ? null : now
  return { paymentId: decision.payment.id, effect: effectOf(decision.is), attention: null, nextAt, appliedAt: now }
}

/** A reference is the provider's own word and counts more than the id that it repeats to us. */
async function match(ctx: Context, row: NoticeRow, notice: Notice) {
  const { paymentId = '' } = notice
  const [byId, holder] = await Promise.all([
    isId('payment', paymentId) ? findPaymentById(ctx.sql, row.merchantId, paymentId) : undefined,
    findPaymentByRef(ctx.sql, row.merchantId, row.connector, notice.ref),
  ])
  // Money that came after a payment had ended is on record beside it, under the same reference.
  const ended = holder?.status === 'EXPIRED' || holder?.status === 'FAILED'
  const late = ended ? await findPaymentBeside(ctx.sql, row.merchantId, holder.id, notice.ref) : undefined
  return { named: byId?.connector === row.connector ? await ordered(ctx, byId) : undefined, referred: late ?? holder }
}

/** What the payer was asked for, where a notice names money that came beside it. */
async function ordered(ctx: Context, payment: Payment): Promise<Payment> {
  if (payment.relatedPaymentId === null) return payment
  const parent = await findPaymentById(ctx.sql, payment.merchantId, payment.relatedPaymentId)
  return parent ? ordered(ctx, parent) : payment
}

type Act = Extract<Decision, { payment: Payment }>

/** False when nothing was done, because what was decided on has changed. */
async function apply(ctx: Context, merchant: Merchant, notice: Notice, { is, payment }: Act): Promise<boolean> {
  switch (is) {
    case 'ask':
      await pollPayment(ctx, merchant, payment.id)
      return true
    case 'second_money':
      await takeSecondMoney(ctx, merchant, payment.id, notice.outcome)
      return true
    case 'settle': {
      const settled = await settleNotice(ctx, merchant, payment.id, notice.outcome)
      if (!settled) return false
      if (tellsOtherMoney(notice, settled))
        await markPayment(ctx, merchant, payment.id, 'The provider told of two different amounts for this payment.')
      return true
    }
  }
}

function effectOf(is: Act['is']): Effect {
  return is === 'settle' ? 'applied' : is === 'ask' ? 'asked' : 'second_money'
}

/** The first notice stands; that a second one of its reference and kind said something else is for a person. */
async function listContradiction(ctx: Context, merchant: Merchant, row: NoticeRow): Promise<NoticeResult> {
  const why = 'It came again and said something else.'
  if (row.paymentId !== null)
    await markPayment(ctx, merchant, row.paymentId, 'The provider repeated a notice and said something else.')
  return { ...listed(row, why), effect: row.effect }
}

function unchanged(row: NoticeRow): NoticeResult {
  const { paymentId, effect, attention, nextAt, appliedAt } = row
  return { paymentId, effect, attention, nextAt, appliedAt }
}

function listed(row: NoticeRow, attention: string): NoticeResult {
  return { ...unchanged(row), attention, nextAt: null }
}
