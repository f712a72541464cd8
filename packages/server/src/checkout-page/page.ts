/** What a page is made of: the session or link, its payee, and how to write addresses. Filled by load.ts, read by the views. */

import type { Currency } from '@pasarela/connector-kit'
import type { Merchant } from '../access/caller.ts'
import type { Session } from '../checkout-sessions/session.ts'
import type { Customer, CustomerRequirement, Item } from '../offers/offer.ts'
import type { Payment } from '../payments/payment.ts'
import type { Quote } from '../quotes/quote.ts'
import type { Draft } from './draft.ts'
import type { Frame } from './view/layout.ts'

/** What is for sale: the same of a session and of a link. */
export type Offer = {
  readonly items: readonly Item[]
  readonly currency: Currency
  readonly preTaxMinor: bigint
  readonly totalMinor: bigint
  readonly customer: Customer | null
  readonly customerRequirements: readonly CustomerRequirement[] | null
  readonly quote: Quote
}

/** The words that a redirect leaves in the address for the next page. */
export const notices = {
  price: 'noticePrice',
  refreshed: 'noticeRefreshed',
  norefresh: 'noticeNoRefresh',
  nocancel: 'noticeNoCancel',
  unavailable: 'noticeUnavailable',
  checked: 'noticeChecked',
} as const
export type Notice = keyof typeof notices

/** What the address may say besides the language. */
export type Query = {
  readonly lang?: string
  readonly notice?: Notice
  /** The method whose form is open. */
  readonly method?: string
  /** Lead on at once: to the bank, or to the page for the card. */
  readonly go?: boolean
}

export type Shown = {
  readonly frame: Frame
  readonly query: Query
  readonly merchant: Merchant
  readonly now: Date
  /** The payer's country, if the browser hints at one. */
  readonly guess: string | undefined
  readonly draft: Draft | undefined
}

export type SessionPage = Shown & {
  readonly session: Session
  /** The payment that paid the order, else the session's newest: the open one while it is being paid. */
  readonly payment: Payment | undefined
}

/** A path with its query; what is undefined or false is left out. */
export function address(path: string, query: Query): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === false ? [] : [`${name}=${encodeURIComponent(value === true ? '1' : value)}`],
  )
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`
}
