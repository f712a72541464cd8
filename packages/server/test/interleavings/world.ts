/** A merchant with an order or two, and everything that may happen to them at once: what the interleavings are made of. */
import { randomBytes } from 'node:crypto'
import { referenceOf, signNotice } from '@pasarela/connectors/sandbox'
import fc from 'fast-check'
import type { FastifyBaseLogger } from 'fastify'
import type { Caller, Merchant } from '../../src/access/caller.ts'
import { createMerchant } from '../../src/access/manage-clients.ts'
import { createAccount } from '../../src/accounts/create.ts'
import { createSession } from '../../src/checkout-sessions/create.ts'
import { expireDueSessions } from '../../src/checkout-sessions/expire.ts'
import { refreshSession } from '../../src/checkout-sessions/refresh.ts'
import { type Connection, sandboxConnection } from '../../src/connections/connection.ts'
import { createIdentity } from '../../src/identities/create.ts'
import type { Context } from '../../src/kit/context.ts'
import type { Sql } from '../../src/kit/db.ts'
import { newId } from '../../src/kit/id.ts'
import { setPolicies } from '../../src/late-money/policies.ts'
import { processDue } from '../../src/notices/process.ts'
import { receiveNotice } from '../../src/notices/receive.ts'
import { expireDueLinks } from '../../src/payment-links/expire.ts'
import { createLink } from '../../src/payment-links/manage.ts'
import type { Payment } from '../../src/payments/payment.ts'
import { pollDue, pollPayment } from '../../src/processing/asking/poll.ts'
import { cancelPayment } from '../../src/processing/cancel-payment.ts'
import { deleteSession } from '../../src/processing/delete-session.ts'
import { refundPayment } from '../../src/processing/refunds/refund-payment.ts'
import { capturePayment } from '../../src/processing/settle/drive-payment.ts'
import { resolvePayment } from '../../src/processing/settle/resolve-payment.ts'
import { submitPayment } from '../../src/processing/submit/submit-payment.ts'
import { sendDue } from '../../src/sandbox/send-notices.ts'
import { findNextDue } from '../../src/sandbox/store.ts'

const second = 1000
const minute = 60 * second
const startMs = Date.UTC(2026, 5, 1, 12)

/** What a run begins with: sessions of one order or of several, perhaps from a link that may be paid so many times. */
export type Setting = {
  sessions: 1 | 2
  oneOrder: boolean
  linkPayments: number | null
  policy: 'accept' | 'refund' | 'hold'
  durationSeconds: number
}

const tags = [
  '',
  '+declined',
  '+late',
  '+wrong_amount',
  '+wrong_amount_more',
  '+silent',
  '+twice',
  '+storm',
  '+reversed',
]
const events = ['received', 'settled', 'captured', 'declined', 'expired', 'reversed'] as const
const amounts = ['exact', 'less', 'more', 'other'] as const

export type Op =
  | { op: 'submit'; session: number; tag: string; card: 'none' | 'approved' | 'manual' }
  | { op: 'notice'; payment: number; event: (typeof events)[number]; amount: (typeof amounts)[number]; again: boolean }
  | { op: 'poll' | 'cancel' | 'capture'; payment: number }
  | { op: 'refund'; payment: number; part: boolean }
  | { op: 'resolve'; payment: number; decision: 'accept' | 'refund' | 'failed' }
  | { op: 'refresh' | 'delete'; session: number }
  | { op: 'expire' | 'inbox' }
  | { op: 'wait'; ms: number }

type OnPayment = Extract<Op, { payment: number }>
type Target = Pick<Payment, 'id' | 'sessionId' | 'status' | 'type' | 'hold' | 'attention'> & {
  purchase: string
  ref: string | null
}

const aptFor: Record<OnPayment['op'], (target: Target) => boolean> = {
  notice: (p) => p.type === 'PURCHASE',
  poll: (p) => p.status !== 'SETTLED' && p.status !== 'REVERSED',
  cancel: (p) => p.status === 'CREATED' || p.status === 'AUTHORIZED',
  capture: (p) => p.status === 'CREATED' || p.status === 'AUTHORIZED',
  refund: (p) => p.type === 'PURCHASE' && p.status === 'SETTLED',
  resolve: (p) => p.hold !== null || p.attention !== null,
}

const which = fc.nat({ max: 5 })
const session = fc.nat({ max: 3 })
const constant = <T>(value: T) => fc.constant(value)

export const anySubmit: fc.Arbitrary<Op> = fc.record({
  op: constant('submit' as const),
  session,
  tag: fc.constantFrom(...tags),
  card: fc.constantFrom('none' as const, 'none' as const, 'approved' as const, 'manual' as const),
})

/** Something to do; what is likely to matter is likely. */
export const anyOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: anySubmit },
  {
    weight: 6,
    arbitrary: fc.record({
      op: constant('notice' as const),
      payment: which,
      event: fc.constantFrom('received' as const, 'received' as const, ...events),
      amount: fc.constantFrom('exact' as const, 'exact' as const, ...amounts),
      again: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ op: constant('poll' as const), payment: which }) },
  { weight: 2, arbitrary: fc.record({ op: constant('cancel' as const), payment: which }) },
  { weight: 1, arbitrary: fc.record({ op: constant('capture' as const), payment: which }) },
  { weight: 2, arbitrary: fc.record({ op: constant('refund' as const), payment: which, part: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      op: constant('resolve' as const),
      payment: which,
      decision: fc.constantFrom('accept' as const, 'refund' as const, 'failed' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: constant('refresh' as const), session }) },
  { weight: 2, arbitrary: fc.record({ op: constant('delete' as const), session }) },
  { weight: 3, arbitrary: fc.record({ op: constant('expire' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: constant('inbox' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: constant('wait' as const),
      ms: fc.constantFrom(second, 3 * second, 10 * minute, 31 * minute, 61 * minute),
    }),
  },
)

export const anySetting: fc.Arbitrary<Setting> = fc.record({
  sessions: fc.constantFrom(1 as const, 2 as const),
  oneOrder: fc.boolean(),
  linkPayments: fc.constantFrom(null, null, 1, 2),
  policy: fc.constantFrom('accept' as const, 'refund' as const, 'hold' as const),
  durationSeconds: fc.constantFrom(600, 3600),
})

export type World = {
  merchant: Merchant
  connection: Connection
  /** Does one thing as somebody who works by this connection. Refusals are for the caller to judge. */
  act(op: Op, sql: Sql): Promise<void>
  /** Lets time pass until nothing is left to do. */
  drain(): Promise<void>
}

const nothing = () => undefined
const quiet = {
  level: 'silent',
  child: () => quiet,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  silent: nothing,
  fatal: nothing,
} as unknown as FastifyBaseLogger

const masterKey = randomBytes(32)

/** Makes the merchant and its sessions. `failed` hears of what would have been logged as an error. */
export async function makeWorld(admin: Sql, setting: Setting, failed: (error: unknown) => void): Promise<World> {
  let nowMs = startMs
  const log = { ...quiet, error: (about: { err?: unknown }) => failed(about.err ?? about) } as FastifyBaseLogger
  const contextOf = (sql: Sql): Context => ({
    sql,
    log,
    clock: { nowMs: () => nowMs },
    // No job runs by itself here, so none needs a pace.
    activity: { note: nothing, isBusy: () => false, onBegin: () => nothing, listen: async () => undefined },
    publicUrl: 'http://127.0.0.1:8080',
    masterKey,
    providerTimeoutMs: 10_000,
    // Nothing is remembered between look-ups: what is read is read at its place in the order.
    recall: { get: (_merchant, _key, load) => load(), forget: nothing },
  })
  const ctx = contextOf(admin)
  const merchant = await createMerchant(admin, { name: 'Interleaved', mode: 'sandbox' })
  const caller: Caller = { merchant, clientId: newId('client', startMs), requestsPerSecond: null, version: 'v2' }
  await setPolicies(ctx, caller, { default: setting.policy, rails: [] })
  const sessions = await makeSessions(ctx, caller, setting)
  const connection = await sandboxConnection(ctx, merchant.id)

  /** One of the payments that this is likely to do something to; any at all where there is none. */
  const paymentFor = async (op: OnPayment): Promise<Target | undefined> => {
    const all = await admin<Target[]>`
      select id, session_id, connector_ref as ref, purchase_minor::text as purchase, status, type, hold, attention from payments
      where merchant_id = ${merchant.id} order by id`
    const apt = all.filter(aptFor[op.op])
    const among = apt.length > 0 ? apt : all
    return among[op.payment % among.length]
  }
  const sessionAt = (index: number) => sessions[index % sessions.length] ?? ''

  async function act(op: Op, sql: Sql): Promise<void> {
    const here = contextOf(sql)
    switch (op.op) {
      case 'submit':
        await submitPayment(here, { merchant }, sessionAt(op.session), submissionOf(op))
        return
      case 'refresh': {
        const fresh = await refreshSession(here, { merchant, by: 'merchant' }, sessionAt(op.session))
        if (!sessions.includes(fresh.id)) sessions.push(fresh.id)
        return
      }
      case 'delete':
        return deleteSession(here, merchant, sessionAt(op.session))
      case 'expire':
        await expireDueSessions(here, new Date(nowMs), merchant.id)
        return
      case 'inbox':
        await processDue(here, new Date(nowMs), merchant.id)
        return
      case 'wait':
        nowMs += op.ms
        return
      default: {
        const payment = await paymentFor(op)
        if (payment) await actOn(here, op, payment)
      }
    }
  }

  async function actOn(here: Context, op: OnPayment, payment: Target): Promise<void> {
    switch (op.op) {
      case 'poll':
        return pollPayment(here, merchant, payment.id)
      case 'cancel':
        await cancelPayment(here, merchant, payment.sessionId, payment.id)
        return
      case 'capture':
        await capturePayment(here, caller, payment.id)
        return
      case 'refund':
        await refundPayment(here, caller, payment.id, op.part ? { amount: '7.00' } : {})
        return
      case 'resolve':
        await resolvePayment(here, caller, payment.id, { decision: op.decision, reason: 'By chance.' })
        return
      case 'notice': {
        const reference = `${payment.ref ?? referenceOf(payment.id)}${op.again ? '-2' : ''}`
        const amount = { exact: payment.purchase, less: '500', more: '99900', other: '700' }[op.amount]
        const money = op.amount === 'other' ? { amount, currency: 'CLP' } : { amount: major(amount), currency: 'BRL' }
        const body = JSON.stringify({ event: op.event, reference, paymentId: payment.id, ...money })
        const headers = signNotice(body, connection.secret, new Date(nowMs))
        const arrival = { connector: 'sandbox', connectionId: connection.id, body: Buffer.from(body), headers }
        await receiveNotice(here, arrival)
        await processDue(here, new Date(nowMs), merchant.id)
      }
    }
  }

  /** Stops at moments that matter: outcomes, settlement, the rails' deadlines, the sessions' ends, the day after. */
  async function drain(): Promise<void> {
    const pauses = [0, 1, 2, 3, 60, 1800, 31, 1800, 31, 3600, 60, 90_000, 60]
    for (const seconds of pauses) {
      nowMs += seconds * second
      const now = new Date(nowMs)
      for (let round = 0; round < 20 && (await findNextDue(admin, merchant.id, now)); round++) {
        await expireDueLinks(ctx, now, merchant.id)
        await expireDueSessions(ctx, now, merchant.id)
        await sendDue(ctx, now, merchant.id)
        await processDue(ctx, now, merchant.id)
        await pollDue(ctx, now, merchant.id)
      }
    }
  }
  return { merchant, connection, act, drain }
}

function major(minor: string): string {
  const text = minor.padStart(3, '0')
  return `${text.slice(0, -2)}.${text.slice(-2)}`
}

function submissionOf({ tag, card }: Extract<Op, { op: 'submit' }>) {
  const email = `ana${tag}@example.com`
  const payer = { firstName: 'Ana', lastName: 'Souza', email, documentType: 'CPF', documentNumber: '52998224725' }
  if (card === 'none')
    return { origins: [{ type: 'PIX' as const, currency: 'BRL' as const, pix: { customer: payer } }] }
  const token = `tok_sandbox_${card}`
  return { origins: [{ type: 'CARD' as const, currency: 'BRL' as const, card: { token, customer: { email } } }] }
}

async function makeSessions(ctx: Context, caller: Caller, setting: Setting): Promise<string[]> {
  const identity = await createIdentity(ctx, caller, {
    type: 'ORGANIZATION',
    name: 'Loja',
    email: 'loja@example.com',
    phone: '+56912345678',
    documentType: 'RUT',
    documentNumber: '76086428-5',
    country: 'CHL',
  })
  const account = await createAccount(ctx, caller, {
    identityId: identity.id,
    type: 'CHECKING',
    custody: 'BANK_ACCOUNT',
    currency: 'BRL',
    name: 'Caja',
  })
  const offer = {
    checkoutToken: 'offer',
    items: [
      {
        description: 'Café',
        preTaxAmount: '10.00',
        totalAmount: '11.90',
        tax: { name: 'ICMS', type: 'FIXED' as const, value: '1.90', amount: '1.90' },
      },
    ],
    currency: 'BRL' as const,
    paymentMethodsAllowed: ['PIX', 'CARD'],
    destinations: [{ type: 'ACCOUNT' as const, amount: '11.90', account: { accountNumber: account.accountNumber } }],
    duration: setting.durationSeconds,
    owner: { identityId: identity.id },
    ...(setting.oneOrder ? { metadata: { orderReference: 'the order' } } : {}),
  }
  if (setting.linkPayments !== null)
    await createLink(ctx, caller, { ...offer, active: true, maxPayments: setting.linkPayments })
  const made: string[] = []
  for (let index = 0; index < setting.sessions; index++) {
    const input = setting.linkPayments === null ? { ...offer, checkoutToken: `s${index}` } : { checkoutToken: 'offer' }
    made.push((await createSession(ctx, caller, input)).id)
  }
  return made
}
