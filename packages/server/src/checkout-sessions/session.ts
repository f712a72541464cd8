/** The session: one payer's attempt to pay a fixed list of items. Its machine, and what can be decided without asking anybody. */
import { dayNumberAt } from '../kit/day.ts'
import { idTimeMs } from '../kit/id.ts'
import { machine, type StatusOf } from '../kit/machine.ts'
import type { Offer } from '../offers/offer.ts'
import type { Quote } from '../quotes/quote.ts'
import type { EventType } from '../vocabulary/events.ts'
import { limits } from '../vocabulary/limits.ts'

/** Design section 4: the only transitions there are. */
export const sessionMachine = machine('checkout session', 'ATTEMPT', {
  ATTEMPT: { open: 'ACTIVE', submit: 'PROCESSING_PAYMENT', expire: 'EXPIRED', paidLate: 'FINISHED' },
  ACTIVE: { submit: 'PROCESSING_PAYMENT', expire: 'EXPIRED', paidLate: 'FINISHED' },
  PROCESSING_PAYMENT: { paid: 'FINISHED', retry: 'ACTIVE', release: 'ACTIVE', fail: 'FAILED', lapse: 'EXPIRED' },
  EXPIRED: { paidLate: 'FINISHED' },
  FAILED: { paidLate: 'FINISHED' },
  FINISHED: {},
})
export type SessionStatus = StatusOf<typeof sessionMachine>
export type SessionEvent = 'open' | 'submit' | 'expire' | 'paidLate' | 'paid' | 'retry' | 'release' | 'fail' | 'lapse'

/** The event that tells the merchant of each transition. */
export const sessionEventTypes = {
  open: 'checkout_session.opened',
  submit: 'checkout_session.payment_submitted',
  expire: 'checkout_session.expired',
  paidLate: 'checkout_session.paid_late',
  paid: 'checkout_session.finished',
  retry: 'checkout_session.reopened',
  release: 'checkout_session.reopened',
  fail: 'checkout_session.failed',
  lapse: 'checkout_session.expired',
} as const satisfies Record<SessionEvent, EventType>

export type Session = Offer & {
  merchantId: number
  id: string
  rootSessionId: string
  successorId: string | null
  paymentLinkId: string | null
  pageToken: string
  status: SessionStatus
  ownerIdentityId: string
  orderKey: string
  quote: Quote
  quoteExpiresAt: Date | null
  tries: number
  payerRefreshes: number
  eventSequence: number
  /** Of a payment's event too, which leaves `updatedAt` as it is. Null before the first step. */
  lastEventAt: Date | null
  createdAt: Date
  /** The day of the id's time in the merchant's zone, as a number: what counters are kept by. */
  createdDay: number
  updatedAt: Date
  expiresAt: Date
  finishedAt: Date | null
  deletedAt: Date | null
}

/** What an order is, for paying it at most once: the merchant's own reference, else the chain of sessions. */
export function orderKeyOf(metadata: Readonly<Record<string, string>>, rootSessionId: string): string {
  const reference = metadata.orderReference
  return reference ? `ref:${reference}` : rootSessionId
}

/** What a session's `createdDay` is. The id's time counts, not `createdAt`: lists find their days by ranges of ids. */
export function createdDayOf(id: string, timeZone: string): number {
  return dayNumberAt(idTimeMs(id), timeZone)
}

/**
 * Whether this session is the whole of its order, as far as its row says: no refreshed one beside it, no reference shared with
 * others. All that can happen to such an order happens to this session and moves its counter of events.
 */
export function isWholeOrder(session: Session): boolean {
  return session.orderKey === session.id && session.successorId === null && session.deletedAt === null
}

/** Whether the clock has ended a session that still waits; stored rows learn it from the job a moment later. */
export function isDue(session: Pick<Session, 'status' | 'expiresAt'>, now: Date): boolean {
  return (session.status === 'ATTEMPT' || session.status === 'ACTIVE') && session.expiresAt <= now
}

/** The time of a step at `now`: never before the last event of the session's stream, whatever clock that was written by. */
export function stepTime(row: Pick<Session, 'updatedAt' | 'lastEventAt'>, now: Date): Date {
  const times = [now, row.updatedAt, row.lastEventAt ?? row.updatedAt]
  return new Date(Math.max(...times.map((time) => time.getTime())))
}

/** What a failed payment does to its session: another try before `expiresAt` while the chain has tries left. */
export function afterFailure(session: Pick<Session, 'expiresAt' | 'tries'>, now: Date): 'retry' | 'fail' {
  return now < session.expiresAt && session.tries + 1 < limits.triesPerChain ? 'retry' : 'fail'
}

/** What a payment that ended unpaid (deadline, cancel) does to its session; it costs no try. */
export function afterRelease(session: Pick<Session, 'expiresAt'>, now: Date): 'release' | 'lapse' {
  return now < session.expiresAt ? 'release' : 'lapse'
}

/** Where the payer goes from here (design section 4 rule 9). */
export function redirectUrlOf(session: Pick<Session, 'status' | 'successUrl' | 'failedUrl'>): string | null {
  return session.status === 'FAILED' || session.status === 'EXPIRED' ? session.failedUrl : session.successUrl
}

/** The payer's address: it holds the secret page token and, before it, the merchant whose rows are looked at. */
export function pageUrl(publicUrl: string, merchantId: number, pageToken: string): string {
  return `${publicUrl}/pay/${merchantId.toString(36)}-${pageToken}`
}
