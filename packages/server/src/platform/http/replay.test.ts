/** Idempotency-Key (design section 4 rule 15), through HTTP. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Answer, startTestApp, type TestApp } from '../../../test/harness.ts'
import { pointers, prove } from '../../../test/proof.ts'
import { makeShop, ok, pixOf, type Shop } from '../../../test/shop.ts'
import { versionV2 } from '../../access/caller.ts'

let t: TestApp
let shop: Shop
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
})
after(() => t.close())

let keys = 0
const newKey = () => `key-${++keys}`
const create = (key: string, body: unknown) => send(key, '/checkout-sessions', body)
const send = (key: string, url: string, body?: unknown) =>
  t.client.call('POST', url, body, { headers: { 'idempotency-key': key } })
const sendAs = (version: 'v1' | 'v2', key: string, url: string, body?: unknown) =>
  t.client.call('POST', url, body, { version, headers: { 'idempotency-key': key } })
const replayed = (answer: Answer) => answer.headers['idempotent-replayed'] === 'true'
/** What a crash between the commit and the answer leaves behind. */
const loseAnswer = (key: string, leasedUntil = new Date(0)) =>
  t.ctx.sql`update idempotency_keys set status = null, body = null, leased_until = ${leasedUntil} where key = ${key}`
const countSessions = async () => (await ok(t.client, 'GET', '/checkout-sessions?limit=1')).pagination.total

describe('the same key and the same body', () => {
  it('replays the stored answer and does nothing', async () => {
    const [key, body] = [newKey(), shop.body()]
    const first = await create(key, body)
    const before = await countSessions()
    const again = await create(key, body)
    assert.deepEqual([first.status, again.status, replayed(first), replayed(again)], [201, 201, false, true])
    assert.deepEqual(again.body, first.body)
    assert.equal(await countSessions(), before)
  })

  it('replays a refusal that was decided after validation', async () => {
    const taken = await shop.session()
    const [key, body] = [newKey(), shop.body({ checkoutToken: taken.checkoutToken })]
    assert.equal((await create(key, body)).status, 409)
    await ok(t.client, 'DELETE', `/checkout-sessions/${taken.id}`)
    const again = await create(key, body)
    assert.deepEqual([again.status, replayed(again), again.body.resourceId], [409, true, taken.id])
  })

  it('after 24 hours it is a new request', async () => {
    const key = newKey()
    const first = await create(key, shop.body())
    await t.ctx.sql`update idempotency_keys set created_at = created_at - interval '25 hours' where key = ${key}`
    const other = await create(key, shop.body())
    assert.deepEqual([other.status, replayed(other)], [201, false])
    assert.notEqual(other.body.id, first.body.id)
  })

  it('is another request for another API client', async () => {
    const stranger = await t.newMerchant()
    const other = await makeShop(stranger)
    const key = newKey()
    await create(key, shop.body())
    const answer = await stranger.call('POST', '/checkout-sessions', other.body(), {
      headers: { 'idempotency-key': key },
    })
    assert.deepEqual([answer.status, replayed(answer)], [201, false])
  })
})

describe('the same request in other words', () => {
  it('the /sandbox prefix and the alias of the version header change nothing: the answer is replayed', async () => {
    const [key, body] = [newKey(), shop.body()]
    const first = await create(key, body)
    const prefixed = await send(key, '/sandbox/checkout-sessions', body)
    const aliased = await t.client.call('POST', '/checkout-sessions', body, {
      headers: { 'idempotency-key': key, 'conomyhq-api-version': undefined, 'pasarela-version': versionV2 },
    })
    for (const again of [prefixed, aliased])
      assert.deepEqual([again.status, replayed(again), again.body], [201, true, first.body])
  })
})

describe('twins at the same moment', () => {
  it('a create: one session, and every twin gets the same answer or is asked to wait', async () => {
    const [key, body] = [newKey(), shop.body()]
    const before = await countSessions()
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(key, body)))
    assert.equal(await countSessions(), before + 1)
    const created = answers.filter(({ status }) => status === 201)
    assert.ok(created.length >= 1)
    assert.deepEqual([...new Set(created.map((one) => one.body.id))].length, 1)
    for (const one of answers) assert.ok(one.status === 201 || one.body.type === 'requestInProgress', `${one.status}`)
    assert.deepEqual((await create(key, body)).body, created[0]?.body)
  })

  it('with different bodies: one of them runs, the others are refused or asked to wait', async () => {
    const key = newKey()
    const before = await countSessions()
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(key, shop.body())))
    assert.equal(await countSessions(), before + 1)
    assert.equal(answers.filter(({ status }) => status === 201).length, 1)
    for (const { status } of answers) assert.ok([201, 409, 422].includes(status), `${status}`)
  })

  for (const [method, payer] of [
    ['a payment that needs no call', 'ana+silent@example.com'],
    ['a payment whose provider is asked', 'ana+webhook_first@example.com'],
  ] as const) {
    it(`${method}: one payment`, async () => {
      const session = await shop.session()
      const key = newKey()
      const url = `/checkout-sessions/${session.id}/payments`
      const answers = await Promise.all(Array.from({ length: 10 }, () => send(key, url, pixOf(payer))))
      const paid = answers.filter(({ status }) => status === 200)
      assert.equal(new Set(paid.map((one) => one.body.id)).size, 1)
      for (const one of answers) assert.ok(one.status === 200 || one.body.type === 'requestInProgress', `${one.status}`)
      const { pagination } = await ok(t.client, 'GET', `/payments?checkoutSessionId=${session.id}`)
      assert.equal(pagination.total, 1)
    })
  }
})

describe('an answer is on disk with its effect', () => {
  it('creates and payments store their key in the statement that does the work', async () => {
    const [createKey, payKey, receiveKey] = [newKey(), newKey(), newKey()]
    const session = (await create(createKey, shop.body())).body
    const url = `/checkout-sessions/${session.id}/payments`
    const payment = (await send(payKey, url, pixOf('ana+silent@example.com'))).body
    await send(receiveKey, '/payments/received', { transactionId: payment.id })
    const effects = {
      [createKey]: 'checkout_session.created',
      [payKey]: 'payment.created',
      [receiveKey]: 'payment.received',
    }
    for (const [key, type] of Object.entries(effects)) {
      // xmin is the transaction that wrote a row as it stands.
      const [row] = await t.ctx.sql<{ answer: string; effect: string }[]>`
        select k.xmin::text as answer, e.xmin::text as effect from idempotency_keys k, events e
        where k.key = ${key} and k.status is not null and e.stream_id = ${session.id} and e.type = ${type}`
      assert.ok(row, `${type} has no stored answer`)
      assert.equal(row.answer, row.effect, type)
    }
  })
})

describe('refused', () => {
  it('422: the same key for another body, path or method', async () => {
    const key = newKey()
    const { body } = await create(key, shop.body())
    for (const answer of [
      await create(key, shop.body()),
      await send(key, `/checkout-sessions/token/${body.checkoutToken}/refresh`, {}),
    ]) {
      assert.deepEqual([answer.status, answer.body.type], [422, 'idempotencyMismatch'])
    }
  })

  it('422: the same key in another API version, which would read the stored answer differently', async () => {
    for (const [first, other] of [
      ['v2', 'v1'],
      ['v1', 'v2'],
    ] as const) {
      const session = await shop.session()
      const [key, url] = [newKey(), `/checkout-sessions/${session.id}/payments`]
      const submitted = await sendAs(first, key, url, pixOf())
      assert.deepEqual([submitted.status, submitted.body.status], [200, first === 'v1' ? 'PENDING' : 'CREATED'])
      const refused = await sendAs(other, key, url, pixOf())
      assert.deepEqual([refused.status, refused.body.type], [422, 'idempotencyMismatch'])
      const again = await sendAs(first, key, url, pixOf())
      assert.deepEqual([again.status, replayed(again), again.body], [200, true, submitted.body])
    }
  })

  it('409 with Retry-After while a twin is running; once its lease is over the request runs', async () => {
    const [key, body] = [newKey(), shop.body()]
    const first = await create(key, body)
    await loseAnswer(key, new Date(t.ctx.clock.nowMs() + 20_000))
    const waiting = await create(key, body)
    assert.deepEqual([waiting.status, waiting.body.type], [409, 'requestInProgress'])
    assert.ok(Number(waiting.headers['retry-after']) >= 1)
    await t.advance(21_000)
    const resumed = await create(key, body)
    assert.deepEqual([resumed.status, resumed.body.id], [201, first.body.id])
  })

  it('400: a key that is none', async () => {
    for (const key of ['', ' ', 'a b', 'ñ', 'x'.repeat(256)]) {
      const answer = await create(key, shop.body())
      assert.equal(answer.status, 400, key)
      assert.deepEqual(pointers(answer.body), ['/headers/idempotency-key'])
    }
    assert.equal((await create('x'.repeat(255), shop.body())).status, 201)
  })

  it('a 400 is not stored: the corrected body may use the same key', async () => {
    for (const wrong of [{ duration: 1 }, { owner: { identityId: 'idn_x' } }]) {
      const key = newKey()
      assert.equal((await create(key, shop.body(wrong))).status, 400)
      const corrected = await create(key, shop.body())
      assert.deepEqual([corrected.status, replayed(corrected)], [201, false])
    }
  })
})

describe('a crash between the commit and the answer', () => {
  it('the session that was written is the answer, whatever has changed since', async () => {
    const [key, body] = [newKey(), shop.body()]
    const first = await create(key, body)
    await loseAnswer(key)
    const before = await countSessions()
    await ok(t.client, 'PATCH', `/accounts/${shop.accounts.BRL?.id}`, { status: 'BLOCKED' })
    const resumed = await create(key, body)
    assert.deepEqual([resumed.status, resumed.body], [201, first.body])
    assert.equal(await countSessions(), before)
    await ok(t.client, 'PATCH', `/accounts/${shop.accounts.BRL?.id}`, { status: 'ACTIVE' })
    assert.deepEqual((await create(key, body)).body, first.body)
  })

  it('also when the merchant found and deleted it meanwhile', async () => {
    const [key, body] = [newKey(), shop.body()]
    const first = await create(key, body)
    await ok(t.client, 'DELETE', `/checkout-sessions/${first.body.id}`)
    await loseAnswer(key)
    const resumed = await create(key, body)
    assert.deepEqual([resumed.status, resumed.body.id], [201, first.body.id])
  })

  it('before the commit: the request runs as if it were the first', async () => {
    const [key, body] = [newKey(), shop.body()]
    await create(key, shop.body({ duration: 1 }))
    const first = await create(key, body)
    assert.equal(first.status, 201)
  })

  it('links, mints and refreshes too', async () => {
    const linkKey = newKey()
    const linkBody = shop.body({ active: true })
    const link = (await send(linkKey, '/payment-links', linkBody)).body
    await loseAnswer(linkKey)
    assert.equal((await send(linkKey, '/payment-links', linkBody)).body.id, link.id)

    const mintKey = newKey()
    const mintUrl = `/payment-links/token/${link.checkoutToken}/checkout-sessions`
    const minted = (await send(mintKey, mintUrl, {})).body
    await loseAnswer(mintKey)
    await ok(t.client, 'POST', `/payment-links/${link.id}/deactivate`, {})
    assert.deepEqual((await send(mintKey, mintUrl, {})).body, minted)

    const session = await shop.session({ duration: 30 })
    await t.advance(31_000)
    const refreshKey = newKey()
    const refreshUrl = `/checkout-sessions/token/${session.checkoutToken}/refresh`
    const successor = (await send(refreshKey, refreshUrl, {})).body
    await loseAnswer(refreshKey)
    await t.advance(1000)
    assert.deepEqual((await send(refreshKey, refreshUrl, {})).body, successor)
    await prove(t, t.client)
  })
})

describe('a crash between the commit and the answer of a step', () => {
  const begun = async (body: unknown) => {
    const session = await shop.session({ paymentMethodsAllowed: ['PIX', 'CARD'] })
    return ok(t.client, 'POST', `/checkout-sessions/${session.id}/payments`, body)
  }

  it('a capture is not refused because it has happened', async () => {
    const payment = await begun({ origins: [{ type: 'CARD', currency: 'BRL', card: { token: 'tok_sandbox_manual' } }] })
    const key = newKey()
    const first = await send(key, `/payments/${payment.id}/captured`)
    await loseAnswer(key)
    const resumed = await send(key, `/payments/${payment.id}/captured`)
    assert.deepEqual([resumed.status, resumed.body], [200, first.body])
  })

  it('a decision is taken once', async () => {
    const payment = await begun(pixOf('ana+wrong_amount@example.com'))
    await t.advance(1500)
    const [key, decision] = [newKey(), { decision: 'refund', reason: 'x' }]
    assert.equal((await send(key, `/payments/${payment.id}/resolve`, decision)).status, 200)
    await loseAnswer(key)
    assert.equal((await send(key, `/payments/${payment.id}/resolve`, decision)).status, 200)
    assert.equal((await ok(t.client, 'GET', `/payments?parentPaymentId=${payment.id}`)).pagination.total, 1)
    await t.advance(2000)
    await prove(t, t.client)
  })
})

describe('at the same moment', () => {
  it('50 creates with one key are one session', async () => {
    const [key, body] = [newKey(), shop.body()]
    const before = await countSessions()
    const answers = await Promise.all(Array.from({ length: 50 }, () => create(key, body)))
    assert.deepEqual(
      answers.filter((a) => a.status !== 201 && !(a.status === 409 && a.body.type === 'requestInProgress')),
      [],
    )
    const created = answers.filter((a) => a.status === 201)
    assert.ok(created.length >= 1)
    assert.equal(new Set(created.map((a) => a.body.id)).size, 1)
    assert.equal(created.filter((a) => !replayed(a)).length, 1)
    assert.equal(await countSessions(), before + 1)
    assert.ok(replayed(await create(key, body)))
  })
})
