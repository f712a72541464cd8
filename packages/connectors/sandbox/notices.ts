/** The notices that the sandbox's banks would send of an order by themselves: when, and what they say. Who delivers them is not decided here. */
import type { Outcome, PaymentOrder } from '@pasarela/connector-kit'
import { referenceOf } from './accounts.ts'
import { scenarioOf } from './scenarios.ts'
import { after, amountPaid, declinedByBank } from './twin.ts'

export type Notice = { readonly at: Date; readonly outcome: Outcome }

/** Notices in the order they are sent. A payment made twice has a second reference; a repeated notice has the same. */
export function noticesOf(order: PaymentOrder): Notice[] {
  const { notices, ends } = scenarioOf(order)
  const at = after(order.createdAt, notices.afterMs)
  return Array.from({ length: notices.count }, (_, index) => {
    const ref = referenceOf(order.paymentId) + (notices.distinct && index > 0 ? `-${index + 1}` : '')
    const outcome: Outcome =
      ends === 'declined'
        ? { is: 'declined', reason: declinedByBank, ref }
        : { is: 'received', ref, amount: amountPaid(order) }
    return { at, outcome }
  })
}
