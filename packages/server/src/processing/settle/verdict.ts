/** What becomes of money that came: a table of facts, decided without asking anybody (design section 8 rule 1). */
import type { HoldReason } from '../../payments/payment.ts'

export type Policy = 'accept' | 'refund' | 'hold'

export type MoneyFacts = {
  /** It came for a payment that had ended already. */
  late: boolean
  sameCurrency: boolean
  amount: 'exact' | 'more' | 'less'
  /** The merchant deleted the session. */
  deleted: boolean
  /** Another payment paid this order. */
  orderPaid: boolean
  /** Another payment of this order may still be paid. */
  otherOpen: boolean
  policy: Policy
}

export type Verdict = { is: 'accept' } | { is: 'hold' | 'refund'; reason: HoldReason }

type Obstacle = { when: (facts: MoneyFacts) => boolean; reason: HoldReason }

/** The first that applies names the reason; without one the money pays its order. */
export const obstacles: readonly Obstacle[] = [
  { when: (f) => !f.sameCurrency, reason: 'wrong_currency' },
  { when: (f) => f.deleted, reason: 'deleted_session' },
  { when: (f) => f.orderPaid, reason: 'second' },
  { when: (f) => f.amount === 'less', reason: 'too_little' },
  { when: (f) => f.late && f.otherOpen, reason: 'second' },
  { when: (f) => f.late && f.policy !== 'accept', reason: 'late' },
]

/**
 * Accepts money that pays its order; else it is sent back where the policy says so, and held where it says anything else:
 * `accept` cannot accept what no order waits for. Another currency is always for a person to decide.
 */
export function decideMoney(facts: MoneyFacts): Verdict {
  const obstacle = obstacles.find(({ when }) => when(facts))
  if (!obstacle) return { is: 'accept' }
  const sendBack = facts.policy === 'refund' && obstacle.reason !== 'wrong_currency'
  return { is: sendBack ? 'refund' : 'hold', reason: obstacle.reason }
}

/** The usual case, in which no policy is asked: the amount that was asked for, in time, for an order that waits for it. */
export function isPlain(facts: Omit<MoneyFacts, 'policy'>): boolean {
  const exact = facts.sameCurrency && facts.amount === 'exact'
  return exact && !facts.late && !facts.deleted && !facts.orderPaid
}
