/** The provider took money back: what that undoes before settlement, and what a person must decide after it. */

import { formatAmount, type Money } from '@pasarela/connector-kit'
import { edge, next } from '../../kit/machine.ts'
import { findSurplus, listRefunds } from '../../payments/find.ts'
import { type Payment, paymentMachine } from '../../payments/payment.ts'
import { flag, record, type Work } from '../writing/work.ts'
import { postHoldReturned, postReversed } from './entries.ts'
import { releaseSession } from './release.ts'

/** The provider took back what came: the entry is mirrored, of the surplus too that came with it. */
export async function reverseMoney(work: Work, wasHeld: boolean): Promise<void> {
  const { payment, now } = work
  if (wasHeld) {
    postHoldReturned(work, payment)
    await releaseSession(work, 'expire')
  } else {
    postReversed(work, payment)
    flag(work, 'The provider took the money back before it settled.')
  }
  const surplus = await surplusOf(work)
  if (!surplus || !edge(paymentMachine, surplus.status, 'reverse')) return
  const surplusWork = { ...work, payment: surplus }
  const held = surplus.hold !== null
  surplus.status = next(paymentMachine, surplus.status, 'reverse')
  surplus.reversedAt = now
  surplus.hold = null
  surplus.attention = null
  surplus.nextCheckAt = null
  record(surplusWork, 'payment.reversed')
  if (held) postHoldReturned(surplusWork, surplus)
  else postReversed(surplusWork, surplus)
  work.changes.updatePayment(surplus)
}

/**
 * The provider took back money that has settled. The ledger is not touched: a person decides, and until then nothing of the
 * payment, nor of the surplus that came with it, is refunded.
 */
export async function markReversal(work: Work, amount: Money): Promise<void> {
  const { payment, sql, merchant } = work
  const surplus = await surplusOf(work)
  const refunds = await listRefunds(sql, merchant.id, payment.id)
  if (surplus) refunds.push(...(await listRefunds(sql, merchant.id, surplus.id)))
  flag(work, describeReversal(payment, amount, refunds))
  if (!surplus || surplus.attention !== null) return
  flag({ ...work, payment: surplus }, 'The provider took back the payment that this surplus came with.')
  work.changes.updatePayment(surplus)
}

/** What was taken back beside what went back already: whoever decides needs both amounts. */
function describeReversal(payment: Payment, amount: Money, refunds: readonly Payment[]): string {
  const sum = (status: Payment['status']) =>
    refunds.reduce((total, refund) => (refund.status === status ? total + refund.purchaseMinor : total), 0n)
  const [done, underWay] = [sum('SETTLED'), sum('RECEIVED')]
  const say = (minor: bigint, currency = payment.purchaseCurrency) => `${formatAmount(minor, currency)} ${currency}`
  const parts = [`The provider reports that it took back ${say(amount.minor, amount.currency)} after settlement.`]
  if (done + underWay > 0n) parts.push(`Refunds: ${say(done)} done, ${say(underWay)} under way.`)
  const excess = amount.minor + done + underWay - (payment.receivedMinor ?? payment.purchaseMinor)
  if (amount.currency === payment.purchaseCurrency && excess > 0n)
    parts.push(`Together that is ${say(excess)} more than was paid.`)
  return parts.join(' ')
}

/** What came beyond the amount of the payment: recorded by this very step, or on record. */
export async function surplusOf({ sql, merchant, payment, changes }: Work): Promise<Payment | undefined> {
  const { receivedMinor, purchaseMinor } = payment
  // A surplus exists only where more came than was asked for.
  if (receivedMinor !== null && receivedMinor <= purchaseMinor) return undefined
  const fresh = changes.newPayments.find((p) => p.relatedPaymentId === payment.id && p.connectorRef === null)
  return fresh ?? findSurplus(sql, merchant.id, payment.id)
}
