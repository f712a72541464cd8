/** Design section 8 rule 1, cell by cell: what comes × what the policy says → payment on record, ledger, event, refund. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { referenceOf, signNotice } from '@pasarela/connectors/sandbox'
import { type Body, type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { funds, pointers, prove, sumOf, told } from '../../test/proof.ts'
import { makeShop, ok, pixOf, type Shop } from '../../test/shop.ts'
import { sandboxConnection } from '../connections/connection.ts'

let t: TestApp
let client: Client
let shop: Shop
before(async () => {
  t = await startTestApp()
})
after(() => t.close())
beforeEach(async () => {
  client = await t.newMerchant()
  shop = await makeShop(client, ['BRL'])
})

type Policy = 'accept' | 'refund' | 'hold'
const setPolicies = (body: unknown) => client.call('PUT', '/late-money-policies', body)
const paymentsOf = async (session: Body): Promise<Body[]> =>
  (await ok(client, 'GET', `/payments?checkoutSessionId=${session.id}&sort=createdAt:asc`)).results
const purchases = async (session: Body) => (await paymentsOf(session)).filter((p) => p.type === 'PURCHASE')
const refunds = async (session: Body) => (await paymentsOf(session)).filter((p) => p.type === 'REFUND')

/** The provider tells of money for a payment. */
async function tell(payment: Body, amount: string, more: { currency?: string; again?: string; event?: string } = {}) {
  const connection = await sandboxConnection(t.ctx, client.merchantId)
  const { currency = 'BRL', again = '', event = 'received' } = more
  const said = { event, reference: referenceOf(payment.id) + again, paymentId: payment.id, amount, currency }
  const payload = JSON.stringify(said)
  const answer = await t.app.inject({
    method: 'POST',
    url: `/notifications/sandbox/${connection.id}`,
    headers: signNotice(payload, connection.secret, new Date(t.ctx.clock.nowMs())),
    payload,
  })
  assert.equal(answer.statusCode, 200)
  await t.runJobs()
}
async function waiting(change: Record<string, unknown> = {}) {
  const session = await shop.session(change)
  const url = `/checkout-sessions/${session.id}/payments`
  return { session, payment: await ok(client, 'POST', url, pixOf('ana+silent@example.com')) }
}

/** What can come, with the session's status before and the minor units that are nobody's yet. */
type Event = { come(): Promise<Body>; currency?: string; minor: bigint; hold: string; reopens?: boolean }
const events: Record<string, Event> = {
  'paid after expiry': {
    come: async () => {
      const { session, payment } = await waiting({ duration: 600 })
      await tell(payment, '11.90', { event: 'expired' })
      await t.advance(601_000)
      assert.equal((await shop.read(session.id)).status, 'EXPIRED')
      await tell(payment, '11.90')
      return session
    },
    minor: 1190n,
    hold: 'late',
  },
  'paid twice': {
    come: async () => {
      const { session, payment } = await waiting()
      await tell(payment, '11.90')
      await tell(payment, '11.90', { again: '-2' })
      return session
    },
    minor: 1190n,
    hold: 'second',
  },
  'paid by two sessions of one order': {
    come: async () => {
      const metadata = { orderReference: 'A-1' }
      const [one, two] = [await waiting({ metadata }), await waiting({ metadata })]
      await tell(one.payment, '11.90')
      await tell(two.payment, '11.90')
      assert.equal((await shop.read(one.session.id)).status, 'FINISHED')
      return two.session
    },
    minor: 1190n,
    hold: 'second',
    reopens: true,
  },
  'paid to a deleted session': {
    come: async () => {
      const { session, payment } = await waiting()
      await tell(payment, '11.90', { event: 'expired' })
      await ok(client, 'DELETE', `/checkout-sessions/${session.id}`)
      await tell(payment, '11.90')
      return session
    },
    minor: 1190n,
    hold: 'deleted_session',
  },
  'less than was asked for': {
    come: async () => {
      const { session, payment } = await waiting()
      await tell(payment, '11.89')
      return session
    },
    minor: 1189n,
    hold: 'too_little',
    reopens: true,
  },
  'more than was asked for': {
    come: async () => {
      const { session, payment } = await waiting()
      await tell(payment, '15.00')
      return session
    },
    minor: 310n,
    hold: 'surplus',
  },
  'another currency': {
    come: async () => {
      const { session, payment } = await waiting()
      await tell(payment, '1190', { currency: 'CLP' })
      return session
    },
    currency: 'CLP',
    minor: 1190n,
    hold: 'wrong_currency',
  },
}

/** What each policy makes of each: nothing that is beyond the order is ever called a success. */
const table: Record<string, Record<Policy, 'accepted' | 'held' | 'sent back'>> = {
  'paid after expiry': { accept: 'accepted', refund: 'sent back', hold: 'held' },
  'paid twice': { accept: 'held', refund: 'sent back', hold: 'held' },
  'paid by two sessions of one order': { accept: 'held', refund: 'sent back', hold: 'held' },
  'paid to a deleted session': { accept: 'held', refund: 'sent back', hold: 'held' },
  'less than was asked for': { accept: 'held', refund: 'sent back', hold: 'held' },
  'more than was asked for': { accept: 'accepted', refund: 'sent back', hold: 'held' },
  'another currency': { accept: 'held', refund: 'held', hold: 'held' },
}

describe('late and surplus money', () => {
  it('the table has a row per event', () => assert.deepEqual(Object.keys(table), Object.keys(events)))

  for (const [name, { come, currency = 'BRL', minor, hold, reopens }] of Object.entries(events)) {
    for (const [policy, expected] of Object.entries(table[name] ?? {})) {
      it(`${name}, ${policy}: ${expected}`, async () => {
        assert.equal((await setPolicies({ default: policy, rails: [] })).status, 200)
        const session = await come()
        const came = (await purchases(session)).at(-1)
        const types = await told(t, client, session.id)
        assert.ok(types.includes('payment.received'), 'no event')
        const nobodys = await sumOf(t, client, `held:${currency}`)
        if (expected === 'accepted') {
          assert.deepEqual([came?.status, came?.hold, nobodys], ['RECEIVED', undefined, 0n])
          assert.deepEqual(await refunds(session), [])
        } else {
          assert.deepEqual([came?.hold, nobodys], [hold, minor])
          assert.ok(types.includes('payment.held'))
          const listed = (await ok(client, 'GET', '/payments?attention=true')).results.map((p: Body) => p.id)
          assert.ok(listed.includes(came?.id))
        }
        await t.advance(2000)
        await t.advance(2000)
        const back = (await refunds(session)).map((p) => [p.status, p.purchaseCurrency])
        assert.deepEqual(back, expected === 'sent back' ? [['SETTLED', currency]] : [])
        const left = await sumOf(t, client, `held:${currency}`)
        assert.equal(left, expected === 'held' ? minor : 0n)
        if (expected === 'sent back') {
          const returned = (await purchases(session)).at(-1)
          assert.deepEqual([returned?.status, returned?.hold], ['REVERSED', undefined])
          if (reopens) assert.equal((await shop.read(session.id)).status, 'ACTIVE')
        }
        const owned = { accepted: name.startsWith('more') ? '15.00' : '11.90', held: '', 'sent back': '' }[expected]
        const paidOnce = /twice|two sessions|more/.test(name) ? '11.90' : '0.00'
        assert.equal((await funds(client, shop))[0], owned || paidOnce)
        await prove(t, client)
      })
    }
  }
})

describe('GET and PUT /late-money-policies', () => {
  it('200: accept unless said otherwise; a rail may do otherwise, and what is left out goes', async () => {
    assert.deepEqual((await client.call('GET', '/late-money-policies')).body, { default: 'accept', rails: [] })
    const wanted = { default: 'hold', rails: [{ rail: 'PIX', policy: 'refund' }] }
    assert.deepEqual((await setPolicies(wanted)).body, wanted)
    const session = await events['paid twice']?.come()
    await t.advance(2000)
    assert.equal((await refunds(session)).length, 1)
    assert.deepEqual((await setPolicies({ default: 'hold', rails: [] })).body, { default: 'hold', rails: [] })
    assert.deepEqual((await client.call('GET', '/late-money-policies')).body, { default: 'hold', rails: [] })
  })

  it('200: of this merchant alone', async () => {
    await setPolicies({ default: 'refund', rails: [{ rail: 'PIX', policy: 'hold' }] })
    const other = await t.newMerchant()
    assert.deepEqual((await other.call('GET', '/late-money-policies')).body, { default: 'accept', rails: [] })
  })

  it('400: a rail that is unknown or given twice, a word that is none, a misspelt field; nothing is set', async () => {
    const bad: [unknown, string[]][] = [
      [{ default: 'accept', rails: [{ rail: 'PX', policy: 'hold' }] }, ['/rails/0/rail']],
      [{ default: 'accept', rails: ['hold', 'refund'].map((policy) => ({ rail: 'PIX', policy })) }, ['/rails/1/rail']],
      [{ default: 'keep', rails: [] }, ['/default']],
      [{ default: 'hold' }, ['/rails']],
      [{ default: 'hold', rails: [], rail: 'PIX' }, ['/rail']],
    ]
    for (const [body, expected] of bad) {
      const answer = await setPolicies(body)
      assert.deepEqual([answer.status, pointers(answer.body)], [400, expected], JSON.stringify(body))
    }
    assert.deepEqual((await client.call('GET', '/late-money-policies')).body, { default: 'accept', rails: [] })
  })
})
