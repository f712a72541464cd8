/** Webhook endpoints over the API, by verb and status. */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { type Got, type Receiver, startReceiver } from '../../test/receiver.ts'
import { makeShop, ok, type Shop } from '../../test/shop.ts'
import { limits } from '../vocabulary/limits.ts'

let t: TestApp
let shop: Shop
let receiver: Receiver
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
  receiver = await startReceiver()
})
after(async () => {
  await receiver.close()
  await t.close()
})
afterEach(async () => {
  const { results } = await ok(t.client, 'GET', '/webhook-endpoints')
  for (const { id } of results) await t.client.call('DELETE', `/webhook-endpoints/${id}`)
  receiver.got.length = 0
  receiver.behave(() => 200)
})

const create = (change: Record<string, unknown> = {}): Promise<Body> =>
  ok(t.client, 'POST', '/webhook-endpoints', { url: receiver.url, ...change })
const missing = 'we_01k9v3m5x8e2wvq0c7d4n6t1ab'

/** Whether the library would sign the message so; `verify` itself also compares with the real clock, which tests move. */
function signedBy({ raw, headers }: Got, secret: string): boolean {
  const at = new Date(Number(headers['webhook-timestamp']) * 1000)
  const signature = new Webhook(secret).sign(String(headers['webhook-id']), at, raw)
  return String(headers['webhook-signature']).split(' ').includes(signature)
}
const pointers = (body: Body) => body.errors.map((fault: Body) => fault.pointer).sort()

describe('POST /webhook-endpoints', () => {
  test('201: standard, active, everything; the secret is shown here alone', async () => {
    const made = await create()
    assert.match(made.id, /^we_/)
    assert.match(made.secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    assert.deepEqual([made.format, made.status, made.eventTypes], ['standard', 'ACTIVE', ['*']])
    const read = await ok(t.client, 'GET', `/webhook-endpoints/${made.id}`)
    assert.equal(read.secret, undefined)
    assert.deepEqual({ ...read, secret: made.secret }, made)
  })

  test('201: the same Idempotency-Key makes one endpoint and shows the same secret, which is stored nowhere', async () => {
    const headers = { 'idempotency-key': 'hook-1' }
    const body = { url: receiver.url, format: 'published-v2' }
    const first = await t.client.call('POST', '/webhook-endpoints', body, { headers })
    const second = await t.client.call('POST', '/webhook-endpoints', body, { headers })
    assert.deepEqual([first.status, second.status], [201, 201])
    assert.deepEqual(second.body, first.body)
    assert.equal((await ok(t.client, 'GET', '/webhook-endpoints')).pagination.total, 1)
    const kept = await t.ctx.sql`select body from idempotency_keys where body like '%whk_%'`
    assert.equal(kept.length, 0)
    const [row] = await t.ctx.sql<Body[]>`select secret_sealed from webhook_endpoints where id = ${first.body.id}`
    assert.equal(Buffer.from(row?.secretSealed).includes(first.body.secret), false)
  })

  test('400: every fault with its pointer', async () => {
    const answer = await t.client.call('POST', '/webhook-endpoints', {
      url: 'http://192.168.1.9/x',
      eventTypes: ['*', 'payment.sold', 'checkout_session.*'],
    })
    assert.equal(answer.status, 400)
    assert.deepEqual(pointers(answer.body), ['/eventTypes/1', '/url'])
    for (const url of [
      'ftp://a.example/',
      'nonsense',
      'https://user:pass@a.example/',
      'https://a.example/#x',
      'http://[::ffff:127.0.0.1]/',
    ]) {
      const refused = await t.client.call('POST', '/webhook-endpoints', { url })
      assert.deepEqual([refused.status, pointers(refused.body)], [400, ['/url']], url)
    }
    const closed = await t.client.call('POST', '/webhook-endpoints', { url: receiver.url, secret: 'mine' })
    assert.deepEqual([closed.status, pointers(closed.body)], [400, ['/secret']])
  })

  test('400: a live merchant needs https and a public address', async () => {
    const live = await t.newMerchant('live')
    for (const url of [
      'http://shop.example/x',
      'https://localhost/x',
      'https://127.0.0.1/x',
      'https://[::1]/x',
      'https://0x7f.1/x',
    ]) {
      const refused = await live.call('POST', '/webhook-endpoints', { url })
      assert.deepEqual([refused.status, pointers(refused.body)], [400, ['/url']], url)
    }
    assert.equal((await live.call('POST', '/webhook-endpoints', { url: 'https://shop.example/x' })).status, 201)
  })

  test('422: no more than there may be', async () => {
    for (let n = 0; n < limits.webhookEndpointsMax; n++) await create()
    const answer = await t.client.call('POST', '/webhook-endpoints', { url: receiver.url })
    assert.deepEqual([answer.status, answer.body.type], [422, 'failedPrecondition'])
  })
})

describe('GET /webhook-endpoints', () => {
  test('200: newest first, of this merchant alone', async () => {
    const [a, b] = [await create({ description: 'a' }), await create({ description: 'b' })]
    const { results, pagination } = await ok(t.client, 'GET', '/webhook-endpoints')
    assert.deepEqual([results.map((e: Body) => e.id), pagination.total], [[b.id, a.id], 2])
    const other = await t.newMerchant()
    assert.equal((await ok(other, 'GET', '/webhook-endpoints')).pagination.total, 0)
    assert.equal((await other.call('GET', `/webhook-endpoints/${a.id}`)).status, 404)
  })
})

describe('every route of one endpoint', () => {
  test('404: none, or another merchant’s', async () => {
    const { id } = await create()
    const other = await t.newMerchant()
    const calls: [string, string, unknown?][] = [
      ['GET', ''],
      ['PATCH', '', { description: 'mine' }],
      ['DELETE', ''],
      ['POST', '/rotate', {}],
      ['POST', '/test', {}],
      ['GET', '/deliveries'],
      ['POST', '/deliveries/whd_01k9v3s4f9d8bat3m6p0y7g2hj/replay', {}],
      ['POST', '/replay', { from: '2026-01-01T00:00:00Z' }],
    ]
    for (const [method, path, body] of calls) {
      const theirs = await other.call(method, `/webhook-endpoints/${id}${path}`, body)
      assert.equal(theirs.status, 404, `${method} ${path} of another merchant`)
      for (const none of [missing, 'x']) {
        const nothing = await t.client.call(method, `/webhook-endpoints/${none}${path}`, body)
        assert.equal(nothing.status, 404, `${method} ${path} of ${none}`)
      }
    }
    assert.equal((await ok(t.client, 'GET', `/webhook-endpoints/${id}`)).description, undefined)
  })
})

describe('PATCH /webhook-endpoints/{id}', () => {
  test('200: changes what is named and leaves the rest', async () => {
    const made = await create({ description: 'old', eventTypes: ['payment.*'] })
    const { secret: _, ...before } = made
    const changed = await ok(t.client, 'PATCH', `/webhook-endpoints/${made.id}`, { description: null })
    const { description: __, ...rest } = before
    assert.deepEqual({ ...changed, updatedAt: before.updatedAt }, rest)
    const moved = await ok(t.client, 'PATCH', `/webhook-endpoints/${made.id}`, {
      eventTypes: ['*'],
      url: 'https://b.example/',
    })
    assert.deepEqual([moved.eventTypes, moved.url], [['*'], 'https://b.example/'])
  })

  test('400: nothing named, an unknown type, a forbidden address', async () => {
    const { id } = await create()
    for (const body of [{}, { eventTypes: ['nope'] }, { url: 'http://10.0.0.1/' }, { format: 'standard' }]) {
      assert.equal((await t.client.call('PATCH', `/webhook-endpoints/${id}`, body)).status, 400, JSON.stringify(body))
    }
  })

  test('pausing loses nothing: with ACTIVE all that was missed follows in order', async () => {
    const { id } = await create({ eventTypes: ['checkout_session.*'] })
    const paused = await ok(t.client, 'PATCH', `/webhook-endpoints/${id}`, { status: 'PAUSED' })
    assert.ok(paused.pausedAt)
    const session = await shop.session()
    await ok(t.client, 'POST', `/checkout-sessions/token/${session.checkoutToken}/refresh`, {})
    await t.advance(60_000)
    assert.equal(receiver.got.length, 0)
    const active = await ok(t.client, 'PATCH', `/webhook-endpoints/${id}`, { status: 'ACTIVE' })
    assert.deepEqual([active.status, active.pausedAt], ['ACTIVE', undefined])
    await t.advance(1)
    assert.deepEqual(
      receiver.got.filter(({ body }) => body.data.id === session.id).map(({ body }) => [body.type, body.sequence]),
      [
        ['checkout_session.created', 1],
        ['checkout_session.refreshed', 2],
      ],
    )
    const { results } = await ok(t.client, 'GET', `/events?stream=${id}`)
    assert.deepEqual(
      results.map((event: Body) => event.type),
      ['webhook_endpoint.paused', 'webhook_endpoint.resumed'],
    )
    assert.equal(JSON.stringify(results).includes('secret-in-the-url'), false)
  })
})

describe('DELETE /webhook-endpoints/{id}', () => {
  test('204, then 404 and gone from the list; nothing is sent any more', async () => {
    const { id } = await create()
    await shop.session()
    assert.equal((await t.client.call('DELETE', `/webhook-endpoints/${id}`)).status, 204)
    assert.equal((await t.client.call('GET', `/webhook-endpoints/${id}`)).status, 404)
    assert.equal((await t.client.call('DELETE', `/webhook-endpoints/${id}`)).status, 404)
    assert.equal((await ok(t.client, 'GET', '/webhook-endpoints')).pagination.total, 0)
    await t.advance(60_000)
    assert.equal(receiver.got.length, 0)
    await t.advance(3_600_000)
    for (const [table, column] of [
      ['webhook_deliveries', 'endpoint_id'],
      ['webhook_queues', 'endpoint_id'],
      ['webhook_endpoints', 'id'],
    ] as const) {
      const left = await t.ctx.sql`select 1 as one from ${t.ctx.sql(table)} where ${t.ctx.sql(column)} = ${id}`
      assert.equal(left.length, 0, table)
    }
  })
})

describe('POST /webhook-endpoints/{id}/rotate', () => {
  test('200: messages verify with the new and the old secret for 24 hours, then with the new one alone', async () => {
    const made = await create()
    const rotated = await ok(t.client, 'POST', `/webhook-endpoints/${made.id}/rotate`, {})
    assert.notEqual(rotated.secret, made.secret)
    assert.equal(Date.parse(rotated.previousSecretExpiresAt) - t.ctx.clock.nowMs(), 24 * 3_600_000)
    await shop.session()
    await t.runJobs()
    const [both] = receiver.got
    assert.ok(both)
    for (const secret of [made.secret, rotated.secret]) {
      assert.ok(signedBy(both, secret))
    }
    await t.advance(24 * 3_600_000 + 1)
    receiver.got.length = 0
    await shop.session()
    await t.runJobs()
    const one = receiver.got.at(-1)
    assert.ok(one && signedBy(one, rotated.secret) && !signedBy(one, made.secret))
    assert.equal((await ok(t.client, 'GET', `/webhook-endpoints/${made.id}`)).previousSecretExpiresAt, undefined)
  })

  test('200: the same Idempotency-Key rotates once', async () => {
    const { id } = await create()
    const headers = { 'idempotency-key': 'rotate-1' }
    const first = await t.client.call('POST', `/webhook-endpoints/${id}/rotate`, {}, { headers })
    const second = await t.client.call('POST', `/webhook-endpoints/${id}/rotate`, {}, { headers })
    assert.deepEqual(second.body, first.body)
  })
})

describe('POST /webhook-endpoints/{id}/test', () => {
  test('200: says what came of it, for every format; nothing is stored', async () => {
    for (const format of ['standard', 'published-v1', 'published-v2']) {
      const { id, secret } = await create({ format })
      const tested = await ok(t.client, 'POST', `/webhook-endpoints/${id}/test`, {})
      assert.deepEqual([tested.delivered, tested.statusCode], [true, 200])
      const got = receiver.got.at(-1)
      assert.ok(got)
      if (format === 'standard') {
        assert.ok(signedBy(got, secret))
        assert.deepEqual([got.body.type, got.body.sequence], ['webhook_endpoint.test', 0])
      }
      assert.deepEqual((await ok(t.client, 'GET', `/webhook-endpoints/${id}/deliveries`)).results, [])
    }
  })

  test('200: a refusal and a closed port are told, without any address', async () => {
    const { id } = await create()
    receiver.behave(() => 503)
    const refused = await ok(t.client, 'POST', `/webhook-endpoints/${id}/test`, {})
    assert.deepEqual([refused.delivered, refused.statusCode], [false, 503])
    const closed = await create({ url: 'http://127.0.0.1:1/' })
    const unreached = await ok(t.client, 'POST', `/webhook-endpoints/${closed.id}/test`, {})
    assert.deepEqual([unreached.delivered, unreached.error], [false, 'ECONNREFUSED'])
  })
})
