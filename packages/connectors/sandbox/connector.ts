/** The sandbox: a connector that plays every bank, with scripted trouble. It keeps no state; what it says follows from the order and the clock. */
import type { Connector, Flow, Outcome, PaymentOrder, Rail, RefundOrder, RefundOutcome } from '@pasarela/connector-kit'
import { referenceOf } from './accounts.ts'
import { answerOf } from './answers.ts'
import { isGenuine, readNotice } from './mail.ts'
import { delays, scenarioName, scenarioOf } from './scenarios.ts'
import { after, authorization, declinedByBank, final, openOutcome, paid, stageMs } from './twin.ts'

/** The sandbox of these rails. */
export function sandbox(rails: readonly Rail[]): Connector {
  const flows = new Map(rails.map((rail) => [rail.type, rail.flow]))
  const begin = (order: PaymentOrder) => instructions(order, flows.get(order.rail))
  return {
    name: 'sandbox',
    rails: [...flows.keys()],

    /** Codes and account numbers are computed here; whatever leads to a bank's page or has its trouble at the beginning is a call. */
    prepare(order) {
      const flow = flows.get(order.rail)
      const called = scenarioOf(order).startHangs || scenarioName(order) === 'webhook_first'
      return called || (flow !== 'qr' && flow !== 'transfer') ? undefined : instructions(order, flow)
    },

    async start(order, signal) {
      if (scenarioOf(order).startHangs) return await hang(signal)
      // The bank takes its time to answer, and tells of the money meanwhile.
      if (scenarioName(order) === 'webhook_first') await pause(delays.slowAnswerMs, signal)
      return order.rail === 'CARD' ? openOutcome(order) : begin(order)
    },

    /** A payment whose beginning we never heard the answer of gets its instructions here. */
    async lookup(order) {
      const outcome = lookup(order)
      const unanswered = order.status === 'CREATED' && outcome.is === 'pending' && order.ref === undefined
      return unanswered && order.rail !== 'CARD' ? begin(order) : outcome
    },

    async authorize(order) {
      if (order.status !== 'CREATED' || scenarioOf(order).ends === 'declined') return lookup(order)
      return authorization(order)
    },

    async capture(order) {
      if (!isOpen(order) || scenarioOf(order).ends === 'declined') return lookup(order)
      const reserved = authorization(order)
      return reserved.is === 'authorized' ? paid(order, 'captured') : reserved
    },

    /** A reserved amount is let go. Otherwise the bank's word is final only while the money is not there. */
    async cancel(order) {
      if (!isOpen(order)) return lookup(order)
      const outcome = order.status === 'CREATED' ? openOutcome(order) : undefined
      const moneyIsThere = outcome?.is === 'received' || outcome?.is === 'captured'
      return moneyIsThere ? outcome : { is: 'expired', ref: referenceOf(order.paymentId) }
    },

    async refund(order) {
      return refundOutcome(order)
    },

    isGenuine,
    readNotice,
  }
}

/** What the payer needs in order to pay, and when there may be news. */
function instructions(order: PaymentOrder, flow: Flow | undefined): Extract<Outcome, { is: 'action' }> {
  const fields = answerOf(order, flow)
  const waiting = openOutcome({ ...order, fields: { ...order.fields, ...fields }, now: order.createdAt })
  const askAgain = waiting.askAgainAt === undefined ? {} : { askAgainAt: waiting.askAgainAt }
  return { is: 'action', ref: referenceOf(order.paymentId), fields, ...askAgain }
}

function isOpen(order: PaymentOrder): boolean {
  return order.status === 'CREATED' || order.status === 'AUTHORIZED'
}

/** One step at a time, whatever the hour: a payment that was not asked about for a day is received first and settled at the next look. */
function lookup(order: PaymentOrder): Outcome {
  const { ends, takesBack } = scenarioOf(order)
  const ref = referenceOf(order.paymentId)
  switch (order.status) {
    case 'CREATED':
      return openOutcome(order)
    case 'AUTHORIZED':
      return order.rail === 'CARD' ? authorization(order) : openOutcome(order)
    case 'CAPTURED':
    case 'RECEIVED':
      return lookupPaid(order, takesBack)
    case 'SETTLED':
    case 'REFUNDED':
      return final(order, 'settled')
    case 'REVERSED':
      return final(order, 'reversed')
    case 'EXPIRED': {
      if (ends !== 'late') return { is: 'expired', ref }
      const dueAt = after(order.statusSince, delays.lateMoneyMs)
      return order.now < dueAt ? { is: 'expired', ref, askAgainAt: dueAt } : paid(order, 'received')
    }
    case 'FAILED':
      return { is: 'declined', reason: declinedByBank, ref }
    default:
      return { is: 'pending', ref }
  }
}

function lookupPaid(order: PaymentOrder, takesBack: boolean): Outcome {
  const stage = order.status === 'CAPTURED' ? 'captured' : 'received'
  const dueAt = after(order.statusSince, stageMs(order, stage))
  if (order.now < dueAt) return { ...paid(order, stage), askAgainAt: dueAt }
  if (takesBack) return final(order, 'reversed')
  return stage === 'captured' ? paid(order, 'received') : final(order, 'settled')
}

/** Done after a second; a reason that contains `+declined` is refused instead. */
function refundOutcome(order: RefundOrder): RefundOutcome {
  const ref = referenceOf(order.refundId)
  const dueAt = after(order.createdAt, delays.refundMs)
  if (order.now < dueAt) return { is: 'pending', ref, askAgainAt: dueAt }
  if (order.reason?.includes('+declined')) return { is: 'declined', reason: 'The bank refused the refund (sandbox).' }
  return { is: 'settled', ref }
}

/** Never answers; when the caller gives up, nothing is known, which is `pending`. */
function hang(signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ is: 'pending' })
    signal.addEventListener('abort', () => resolve({ is: 'pending' }), { once: true })
  })
}

/** Waits in real time, until the caller gives up. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(resolve, ms)
    const stop = () => {
      clearTimeout(timer)
      resolve()
    }
    signal.addEventListener('abort', stop, { once: true })
  })
}
