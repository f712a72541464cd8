/** The ledger entries of a payment's life, from its frozen figures. */

import { parseAmount } from '@pasarela/connector-kit'
import type { EntryKind } from '../../ledger/entry.ts'
import * as postings from '../../ledger/posting.ts'
import type { Payment } from '../../payments/payment.ts'
import { totalFees } from '../../rules/fee.ts'
import type { Work } from '../writing/work.ts'

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

export function postPaid(work: Work, payment: Payment): void {
  post(work, payment, 'paid', postings.paidPostings(incoming(payment)))
}

export function postHeld(work: Work, payment: Payment): void {
  post(work, payment, 'held', postings.heldPostings({ rail: payment.rail, amount: heldMoney(payment) }))
}

export function postHoldAccepted(work: Work, payment: Payment): void {
  post(work, payment, 'hold_accepted', postings.holdAcceptedPostings(incoming(payment)))
}

export function postHoldReturned(work: Work, payment: Payment): void {
  const list = postings.holdReturnedPostings({ rail: payment.rail, amount: heldMoney(payment) })
  post(work, payment, 'hold_returned', list)
}

export function postSettled(work: Work, payment: Payment): void {
  const list = postings.settledPostings({ currency: payment.currency, destinations: sharesOf(payment) })
  post(work, payment, 'settled', list)
}

/** The paid entry mirrored; a hold that was accepted leaves what is left of it where `paid` would have left it. */
export function postReversed(work: Work, payment: Payment): void {
  post(work, payment, 'reversed', postings.mirrored(postings.paidPostings(incoming(payment))))
}

/** Records an entry of a payment. */
export function post({ changes, now }: Work, payment: Payment, kind: EntryKind, list: postings.Posting[]): void {
  changes.post({ merchantId: payment.merchantId, kind, sourceId: payment.id, postings: list, now })
}
