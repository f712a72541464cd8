/** Refunds a settled payment, wholly or in part (design section 5; contract section 10.5). */

import { allocate, formatAmount, parseAmount } from '@pasarela/connector-kit'
import type { Caller, Merchant } from '../../access/caller.ts'
import { lockAvailable } from '../../accounts/lock-available.ts'
import { type Context, nowFor } from '../../kit/context.ts'
import { newId } from '../../kit/id.ts'
import { problem } from '../../kit/problem.ts'
import { findPaymentById, listRefunds } from '../../payments/find.ts'
import { type Payment, refundObstacle } from '../../payments/payment.ts'
import { askRefund } from '../asking/order.ts'
import { record, workerFor, workLocked } from '../writing/work.ts'
import { newRefund, postRefundStarted, type RefundFigures, settleRefund } from './return-money.ts'

/**
 * Starts a refund and asks the provider. `amount` in the payer's currency; without it, all that remains. Throws `notFound`,
 * `invalidParam` for an amount that is none, `failedPrecondition` for a payment that is not SETTLED or is marked, and for an amount too large,
 * `insufficientFunds` when the destinations have too little available.
 */
export async function refundPayment(
  ctx: Context,
  caller: Caller,
  paymentId: string,
  input: { amount?: string; reason?: string },
): Promise<Payment> {
  const { merchant } = caller
  const refund = await workLocked(workerFor(ctx, merchant), paymentId, async (work) => {
    const { sql } = work
    const repeated = caller.seed && (await findPaymentById(sql, merchant.id, newId('payment', 0, caller.seed)))
    if (repeated) return repeated
    const { payment: parent } = work
    const obstacle = refundObstacle(parent)
    if (obstacle) throw problem('failedPrecondition', obstacle)
    const figures = refundFigures(parent, await listRefunds(sql, merchant.id, parent.id), input.amount)
    const child = newRefund(work, parent, figures, input.reason ?? null, caller.seed)
    await lockAvailable(sql, merchant.id, takes(child))
    work.changes.insertPayment(child)
    postRefundStarted(work, child)
    record(work, 'payment.refund.created', child)
    return child
  })
  return carryOut(ctx, merchant, refund)
}

/** Asks the provider for a refund that is on record, and applies its answer. */
export async function carryOut(ctx: Context, merchant: Merchant, refund: Payment): Promise<Payment> {
  if (refund.status !== 'RECEIVED') return refund
  const parent = await findPaymentById(ctx.sql, merchant.id, refund.parentPaymentId ?? '')
  const outcome = await askRefund(ctx, refund, {
    refundId: refund.id,
    rail: refund.rail,
    parentRef: parent?.connectorRef ?? '',
    amount: { minor: refund.purchaseMinor, currency: refund.purchaseCurrency },
    reason: refund.description ?? undefined,
    createdAt: refund.createdAt,
    now: nowFor(ctx, merchant),
  })
  return settleRefund(ctx, merchant, refund.id, outcome)
}

function takes(payment: Payment) {
  return payment.destinations.map((d) => ({
    accountId: d.accountId,
    amountMinor: parseAmount(d.amount, payment.currency) ?? 0n,
  }))
}

/**
 * What a refund moves. The destinations' part is the difference of two running totals, so that refunds which together make
 * the whole take exactly the whole, whatever the rate and however many they are.
 */
function refundFigures(parent: Payment, earlier: readonly Payment[], amount: string | undefined): RefundFigures {
  const standing = earlier.filter((r) => r.status !== 'FAILED')
  const before = standing.reduce((sum, r) => sum + r.purchaseMinor, 0n)
  const remaining = parent.purchaseMinor - before
  const purchaseMinor = amount === undefined ? remaining : readAmount(amount, parent)
  if (purchaseMinor > remaining || remaining === 0n) {
    throw problem(
      'failedPrecondition',
      `Only ${formatAmount(remaining, parent.purchaseCurrency)} ${parent.purchaseCurrency} of this payment can still be refunded.`,
      {
        errors: [
          { pointer: '/amount', detail: `must be at most "${formatAmount(remaining, parent.purchaseCurrency)}"` },
        ],
      },
    )
  }
  const grossTaken = standing.reduce((sum, r) => sum + r.grossMinor, 0n)
  const grossMinor = (parent.grossMinor * (before + purchaseMinor)) / parent.purchaseMinor - grossTaken
  if (grossMinor <= 0n)
    throw problem('failedPrecondition', `This amount is worth nothing in ${parent.currency}; refund more at once.`)
  const parts = allocate(grossMinor, leftOf(parent, standing))
  const destinations = parent.destinations
    .map((d, index) => ({ ...d, amount: formatAmount(parts[index] ?? 0n, parent.currency) }))
    .filter((_, index) => (parts[index] ?? 0n) > 0n)
  return { purchaseMinor, grossMinor, destinations }
}

/**
 * What earlier refunds have left of each destination's share. Splitting by what is left keeps many small refunds pro rata
 * together: split by the shares alone, every odd minor unit would be the first destination's.
 */
function leftOf(parent: Payment, earlier: readonly Payment[]): bigint[] {
  const taken = new Map<string, bigint>()
  for (const { accountId, amountMinor } of earlier.flatMap(takes)) {
    taken.set(accountId, (taken.get(accountId) ?? 0n) + amountMinor)
  }
  return takes(parent).map(({ accountId, amountMinor }) => {
    const gone = taken.get(accountId) ?? 0n
    const here = gone < amountMinor ? gone : amountMinor
    taken.set(accountId, gone - here)
    return amountMinor - here
  })
}

function readAmount(text: string, parent: Payment): bigint {
  const minor = parseAmount(text, parent.purchaseCurrency)
  if (minor !== undefined) return minor
  const detail = `must be an amount of ${parent.purchaseCurrency}: more than zero, with at most its decimals`
  throw problem('invalidParam', `/amount ${detail}.`, { errors: [{ pointer: '/amount', detail }] })
}

/** The refunds of a payment and what may still be refunded. Throws `notFound`. */
export async function readRefunds(
  ctx: Context,
  caller: Caller,
  paymentId: string,
): Promise<{ parent: Payment; refunds: Payment[] }> {
  const parent = await findPaymentById(ctx.sql, caller.merchant.id, paymentId)
  if (!parent) throw problem('notFound', 'There is no such payment.')
  return { parent, refunds: await listRefunds(ctx.sql, caller.merchant.id, paymentId) }
}
