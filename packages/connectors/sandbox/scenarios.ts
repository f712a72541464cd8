/** The sandbox's script: which trouble an order asked for, and when things happen. A table, so that it can be read and tested. */
import type { PaymentOrder } from '@pasarela/connector-kit'

/** When the sandbox's banks act, in milliseconds. */
export const delays = {
  /** From the creation of a payment until the bank has an outcome. */
  outcomeMs: 1000,
  /** The same where the payer is sent to a bank's page: time to look around and press a button there. */
  bankPageMs: 8000,
  /** From our recording of CAPTURED until RECEIVED. */
  receiptMs: 1000,
  /** From our recording of RECEIVED until SETTLED. */
  settlementMs: 2000,
  /** From our recording of paid until the bank takes it back. */
  reversalMs: 1000,
  /** From the end of a payment until late money for it comes. */
  lateMoneyMs: 1000,
  /** From the start of a refund until it is done. */
  refundMs: 1000,
  /** How long a bank takes to answer that tells of the money first; in real time, because the caller waits. */
  slowAnswerMs: 1000,
} as const

export type Scenario = {
  /** What happens, for the documentation. */
  readonly means: string
  /** What becomes of a payment the payer is still to make. */
  readonly ends: 'paid' | 'declined' | 'never' | 'late'
  /** How much comes, in twentieths of what was asked for; in whole steps of the currency and never nothing. */
  readonly twentieths: bigint
  /** `start` never answers; the payment exists all the same. */
  readonly startHangs: boolean
  /** The bank takes the money back before settlement. */
  readonly takesBack: boolean
  /** How the bank tells of the money by itself: how often, and how long after the payment began. */
  readonly notices: { readonly count: number; readonly distinct: boolean; readonly afterMs: number }
}

const plain: Scenario = {
  means: 'paid after a second, settled two seconds later',
  ends: 'paid',
  twentieths: 20n,
  startHangs: false,
  takesBack: false,
  notices: { count: 1, distinct: false, afterMs: delays.outcomeMs },
}
const noNotices = { count: 0, distinct: false, afterMs: 0 }

export const scenarios = {
  normal: plain,
  declined: { ...plain, means: 'refused: a card at once, another rail after a second', ends: 'declined' },
  late: {
    ...plain,
    means: 'not paid by its deadline; the money comes a second after the payment ended',
    ends: 'late',
    notices: noNotices,
  },
  silent: { ...plain, means: 'the bank never says anything', ends: 'never', notices: noNotices },
  wrong_amount: { ...plain, means: 'half of the amount comes', twentieths: 10n },
  wrong_amount_more: { ...plain, means: 'a tenth more than the amount comes', twentieths: 22n },
  timeout: { ...plain, means: 'the call that begins the payment hangs; a look-up knows it', startHangs: true },
  reversed: { ...plain, means: 'paid, then taken back before settlement', takesBack: true },
  twice: {
    ...plain,
    means: 'paid twice: a second notice with a reference of its own',
    notices: { ...plain.notices, count: 2, distinct: true },
  },
  webhook_first: {
    ...plain,
    means: 'the notice comes before the answer that began the payment',
    notices: { ...plain.notices, afterMs: 0 },
  },
  storm: { ...plain, means: 'the same notice ten times', notices: { ...plain.notices, count: 10 } },
} as const satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof scenarios

/** Other names people try. */
const aliases: ReadonlyMap<string, ScenarioName> = new Map([
  ['surplus', 'wrong_amount_more'],
  ['decline', 'declined'],
])

/** The scenario by metadata `sandboxScenario` or `scenario`, else by a tag of the payer's e-mail (`ana+late@example.com`), else normal. */
export function scenarioName(order: Pick<PaymentOrder, 'metadata' | 'fields'>): ScenarioName {
  const asked = [order.metadata.sandboxScenario, order.metadata.scenario, ...emailTags(order.fields.customer)]
  for (const text of asked) {
    const name = known(text)
    if (name !== undefined) return name
  }
  return 'normal'
}

export function scenarioOf(order: Pick<PaymentOrder, 'metadata' | 'fields'>): Scenario {
  return scenarios[scenarioName(order)]
}

function known(text: string | undefined): ScenarioName | undefined {
  if (text === undefined) return undefined
  const name = text.trim().toLowerCase().replaceAll('-', '_')
  return Object.hasOwn(scenarios, name) ? (name as ScenarioName) : aliases.get(name)
}

/** Every tag of `ana+one+two@example.com`. */
function emailTags(customer: unknown): string[] {
  const email = (customer as { email?: unknown } | undefined)?.email
  if (typeof email !== 'string') return []
  return email
    .slice(0, Math.max(0, email.lastIndexOf('@')))
    .split('+')
    .slice(1)
}
