/** What every connector must do, whoever is behind it: run on each rail it serves, against the sandbox here and against a provider's own test system. */
import assert from 'node:assert/strict'
import type { Connector, Outcome, PaymentOrder, RefundOrder } from './connector.ts'
import type { Currency } from './currencies.ts'
import type { Rail } from './rail.ts'

/** A rail that the connector serves, and a rail object that every check of ours accepts. */
export type Sample = { readonly rail: Rail; readonly fields: Readonly<Record<string, unknown>> }

export type ConformanceCase = {
  readonly name: string
  readonly check: (connector: Connector, sample: Sample) => Promise<void>
}

/** An order that the rail takes, in its first currency, at ten times the rail's minimum; frozen, so that a connector that writes to it fails. */
export function sampleOrder(
  { rail, fields }: Sample,
  paymentId: string,
  more: Partial<PaymentOrder> = {},
): PaymentOrder {
  const [currency, range] = Object.entries(rail.currencies)[0] ?? []
  assert.ok(currency && range, `${rail.type} has no currency`)
  const createdAt = new Date('2026-11-22T12:00:00Z')
  return deepFreeze({
    paymentId,
    ref: undefined,
    rail: rail.type,
    amount: { minor: range.minMinor * 10n, currency: currency as Currency },
    fields,
    description: 'A sample order',
    metadata: {},
    createdAt,
    expiresAt: new Date(createdAt.getTime() + Math.min(rail.expiresAfterMs, 3_600_000)),
    status: 'CREATED',
    statusSince: createdAt,
    returnUrl: 'http://localhost:8080/return',
    publicUrl: 'http://localhost:8080',
    now: createdAt,
    ...more,
  })
}

const never = new AbortController().signal
const money: readonly Outcome['is'][] = ['authorized', 'captured', 'received', 'settled', 'reversed']

export const conformance: readonly ConformanceCase[] = [
  {
    name: 'begins a payment once, however often it is asked to',
    async check(connector, sample) {
      const order = sampleOrder(sample, 'pay_begun_twice')
      const first = await connector.start(order, never)
      assert.deepEqual(await connector.start(order, never), first)
      assert.ok(first.ref, 'no reference')
      const other = await connector.start({ ...order, paymentId: 'pay_another' }, never)
      assert.notEqual(other.ref, first.ref, 'two payments share a reference')
    },
  },
  {
    name: 'prepares what it would have answered when asked',
    async check(connector, sample) {
      const order = sampleOrder(sample, 'pay_prepared')
      const prepared = connector.prepare?.(order)
      if (prepared) assert.deepEqual(await connector.start(order, never), prepared)
    },
  },
  {
    name: 'answers only fields that the rail has, and text in them',
    async check(connector, sample) {
      const outcome = await connector.start(sampleOrder(sample, 'pay_fields'), never)
      if (outcome.is !== 'action') return
      const { rail } = sample
      for (const [field, value] of Object.entries(outcome.fields)) {
        assert.ok(Object.hasOwn(rail.fields.properties, field), `${rail.key} has no field ${field}`)
        assert.ok(typeof value === 'string' && value !== '', `${field} is empty`)
      }
    },
  },
  {
    name: 'gives the look-up the reference of the start',
    async check(connector, sample) {
      const order = sampleOrder(sample, 'pay_looked_up')
      const { ref } = await connector.start(order, never)
      assert.equal((await connector.lookup({ ...order, ref }, never)).ref ?? ref, ref)
    },
  },
  {
    name: 'calls nothing a failure that it has not heard of',
    async check(connector, sample) {
      const outcome = await connector.lookup(sampleOrder(sample, 'pay_never_begun'), never)
      assert.ok(outcome.is !== 'declined' && outcome.is !== 'expired', `a payment just made is ${outcome.is}`)
    },
  },
  {
    name: 'calls a status it does not know pending',
    async check(connector, sample) {
      const outcome = await connector.lookup(sampleOrder(sample, 'pay_odd', { status: 'REQUIRES_REVIEW' }), never)
      assert.equal(outcome.is, 'pending')
    },
  },
  {
    name: 'names amount and currency of all money it speaks of',
    async check(connector, sample) {
      const order = sampleOrder(sample, 'pay_money')
      for (const status of ['CREATED', 'AUTHORIZED', 'CAPTURED', 'RECEIVED', 'SETTLED']) {
        const now = new Date(order.createdAt.getTime() + 60_000)
        const outcome = await connector.lookup({ ...order, status, ref: 'ref', now }, never)
        if (!money.includes(outcome.is)) continue
        assert.ok('amount' in outcome && outcome.amount.minor > 0n, `${outcome.is} without an amount`)
        assert.equal(outcome.amount.currency, order.amount.currency)
      }
    },
  },
  {
    name: 'asks for no look-up in the past',
    async check(connector, sample) {
      const order = sampleOrder(sample, 'pay_again')
      for (const outcome of [await connector.start(order, never), await connector.lookup(order, never)]) {
        assert.ok((outcome.askAgainAt ?? order.now) >= order.now)
      }
    },
  },
  {
    name: 'answers at once when the caller has given up, and calls nothing a failure for it',
    async check(connector, sample) {
      const order = sampleOrder(sample, 'pay_aborted')
      const aborted = AbortSignal.abort()
      const outcomes = await Promise.all([connector.start(order, aborted), connector.lookup(order, aborted)])
      for (const outcome of outcomes) assert.ok(outcome.is !== 'declined' && outcome.is !== 'expired')
    },
  },
  {
    name: 'ends an open payment with a word that is final or that says wait',
    async check(connector, sample) {
      if (!connector.cancel) return
      const outcome = await connector.cancel(sampleOrder(sample, 'pay_cancelled'), never)
      assert.ok(outcome.is !== 'declined' && outcome.is !== 'action', `a cancel is answered ${outcome.is}`)
    },
  },
  {
    name: 'refunds once, however often it is asked to',
    async check(connector, sample) {
      const { amount, createdAt } = sampleOrder(sample, 'pay_parent')
      const order: RefundOrder = deepFreeze({
        refundId: 'pay_refund',
        rail: sample.rail.type,
        parentRef: 'ref',
        amount,
        reason: undefined,
        createdAt,
        now: new Date(createdAt.getTime() + 60_000),
      })
      const first = await connector.refund(order, never)
      assert.deepEqual(await connector.refund(order, never), first)
      assert.ok(first.is === 'declined' || first.ref, 'no reference')
    },
  },
]

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !(value instanceof Date)) {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}
