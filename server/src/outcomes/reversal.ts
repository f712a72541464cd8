/** The provider took money back: what that undoes before settlement, and what a person must decide after it. */
import { edge, next } from '../kit/machine.ts'
import { formatAmount, type Money } from '../kit/money.ts'
import { findSurplus, listRefunds } from '../payments/find.ts'
import { type Payment, paymentMachine } from '../payments/payment.ts'
import { postHoldReturned, postReversed } from './entries.ts'
import { releaseSession } from './release.ts'
import { flag, tell, type Work } from './work.ts'

/** The provider took back what came: the entry is mirrored, of the surplus too that came with it. */
export async function reverseMoney(work: Work, wasHeld: boolean): Promise<void> {
  const { payment, sql, merchant, now } = work
  if (wasHeld) {
    await postHoldReturned(work, payment)
    await releaseSession(work, 'expire')
  } else {
    await postReversed(work, payment)
    flag(work, 'The provider took the money back before it settled.')
  }
  const surplus = mayHaveSurplus(payment) ? await findSurplus(sql, merchant.id, payment.id) : undefined
  if (!surplus || !edge(paymentMachine, surplus.status, 'reverse')) return
  const surplusWork = { ...work, payment: surplus }
  const held = surplus.hold !== null
  surplus.status = next(paymentMachine, surplus.status, 'reverse')
  surplus.reversedAt = now
  surplus.hold = null
  surplus.attention = null
  surplus.nextCheckAt = null
  tell(surplusWork, 'payment.reversed')
  if (held) await postHoldReturned(surplusWork, surplus)
  else await postReversed(surplusWork, surplus)
  await work.writes.updatePayment(surplus)
}

/**
 * The provider took back money that has settled. The ledger is not touched: a person decides, and until then nothing of the
 * payment, nor of the surplus that came with it, is refunded.
 */
export async function markReversal(work: Work, amount: Money): Promise<void> {
  const { payment, sql, merchant } = work
  const surplus = mayHaveSurplus(payment) ? await findSurplus(sql, merchant.id, payment.id) : undefined
  const refunds = await listRefunds(sql, merchant.id, payment.id)
  if (surplus) refunds.push(...(await listRefunds(sql, merchant.id, surplus.id)))
  flag(work, describeReversal(payment, amount, refunds))
  if (!surplus || surplus.attention !== null) return
  flag({ ...work, payment: surplus }, 'The provider took back the payment that this surplus came with.')
  await work.writes.updatePayment(surplus)
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

/** A surplus is on record only where more came than was asked for. */
export function mayHaveSurplus({ receivedMinor, purchaseMinor }: Payment): boolean {
  return receivedMinor === null || receivedMinor > purchaseMinor
}
