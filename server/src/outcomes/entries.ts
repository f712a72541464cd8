/** The ledger entries of a payment's life, from its frozen figures. */

import { parseAmount } from '../kit/money.ts'
import type { EntryKind } from '../ledger/post.ts'
import * as postings from '../ledger/posting.ts'
import type { Payment } from '../payments/payment.ts'
import { totalFees } from '../rules/fee.ts'
import type { Work } from './work.ts'

/** Gross and fee of each destination: fees are spread pro rata by largest remainder. */
export function sharesOf(payment: Payment): postings.Share[] {
  const grosses = payment.destinations.map((d) => parseAmount(d.amount, payment.currency) ?? 0n)
  const fees = postings.spreadFee(totalFees(payment.fees), grosses)
  return payment.destinations.map((d, index) => ({
    accountId: d.accountId,
    gross: grosses[index] ?? 0n,
    fee: fees[index] ?? 0n,
  }))
}

function incoming(payment: Payment): postings.Incoming {
  return {
    rail: payment.rail,
    purchase: { minor: payment.purchaseMinor, currency: payment.purchaseCurrency },
    gross: { minor: payment.grossMinor, currency: payment.currency },
    destinations: sharesOf(payment),
  }
}

/** What came, as far as it belongs to this payment: held money is on record with what really came. */
export function heldMoney(payment: Payment) {
  return {
    minor: payment.receivedMinor ?? payment.purchaseMinor,
    currency: payment.receivedCurrency ?? payment.purchaseCurrency,
  }
}

export async function postPaid({ writes, now }: Work, payment: Payment): Promise<void> {
  await post(writes, payment, 'paid', postings.paidPostings(incoming(payment)), now)
}

export async function postHeld({ writes, now }: Work, payment: Payment): Promise<void> {
  await post(writes, payment, 'held', postings.heldPostings({ rail: payment.rail, amount: heldMoney(payment) }), now)
}

export async function postHoldAccepted({ writes, now }: Work, payment: Payment): Promise<void> {
  await post(writes, payment, 'hold_accepted', postings.holdAcceptedPostings(incoming(payment)), now)
}

export async function postHoldReturned({ writes, now }: Work, payment: Payment): Promise<void> {
  await post(
    writes,
    payment,
    'hold_returned',
    postings.holdReturnedPostings({ rail: payment.rail, amount: heldMoney(payment) }),
    now,
  )
}

export async function postSettled({ writes, now }: Work, payment: Payment): Promise<void> {
  await post(
    writes,
    payment,
    'settled',
    postings.settledPostings({ currency: payment.currency, destinations: sharesOf(payment) }),
    now,
  )
}

/** The paid entry mirrored; a hold that was accepted leaves what is left of it where `paid` would have left it. */
export async function postReversed({ writes, now }: Work, payment: Payment): Promise<void> {
  await post(writes, payment, 'reversed', postings.mirrored(postings.paidPostings(incoming(payment))), now)
}

async function post(
  writes: Work['writes'],
  payment: Payment,
  kind: EntryKind,
  list: postings.Posting[],
  now: Date,
): Promise<void> {
  await writes.post({ merchantId: payment.merchantId, kind, sourceId: payment.id, postings: list, now })
}
