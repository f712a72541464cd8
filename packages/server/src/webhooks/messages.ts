/** Which messages each format makes of an event, by name and in order. The published formats know payments alone. */

import { isCurrency, parseAmount } from '@pasarela/connector-kit'
import { wantsEvent } from '../events/match.ts'
import type { EventType } from '../vocabulary/events.ts'
import type { Format, Told } from './endpoint.ts'

/** Contract section 6.2 A: our event → its name and the status that goes with it. */
export const publishedV1: Partial<Record<EventType, { event: string; status: string }>> = {
  'payment.captured': { event: 'Transaction.Captured', status: 'CAPTURED' },
  'payment.received': { event: 'Transaction.Received', status: 'RECEIVED' },
  'payment.failed': { event: 'Transaction.Failed', status: 'FAILED' },
}

const changed = 'transaction.status_changed'

/** Contract section 6.2 B. Every transition is told by its older name too. */
const publishedV2: Partial<Record<EventType, readonly string[]>> = {
  'payment.authorized': [changed],
  'payment.captured': [changed],
  'payment.received': [changed],
  'payment.settled': [changed, 'payment.settled'],
  'payment.failed': [changed, 'payment.failed'],
  'payment.expired': [changed, 'payment.expired'],
  'payment.reversed': [changed],
  'payment.refund.created': ['payment.refund.created'],
  'payment.refund.settled': [changed, 'payment.refund.settled'],
  'payment.refund.failed': [changed, 'payment.refund.failed'],
}

/** Whether a format looks into payments whose money was held or settled: only then are they read. */
export function looksIntoMoney(format: Format): boolean {
  return format === 'published-v2'
}

/** The names of the messages that an endpoint with these wishes gets for an event; none where it is not for it. */
export function messagesOf(endpoint: { format: Format; eventTypes: readonly string[] }, told: Told): string[] {
  if (!wantsEvent(endpoint.eventTypes, told.type)) return []
  if (endpoint.format === 'standard') return [told.type]
  if (endpoint.format === 'published-v1') {
    const known = publishedV1[told.type]
    return known ? [known.event] : []
  }
  return [...(publishedV2[told.type] ?? []), ...amountMessages(told)]
}

/** Money that was held for its amount, and a settled payment that brought more than was asked for. */
function amountMessages({ type, money }: Told): string[] {
  if (type === 'payment.held' && money?.hold === 'too_little') return ['purchase.underpaid']
  if (type === 'payment.held' && money?.hold === 'surplus') return ['purchase.overpaid']
  return type === 'payment.settled' && money !== null && isOverpaid(money) ? ['purchase.overpaid'] : []
}

function isOverpaid(payment: Record<string, unknown>): boolean {
  const { purchaseCurrency: currency, purchaseAmount: asked, receivedAmount: came } = payment
  if (typeof currency !== 'string' || !isCurrency(currency)) return false
  if (typeof asked !== 'string' || typeof came !== 'string') return false
  return (parseAmount(came, currency) ?? 0n) > (parseAmount(asked, currency) ?? 0n)
}
