/** What becomes of a session: reading, refreshing, deleting, the clock, versions (design section 4), through HTTP. */
import assert from 'node:assert/strict'
import { after, before, describe, it, test } from 'node:test'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { pointers, prove, setMerchant, told } from '../../test/proof.ts'
import { anaPix, makeShop, ok, pixOf, type Shop } from '../../test/shop.ts'
import { expireSessions } from './expire.ts'

let t: TestApp
let shop: Shop
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
})
after(() => t.close())

const read = (id: string) => t.client.call('GET', `/checkout-sessions/${id}`)
const refresh = (token: string, body: unknown = {}) =>
  t.client.call('POST', `/checkout-sessions/token/${encodeURIComponent(token)}/refresh`, body)
const remove = (id: string) => t.client.call('DELETE', `/checkout-sessions/${id}`)
const submit = (session: Body, body: unknown) => ok(t.client, 'POST', `/checkout-sessions/${session.id}/payments`, body)
const silent = pixOf('ana+silent@example.com')
const refusedCard = { origins: [{ type: 'CARD', currency: 'BRL', card: { token: 'tok_sandbox_declined' } }] }

/** A session in each status, made through the API. */
const inStatus: Record<string, () => Promise<Body>> = {
  ATTEMPT: () => shop.session(),
  ACTIVE: async () => {
    const session = await shop.session({ paymentMethodsAllowed: ['CARD'] })
    await submit(session, refusedCard)
    return session
  },
  PROCESSING_PAYMENT: async () => {
    const session = await shop.session()
    await submit(session, silent)
    return session
  },
  FINISHED: async () => {
    const session = await shop.session({ paymentMethodsAllowed: ['CARD'] })
    await submit(session, { origins: [{ type: 'CARD', currency: 'BRL', card: { token: 'tok_sandbox_approved' } }] })
    return session
  },
  EXPIRED: async () => {
    const session = await shop.session({ duration: 30 })
    await t.advance(30_000)
    return session
  },
  FAILED: async () => {
    const session = await shop.session({ duration: 30 })
    await submit(session, pixOf('ana+silent@example.com'))
    await t.ctx.sql`update payments set expires_at = created_at + interval '1 s' where session_id = ${session.id}`
    const [payment] = (await ok(t.client, 'GET', `/payments?checkoutSessionId=${session.id}`)).results
    await t.advance(70_000)
    await t.advance(70_000)
    await ok(t.client, 'POST', `/payments/${payment.id}/resolve`, { decision: 'failed', reason: 'never came' })
    return session
  },
}

describe('GET /checkout-sessions/{id}', () => {
  for (const [status, make] of Object.entries(inStatus)) {
    it(`200 ${status}: reads it and changes nothing, however often`, async () => {
      const { id } = await make()
      const first = (await read(id)).body
      assert.equal(first.status, status)
      for (let i = 0; i < 3; i++) assert.deepEqual((await read(id)).body, first)
      const failed = status === 'EXPIRED' || status === 'FAILED'
      assert.equal(first.redirectUrl, failed ? 'https://shop.example/no' : 'https://shop.example/ok')
    })
  }

  it('404: unknown, malformed, of another kind, with odd characters', async () => {
    for (const id of [
      'cs_01k9v3m5x8e2wvq0c7d4n6t1ab',
      'x',
      'pay_1',
      '..',
      '%F0%9F%92%A9',
      "'",
      'a'.repeat(190),
      'a'.repeat(900),
    ]) {
      assert.equal((await read(id)).status, 404, id)
    }
    assert.equal((await read('a%00b')).status, 400)
    assert.equal((await read('%E0%A4%A')).status, 400)
  })

  it('the version asked for is echoed; another is refused', async () => {
    const { id } = await shop.session()
    const v2 = await read(id)
    assert.equal(v2.headers['conomyhq-api-version'], '24-04-2025')
    const old = await t.client.call('GET', `/checkout-sessions/${id}`, undefined, { version: 'v1' })
    assert.equal(old.status, 200)
    assert.deepEqual(old.body, v2.body)
    const alias = { 'pasarela-version': '24-04-2025', 'conomyhq-api-version': undefined }
    const aliased = await t.client.call('GET', `/checkout-sessions/${id}`, undefined, { headers: alias })
    assert.equal(aliased.headers['conomyhq-api-version'], '24-04-2025')
    const odd = await t.client.call('GET', `/checkout-sessions/${id}`, undefined, {
      headers: { 'conomyhq-api-version': '2025-04-24' },
    })
    assert.deepEqual([odd.status, pointers(odd.body)], [400, ['/headers/conomyhq-api-version']])
  })
})

describe('POST /checkout-sessions/token/{token}/refresh', () => {
  for (const status of ['ATTEMPT', 'ACTIVE'] as const) {
    it(`201 ${status}: the same session with its whole duration again`, async () => {
      const { id } = (await inStatus[status]?.()) ?? {}
      const before = (await read(id)).body
      await t.advance(60_000)
      const { status: code, body } = await refresh(before.checkoutToken)
      assert.equal(code, 201)
      assert.deepEqual(
        [body.id, body.url, body.checkoutToken, body.status],
        [id, before.url, before.checkoutToken, status],
      )
      assert.equal(Date.parse(body.expiresAt) - Date.parse(before.expiresAt) >= 60_000, true)
      assert.deepEqual((await read(id)).body, body)
    })
  }

  for (const status of ['EXPIRED', 'FAILED'] as const) {
    it(`201 ${status}: a successor with a new id, the same token and url, and the chain is known`, async () => {
      const { id } = (await inStatus[status]?.()) ?? {}
      const before = (await read(id)).body
      const { status: code, body } = await refresh(before.checkoutToken)
      assert.equal(code, 201)
      assert.notEqual(body.id, id)
      assert.deepEqual(
        [body.url, body.checkoutToken, body.status, body.rootSessionId],
        [before.url, before.checkoutToken, 'ATTEMPT', id],
      )
      const old = (await read(id)).body
      assert.deepEqual([old.status, old.successorId], [status, body.id])
      assert.equal((await refresh(before.checkoutToken)).body.id, body.id, 'the token names the newest')
      assert.equal((await t.client.call('POST', `/checkout-sessions/${id}/payments`, anaPix)).status, 422)
    })
  }

  for (const status of ['PROCESSING_PAYMENT', 'FINISHED'] as const) {
    it(`422 ${status}`, async () => {
      const { id } = (await inStatus[status]?.()) ?? {}
      const before = (await read(id)).body
      assert.equal((await refresh(before.checkoutToken)).status, 422)
      assert.deepEqual((await read(id)).body, before)
    })
  }

  it('201 on a session whose time is over before the job has seen it: a successor', async () => {
    const session = await shop.session({ duration: 30 })
    await t.ctx.sql`update checkout_sessions set expires_at = created_at where id = ${session.id}`
    const { status, body } = await refresh(session.checkoutToken)
    assert.equal(status, 201)
    assert.notEqual(body.id, session.id)
    assert.deepEqual(await told(t, t.client, session.id), [
      'checkout_session.created',
      'checkout_session.expired',
      'checkout_session.refreshed',
    ])
  })

  it('20 refreshes of an expired one at the same moment make one successor', async () => {
    const session = await inStatus.EXPIRED?.()
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(session.checkoutToken)))
    assert.deepEqual([...new Set(answers.map((a) => a.status))], [201])
    assert.equal(new Set(answers.map((a) => a.body.id)).size, 1)
  })

  it('40 refreshes of different sessions do not wait for each other’s connections', async () => {
    const sessions = await Promise.all(Array.from({ length: 40 }, () => shop.session()))
    t.ctx.recall.forget(t.client.merchantId)
    const began = performance.now()
    const answers = await Promise.all(sessions.map((session) => refresh(session.checkoutToken)))
    assert.deepEqual([...new Set(answers.map((a) => a.status))], [201])
    assert.ok(performance.now() - began < 5000)
  })

  it('404: unknown or deleted; 400: a body with fields', async () => {
    assert.equal((await refresh('nowhere')).status, 404)
    const session = await shop.session()
    const { status, body } = await refresh(session.checkoutToken, { duration: 5 })
    assert.deepEqual([status, pointers(body)], [400, ['/duration']])
    await remove(session.id)
    assert.equal((await refresh(session.checkoutToken)).status, 404)
  })

  it('tokens with any character find their session', async () => {
    for (const token of ['a b/c?d#e', 'ñandú', '100%', "a'b"]) {
      await shop.session({ checkoutToken: token })
      assert.equal((await refresh(token)).status, 201, token)
    }
  })

  it('422 when no method can be used any more: nothing is wrong with the request', async () => {
    await ok(t.client, 'PUT', '/exchange-rates', { rates: [{ product: 'PEN:USD', exchangeRate: '0.25' }] })
    const session = await shop.session({
      currency: 'USD',
      items: [{ description: 'x', preTaxAmount: '10.00', totalAmount: '10.00' }],
      destinations: [
        { type: 'ACCOUNT', amount: '10.00', account: { accountNumber: shop.accounts.USD?.accountNumber } },
      ],
      paymentMethodsAllowed: ['LIGO'],
    })
    await ok(t.client, 'PUT', '/exchange-rates', { rates: [{ product: 'PEN:USD', exchangeRate: '0.000001' }] })
    const answer = await refresh(session.checkoutToken)
    assert.deepEqual([answer.status, answer.body.type], [422, 'failedPrecondition'])
  })
})

describe('DELETE /checkout-sessions/{id}', () => {
  for (const status of ['ATTEMPT', 'ACTIVE', 'EXPIRED', 'FAILED'] as const) {
    it(`200 {} from ${status}; then 404 everywhere, its token free, its payments kept`, async () => {
      const session = (await inStatus[status]?.()) ?? {}
      const payments = async () =>
        (await ok(t.client, 'GET', `/payments?checkoutSessionId=${session.id}`)).pagination.total
      const kept = await payments()
      const { status: code, body } = await remove(session.id)
      assert.deepEqual([code, body], [200, {}])
      assert.equal((await read(session.id)).status, 404)
      assert.equal((await remove(session.id)).status, 404)
      assert.equal((await refresh(session.checkoutToken)).status, 404)
      const listed = await ok(t.client, 'GET', `/checkout-sessions?checkoutToken=${session.checkoutToken}`)
      assert.equal(listed.pagination.total, 0)
      assert.equal(await payments(), kept)
      await shop.session({ checkoutToken: session.checkoutToken })
    })
  }

  it('200 from PROCESSING_PAYMENT where the open payment can be cancelled', async () => {
    const session = (await inStatus.PROCESSING_PAYMENT?.()) ?? {}
    assert.equal((await remove(session.id)).status, 200)
    const [payment] = (await ok(t.client, 'GET', `/payments?checkoutSessionId=${session.id}`)).results
    assert.equal(payment.status, 'EXPIRED')
  })

  it('422 from PROCESSING_PAYMENT where the money is there, and from FINISHED', async () => {
    const session = await shop.session()
    const payment = await submit(session, anaPix)
    await t.ctx.sql`update payments set next_check_at = null where id = ${payment.id}`
    await t.advance(5000)
    assert.equal((await remove(session.id)).status, 422)
    assert.equal((await read(session.id)).body.status, 'FINISHED')
    assert.equal((await remove(session.id)).status, 422)
  })
})

describe('expiry', () => {
  it('by the job at the moment, not before; told once; a deleted one is left alone', async () => {
    const session = await shop.session({ duration: 60 })
    const deleted = await shop.session({ duration: 60 })
    await remove(deleted.id)
    await t.advance(59_999)
    assert.equal((await read(session.id)).body.status, 'ATTEMPT')
    await t.advance(1)
    assert.equal((await read(session.id)).body.status, 'EXPIRED')
    await t.advance(5000)
    assert.deepEqual(await told(t, t.client, session.id), ['checkout_session.created', 'checkout_session.expired'])
    assert.deepEqual(await told(t, t.client, deleted.id), ['checkout_session.created', 'checkout_session.deleted'])
  })

  it('many processes may expire at once: each session once', async () => {
    const sessions = await Promise.all(Array.from({ length: 60 }, () => shop.session({ duration: 30 })))
    const clock = { nowMs: () => t.ctx.clock.nowMs() + 31_000 }
    await Promise.all(Array.from({ length: 6 }, () => expireSessions({ ...t.ctx, clock })))
    for (const { id } of sessions) {
      assert.deepEqual(await told(t, t.client, id), ['checkout_session.created', 'checkout_session.expired'])
    }
  })

  it('a payment under way keeps its session from expiring; released after the end it is EXPIRED', async () => {
    const session = await shop.session({ duration: 60 })
    await submit(session, pixOf('ana+late@example.com'))
    await t.advance(59_000)
    assert.equal((await read(session.id)).body.status, 'PROCESSING_PAYMENT')
    await t.advance(1000)
    assert.equal((await read(session.id)).body.status, 'EXPIRED')
  })

  it('quotes die sooner than sessions: the merchant’s quoteTtl', async () => {
    await setMerchant(t, t.client, { quoteTtlSeconds: 60 })
    const [row] = await t.ctx.sql<{ quoteExpiresAt: Date | null }[]>`
      select quote_expires_at from checkout_sessions where id = ${(await shop.session()).id}`
    assert.equal(row?.quoteExpiresAt, null, 'nothing is converted')
    await setMerchant(t, t.client, { quoteTtlSeconds: 900 })
  })
})

test('after all of it the ledger agrees, and the last events are the objects', () => prove(t, t.client))
