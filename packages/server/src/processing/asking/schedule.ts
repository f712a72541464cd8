/** When a provider is asked again: soon while the payer acts, at the deadline, once more after it, then rarely. */
import type { Outcome, Rail } from '@pasarela/connector-kit'
import { isOpen, type Payment } from '../../payments/payment.ts'

const second = 1000
const minute = 60 * second
const onceMoreMs = 30 * second
/** No provider has reconciled money sooner after it came, not even the sandbox's: an earlier look would be for nothing. */
const reconcileMs = 2 * second

export type Next = { at: Date | null; attention?: string }

/** The next look at a payment after an outcome was applied. `attention` is set when the provider stayed silent past the deadline. */
export function nextCheck(payment: Payment, outcome: Outcome, rail: Rail, now: Date): Next {
  if (payment.hold !== null) return { at: null }
  if (isOpen(payment)) return openCheck(payment, outcome, now)
  if (payment.status === 'RECEIVED' || payment.status === 'CAPTURED')
    return { at: outcome.askAgainAt ?? backoff(payment, now, 6 * 60 * minute, reconcileMs) }
  if (payment.status === 'EXPIRED') return { at: watched(payment, outcome, rail, now) }
  return { at: null }
}

function openCheck(payment: Payment, outcome: Outcome, now: Date): Next {
  const deadline = payment.expiresAt
  const wanted = outcome.askAgainAt ?? backoff(payment, now, 5 * minute)
  if (deadline === null) return { at: wanted }
  if (now < deadline) return { at: wanted < deadline ? wanted : deadline }
  // This was the look at the deadline: one more, then a person is told. Looks go on: the truth may still come by itself.
  const askedBefore = payment.nextCheckAt !== null && payment.nextCheckAt > deadline
  if (!askedBefore) return { at: new Date(now.getTime() + onceMoreMs) }
  return {
    at: backoff(payment, now, 60 * minute),
    attention: 'The provider did not say by the deadline whether this was paid.',
  }
}

/** A reference that ended is asked about while its rail says that money may still come to it. */
function watched(payment: Payment, outcome: Outcome, rail: Rail, now: Date): Date | null {
  // Money that came for it is on record beside it, and is asked about itself.
  const came =
    outcome.is === 'received' || outcome.is === 'settled' || (outcome.is === 'captured' && rail.paidOn === 'CAPTURED')
  if (came) return null
  const until = (payment.expiredAt ?? now).getTime() + rail.watchedForMs
  const wanted =
    outcome.askAgainAt ??
    new Date(now.getTime() + Math.min(6 * 60 * minute, minute * 2 ** Math.min(payment.checks, 12)))
  return wanted.getTime() <= until ? wanted : null
}

function backoff(payment: Payment, now: Date, mostMs: number, firstMs = second): Date {
  return new Date(now.getTime() + Math.min(mostMs, firstMs * 2 ** Math.min(payment.checks, 20)))
}
