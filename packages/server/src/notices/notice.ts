/** What is done with a notice: decided from facts alone, as a table. Pure. */
import type { Notice } from '@pasarela/connector-kit'
import type { Payment } from '../payments/payment.ts'

const minute = 60_000
const day = 24 * 60 * minute
/** How long a notice that leads nowhere is looked at again before a person alone can place it. */
const waitsForMs = 7 * day

export type NoticeRow = {
  merchantId: number
  connectionId: string
  ref: string
  kind: string
  id: string
  connector: string
  body: Uint8Array
  copies: number
  otherBody: Uint8Array | null
  paymentId: string | null
  effect: Effect | null
  attention: string | null
  tries: number
  nextAt: Date | null
  receivedAt: Date
  appliedAt: Date | null
  dismissedAt: Date | null
  dismissedWhy: string | null
}

/** What a notice did: its outcome was applied, its money was put on record beside a payment, or the provider was asked. */
export type Effect = 'applied' | 'second_money' | 'asked'

export type Facts = {
  notice: Notice
  /** The payment that our id in the notice names. */
  named: Payment | undefined
  /** The payment, the money beside one, or the refund that has the provider's reference. */
  referred: Payment | undefined
}

export type Decision =
  | { is: 'settle' | 'second_money' | 'ask'; payment: Payment }
  | { is: 'wait'; why: string }
  | { is: 'list'; why: string }

type Rule = { when: (facts: Facts) => boolean; decide: (facts: Facts) => Decision }

const unmatched = 'It speaks of no payment of ours.'

/** The first that applies decides. The README tells the same, with what follows from each. */
const rules: readonly Rule[] = [
  {
    when: ({ named, referred }) => !named && !referred,
    decide: () => ({ is: 'wait', why: unmatched }),
  },
  {
    when: ({ named, referred }) => !!named && !!referred && !sameMoney(named, referred),
    decide: () => ({ is: 'list', why: 'It names one payment by our id and another by its reference.' }),
  },
  {
    when: ({ named, referred }) => (referred ?? named)?.type === 'REFUND',
    decide: ({ named, referred }) => onThe(referred ?? named, 'ask'),
  },
  {
    when: ({ notice, referred, named }) => notice.outcome.is === 'reversed' && isUnpaid(referred ?? named),
    decide: () => ({ is: 'wait', why: 'It takes back money that has not come.' }),
  },
  { when: ({ referred }) => !!referred, decide: ({ referred }) => onThe(referred, 'settle') },
  { when: ({ named }) => named?.connectorRef === null, decide: ({ named }) => onThe(named, 'settle') },
  { when: ({ notice }) => 'amount' in notice.outcome, decide: ({ named }) => onThe(named, 'second_money') },
  { when: () => true, decide: ({ named }) => onThe(named, 'ask') },
]

/** Decides what becomes of a notice. */
export function decideNotice(facts: Facts): Decision {
  const rule = rules.find(({ when }) => when(facts))
  return rule ? rule.decide(facts) : { is: 'wait', why: unmatched }
}

function onThe(payment: Payment | undefined, is: 'settle' | 'second_money' | 'ask'): Decision {
  return payment ? { is, payment } : { is: 'wait', why: unmatched }
}

function sameMoney(named: Payment, referred: Payment): boolean {
  return referred.id === named.id || referred.relatedPaymentId === named.id
}

/** Whether no money is on record for it: none came yet, or none will. */
function isUnpaid(payment: Payment | undefined): boolean {
  if (!payment || payment.acceptedAt !== null || payment.hold !== null) return false
  return payment.receivedAt === null && payment.reversedAt === null
}

/** Whether the notice tells of other money than what is on record as received; fees are often taken before `settled`. */
export function tellsOtherMoney({ outcome }: Notice, payment: Payment): boolean {
  if (outcome.is !== 'captured' && outcome.is !== 'received') return false
  if (payment.receivedMinor === null) return false
  const currency = payment.receivedCurrency ?? payment.purchaseCurrency
  return outcome.amount.minor !== payment.receivedMinor || outcome.amount.currency !== currency
}

/** When a notice that led nowhere is looked at again, and what is told of it once it has waited for a day. */
export function waitAgain(
  row: Pick<NoticeRow, 'receivedAt' | 'tries'>,
  why: string,
  now: Date,
): { nextAt: Date | null; attention: string | null } {
  const waitedMs = now.getTime() - row.receivedAt.getTime()
  const attention = waitedMs >= day ? why : null
  if (waitedMs >= waitsForMs) return { nextAt: null, attention }
  const pauseMs = waitedMs >= day ? 60 * minute : Math.min(minute, 1000 * 2 ** Math.min(row.tries, 6))
  return { nextAt: new Date(now.getTime() + pauseMs), attention }
}
