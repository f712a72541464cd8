/** The payment link: the reusable offer that sessions are minted from, and its machine. */
import { machine, type StatusOf } from '../kit/machine.ts'
import type { Offer } from '../offers/offer.ts'
import type { EventType } from '../vocabulary/events.ts'

/** Design section 4: the only transitions there are. */
export const linkMachine = machine('payment link', 'ATTEMPT', {
  ATTEMPT: { activate: 'ACTIVE', expire: 'EXPIRED' },
  ACTIVE: { deactivate: 'ATTEMPT', expire: 'EXPIRED', exhaust: 'PROCESSING_PAYMENT' },
  PROCESSING_PAYMENT: { release: 'ACTIVE', expire: 'EXPIRED', finish: 'FINISHED' },
  EXPIRED: { finish: 'FINISHED' },
  FINISHED: {},
})
export type LinkStatus = StatusOf<typeof linkMachine>
export type LinkEvent = 'activate' | 'deactivate' | 'expire' | 'exhaust' | 'release' | 'finish'

/** The event that tells the merchant of each transition. */
export const linkEventTypes = {
  activate: 'payment_link.activated',
  deactivate: 'payment_link.deactivated',
  expire: 'payment_link.expired',
  exhaust: 'payment_link.exhausted',
  release: 'payment_link.released',
  finish: 'payment_link.finished',
} as const satisfies Record<LinkEvent, EventType>

export type PaymentLink = Offer & {
  merchantId: number
  id: string
  pageToken: string
  status: LinkStatus
  ownerIdentityId: string
  maxPayments: number | null
  usesOpen: number
  usesPaid: number
  eventSequence: number
  createdAt: Date
  updatedAt: Date
  expiresAt: Date
  deletedAt: Date | null
}

/** The link's address for payers: a secret part of its own, so that knowing an invoice number opens nothing. */
export function linkUrl(publicUrl: string, merchantId: number, pageToken: string): string {
  return `${publicUrl}/link/${merchantId.toString(36)}-${pageToken}`
}

/** Whether the clock has ended a link; stored rows learn it from the job a moment later. */
export function isLinkDue(link: Pick<PaymentLink, 'status' | 'expiresAt'>, now: Date): boolean {
  return link.expiresAt <= now && link.status !== 'EXPIRED' && link.status !== 'FINISHED'
}
