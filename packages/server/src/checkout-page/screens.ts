/** The two tables of the page: which screen a status gets, and what an action may do in it. No `if` elsewhere decides that. */

import type { Flow } from '@pasarela/connector-kit'
import type { SessionStatus } from '../checkout-sessions/session.ts'
import type { PaymentStatus } from '../payments/payment.ts'

/** What the payer sees. */
export const screens = [
  'choose',
  'qr',
  'transfer',
  'bank',
  'wallet',
  'starting',
  'held',
  'authorized',
  'paid',
  'expired',
  'failed',
] as const
export type Screen = (typeof screens)[number]

/** `waiting`: the flow of the open payment decides, see below. */
export const screenOfStatus: Readonly<Record<SessionStatus, Screen | 'waiting'>> = {
  ATTEMPT: 'choose',
  ACTIVE: 'choose',
  PROCESSING_PAYMENT: 'waiting',
  FINISHED: 'paid',
  EXPIRED: 'expired',
  FAILED: 'failed',
}

/**
 * The screen of an open payment, by its status; `instructions`: by its flow, once the provider has said how to pay. HELD:
 * money came that was not as expected, and somebody decides what becomes of it.
 */
export const screenOfPayment: Readonly<Record<PaymentStatus | 'HELD', Screen | 'instructions'>> = {
  HELD: 'held',
  CREATED: 'instructions',
  AUTHORIZED: 'authorized',
  CAPTURED: 'starting',
  RECEIVED: 'starting',
  SETTLED: 'starting',
  FAILED: 'starting',
  EXPIRED: 'starting',
  REVERSED: 'starting',
}

export const screenOfFlow: Readonly<Record<Flow, Screen>> = {
  qr: 'qr',
  transfer: 'transfer',
  redirect: 'bank',
  wallet: 'wallet',
  card: 'starting',
}

export type OpenPayment = { status: PaymentStatus | 'HELD'; flow: Flow; instructed: boolean }

/** The screen of a session whose expiry by the clock was applied. `open` is its payment while it is being paid. */
export function screenFor(status: SessionStatus, open: OpenPayment | undefined): Screen {
  const screen = screenOfStatus[status]
  if (screen !== 'waiting') return screen
  const ofPayment = open ? screenOfPayment[open.status] : 'starting'
  if (ofPayment !== 'instructions') return ofPayment
  return open?.instructed ? screenOfFlow[open.flow] : 'starting'
}

export const actions = ['pay', 'cancel', 'refresh', 'check'] as const
export type Action = (typeof actions)[number]

/** `do`: the action is carried out. `show`: it comes too late or twice (back button, second click), so the page just shows how things are. */
export const whatActionDoes: Readonly<Record<Action, Readonly<Record<SessionStatus, 'do' | 'show'>>>> = {
  pay: {
    ATTEMPT: 'do',
    ACTIVE: 'do',
    PROCESSING_PAYMENT: 'show',
    FINISHED: 'show',
    EXPIRED: 'show',
    FAILED: 'show',
  },
  cancel: {
    ATTEMPT: 'show',
    ACTIVE: 'show',
    PROCESSING_PAYMENT: 'do',
    FINISHED: 'show',
    EXPIRED: 'show',
    FAILED: 'show',
  },
  refresh: {
    ATTEMPT: 'do',
    ACTIVE: 'do',
    PROCESSING_PAYMENT: 'show',
    FINISHED: 'show',
    EXPIRED: 'do',
    FAILED: 'do',
  },
  check: {
    ATTEMPT: 'show',
    ACTIVE: 'do',
    PROCESSING_PAYMENT: 'do',
    FINISHED: 'show',
    EXPIRED: 'do',
    FAILED: 'do',
  },
}

/** Screens that wait for news: they listen for it, and refresh by themselves without JavaScript. */
export const awaitsNews: Readonly<Record<Screen, boolean>> = {
  choose: false,
  qr: true,
  transfer: true,
  bank: true,
  wallet: true,
  starting: true,
  held: true,
  authorized: false,
  paid: false,
  expired: false,
  failed: false,
}
