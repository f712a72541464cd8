/** OWASP API Security Top 10 (2023), lines 1 to 6: what is tried, and that it is refused. Line 1 is isolation.test.ts, too. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { SignJWT } from 'jose'
import { createClient } from '../../src/access/manage-clients.ts'
import { unseal } from '../../src/kit/seal.ts'
import { listRoutes } from '../../src/platform/http/openapi.ts'
import { type Answer, type Body, type Client, startTestApp, type TestApp } from '../harness.ts'
import { anaPix, makeShop, ok, pixOf, type Shop } from '../shop.ts'

let t: TestApp
let client: Client
let live: Client
let shop: Shop

before(async () => {
  t = await startTestApp()
  client = t.client
  live = await t.newMerchant('live')
  shop = await makeShop(client)
})
after(() => t.close())

async function refused(status: number, type: string, answer: Answer | Promise<Answer>, what = ''): Promise<Body> {
  const { status: given, body } = await answer
  assert.deepEqual([given, body.type], [status, type], `${what} ${JSON.stringify(body)}`)
  return body
}

const pay = (session: Body, body: unknown = anaPix) =>
  client.call('POST', `/checkout-sessions/${session.id}/payments`, body)

describe('API1 broken object level authorisation', () => {
  test('knowing an id or an invoice number opens no page: only the secret part does', async () => {
    const session = await shop.session()
    const { pathname } = new URL(session.url)
    assert.equal((await t.app.inject({ url: pathname })).statusCode, 200)
    const merchant = client.merchantId.toString(36)
    for (const name of [
      session.id,
      session.checkoutToken,
      `${merchant}-${session.id}`,
      `${merchant}-${session.checkoutToken}`,
    ]) {
      assert.equal((await t.app.inject({ url: `/pay/${name}` })).statusCode, 404, name)
    }
    const other = pathname.replace(/\/pay\/[0-9a-z]+-/, `/pay/${live.merchantId.toString(36)}-`)
    assert.equal((await t.app.inject({ url: other })).statusCode, 404, "the token with another merchant's number")
  })
})

describe('API2 broken authentication', () => {
  const read = (headers: Record<string, string | undefined>) => client.call('GET', '/payments', undefined, { headers })
  const bearer = (token: string) => read({ authorization: `Bearer ${token}` })
  const claims = { iss: 'pasarela', sub: '', iat: 0, exp: 0 }

  async function signed(change: Record<string, unknown>, key: Uint8Array, alg = 'HS256'): Promise<string> {
    const now = Math.floor(t.ctx.clock.nowMs() / 1000)
    const whole = { ...claims, sub: client.clientId, iat: now, exp: now + 600, ...change }
    return new SignJWT(whole).setProtectedHeader({ alg, typ: 'JWT' }).sign(key)
  }
  async function ourKey(): Promise<Uint8Array> {
    const [row] = await t.ctx.sql<{ sealed: Uint8Array }[]>`select sealed from sealed_keys where name = 'jwt'`
    return unseal(t.ctx.masterKey, 'jwt', row?.sealed ?? new Uint8Array())
  }

  test('a forged token is refused: no algorithm, another one, another key, another issuer, no end, an end that is past', async () => {
    const key = await ourKey()
    assert.equal((await bearer(await signed({}, key))).status, 200, 'the control is a good token')
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const now = Math.floor(t.ctx.clock.nowMs() / 1000)
    const body = part({ ...claims, sub: client.clientId, iat: now, exp: now + 600 })
    const forged = {
      'alg none': `${part({ alg: 'none', typ: 'JWT' })}.${body}.`,
      'alg None': `${part({ alg: 'None' })}.${body}.x`,
      'HS512 with our key': await signed({}, Buffer.concat([key, key]), 'HS512'),
      'another key': await signed({}, new Uint8Array(32)),
      'another issuer': await signed({ iss: 'evil' }, key),
      'no subject': await signed({ sub: undefined }, key),
      'no end': await signed({ exp: undefined }, key),
      'an end that is past': await signed({ exp: now - 1 }, key),
      'changed after signing': (await signed({}, key)).replace(
        /\.[^.]+\./,
        `.${part({ ...claims, sub: live.clientId, exp: now + 600 })}.`,
      ),
      'no token at all': 'x',
    }
    for (const [what, token] of Object.entries(forged)) await refused(401, 'unauthorized', bearer(token), what)
  })

  test('a token ends by itself, and one client’s token is nothing with another’s key', async () => {
    const session = await t.app.inject({
      method: 'POST',
      url: '/auth',
      headers: { 'x-api-key': client.apiKey },
      payload: { clientId: client.clientId, clientSecret: client.clientSecret },
    })
    const { accessToken, expiresIn } = session.json()
    assert.equal((await bearer(accessToken)).status, 200)
    await refused(401, 'unauthorized', read({ 'x-api-key': live.apiKey }))
    await refused(401, 'unauthorized', read({ authorization: `Bearer ${live.token}` }))
    const second = await createClient(t.ctx.sql, {
      merchantId: client.merchantId,
      name: 'second',
      requestsPerSecond: null,
    })
    await refused(401, 'unauthorized', read({ 'x-api-key': second.apiKey }), 'of the same merchant')
    const headers = { 'x-api-key': client.apiKey, authorization: `Bearer ${accessToken}`, 'user-agent': 'T/1' }
    await t.advance(expiresIn * 1000 + 1)
    const late = await t.app.inject({ url: '/payments', headers })
    assert.equal(late.statusCode, 401)
  })

  test('credentials belong together, stand in their headers, and say nothing about which of them was wrong', async () => {
    const { clientId, clientSecret } = client
    const tries: [Record<string, string | undefined>, object][] = [
      [{}, { clientId, clientSecret: live.clientSecret }],
      [{}, { clientId: live.clientId, clientSecret }],
      [{ 'x-api-key': live.apiKey }, { clientId, clientSecret }],
      [{}, { clientId, clientSecret: `${clientSecret}x` }],
    ]
    const said = new Set<string>()
    for (const [headers, body] of tries)
      said.add((await refused(401, 'unauthorized', client.call('POST', '/auth', body, { headers }))).detail)
    assert.equal(said.size, 1)
    const inQuery = `/payments?access_token=${client.token}`
    const without = { authorization: undefined }
    await refused(401, 'unauthorized', client.call('GET', inQuery, undefined, { headers: without }))
    await refused(401, 'unauthorized', read({ authorization: `Basic ${Buffer.from('a:b').toString('base64')}` }))
  })
})

describe('API3 broken object property level authorisation', () => {
  test('every operation refuses a field that it does not know, wherever it takes a body', async () => {
    const withBody = listRoutes(t.app).filter((route) => route.schema.body && route.config.access !== 'open')
    assert.ok(withBody.length > 25)
    for (const { method, url } of withBody) {
      const address = url.replace(/:(\w+)/g, 'x')
      const body = await refused(400, 'invalidParam', client.call(method, address, { planted: 1 }), `${method} ${url}`)
      assert.ok(
        body.errors.some((fault: { pointer: string }) => fault.pointer === '/planted'),
        `${method} ${url}`,
      )
    }
  })

  test('what is ours to decide cannot be sent: status, amounts that are computed, ids, owners of rows', async () => {
    const ours = {
      status: 'FINISHED',
      totalAmount: '0.01',
      id: 'cs_x',
      merchantId: 1,
      url: 'x',
      createdAt: 'x',
      expiresAt: 'x',
      rootSessionId: 'x',
    }
    for (const [field, value] of Object.entries(ours)) {
      await refused(
        400,
        'invalidParam',
        client.call('POST', '/checkout-sessions', shop.body({ [field]: value })),
        field,
      )
    }
    const session = await shop.session()
    const node = { ...anaPix.origins[0], amount: '0.01' }
    await refused(400, 'invalidParam', pay(session, { origins: [node] }), 'another amount than was quoted')
    const account = shop.accounts.BRL?.id
    for (const field of ['balance', 'availableFunds', 'currency', 'identityId', 'accountNumber'])
      await refused(400, 'invalidParam', client.call('PATCH', `/accounts/${account}`, { [field]: '1' }), field)
  })

  test('a name that means something to JavaScript is only a name, and nothing is polluted', async () => {
    for (const raw of ['{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}']) {
      const { status } = await client.call('POST', '/checkout-sessions', undefined, { raw })
      assert.equal(status, 400)
    }
    assert.equal(({} as Body).polluted, undefined)
  })
})

describe('API4 unrestricted resource consumption', () => {
  test('large, deep and many: refused before they cost anything', async () => {
    const began = performance.now()
    const raw = (text: string) => client.call('POST', '/checkout-sessions', undefined, { raw: text })
    await refused(413, 'payloadTooLarge', raw(`{"a":"${'x'.repeat(256 * 1024)}"}`))
    assert.equal((await raw(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).status, 400)
    assert.equal((await raw(`${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`)).status, 400)
    const item = shop.body().items[0]
    await refused(
      400,
      'invalidParam',
      client.call('POST', '/checkout-sessions', shop.body({ items: Array(101).fill(item) })),
    )
    const pairs = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v']))
    await refused(400, 'invalidParam', client.call('POST', '/checkout-sessions', shop.body({ metadata: pairs })))
    for (const long of ['9'.repeat(60_000), `${'1'.repeat(60_000)}.`, 'a'.repeat(60_000), `${' '.repeat(60_000)}1`]) {
      await refused(400, 'invalidParam', client.call('POST', '/checkout-sessions', shop.body({ checkoutToken: long })))
      const items = [{ ...item, totalAmount: long }]
      await refused(400, 'invalidParam', client.call('POST', '/checkout-sessions', shop.body({ items })))
      const customer = { email: `${long}@`, phoneNumber: long }
      await refused(400, 'invalidParam', client.call('POST', '/checkout-sessions', shop.body({ customer })))
    }
    assert.ok(performance.now() - began < 8_000, 'no input takes long to refuse')
  })

  test('a page is at most a hundred, of every list', async () => {
    const lists = listRoutes(t.app).filter(({ method, schema }) => {
      const properties = (schema.querystring as Body)?.properties
      return method === 'GET' && properties?.limit !== undefined
    })
    assert.ok(lists.length >= 8)
    for (const { url } of lists) {
      const address = url.replace(/:(\w+)/g, 'x')
      for (const limit of ['101', '1000000', '-1', 'all'])
        await refused(400, 'invalidParam', client.call('GET', `${address}?limit=${limit}`), `${url} ${limit}`)
    }
  })

  test('a client has a rate, endpoints and keys have a number and a length', async () => {
    const slow = await createClient(t.ctx.sql, { merchantId: client.merchantId, name: 'slow', requestsPerSecond: 5 })
    const signIn = { clientId: slow.clientId, clientSecret: slow.clientSecret }
    const { body } = await client.call('POST', '/auth', signIn, { headers: { 'x-api-key': slow.apiKey } })
    const headers = { 'x-api-key': slow.apiKey, authorization: `Bearer ${body.accessToken}` }
    const burst = await Promise.all(
      Array.from({ length: 12 }, () => client.call('GET', '/rules', undefined, { headers })),
    )
    const tooMany = burst.filter((answer) => answer.status === 429)
    assert.ok(tooMany.length >= 2)
    assert.ok(Number(tooMany[0]?.headers['retry-after']) >= 1)
    const key = { headers: { 'idempotency-key': 'k'.repeat(256) } }
    await refused(400, 'invalidParam', client.call('POST', '/checkout-sessions', shop.body(), key))
    const merchant = await t.newMerchant()
    const endpoint = { url: 'http://127.0.0.1:9/x', format: 'standard', eventTypes: ['*'] }
    for (let i = 0; i < 20; i++) await ok(merchant, 'POST', '/webhook-endpoints', endpoint)
    await refused(422, 'failedPrecondition', merchant.call('POST', '/webhook-endpoints', endpoint))
  })
})

describe('API5 broken function level authorisation', () => {
  test('what exists for testing alone does not exist for live clients, under any address', async () => {
    const testing = listRoutes(t.app).filter((route) => route.config.sandboxOnly === true && route.method !== 'HEAD')
    assert.ok(testing.length >= 3)
    for (const { method, url } of testing) {
      await refused(404, 'notFound', live.call(method, url, method === 'GET' ? undefined : {}), url)
      assert.notEqual((await client.call(method, url, method === 'GET' ? undefined : {})).status, 404, url)
    }
    await refused(403, 'forbiddenOperation', live.call('GET', '/sandbox/payments'))
    await refused(404, 'notFound', live.call('POST', '/sandbox/sandbox/clock/advance', { seconds: 1 }))
  })

  test('merchants, clients, keys and clocks of others are the operator’s, who sits at the machine: no route leads there', async () => {
    for (const { url } of listRoutes(t.app))
      assert.doesNotMatch(url, /merchant|client|tenant|admin|operator|sealed|migrat|debug|metric/i)
  })

  test('a method cannot be overridden', async () => {
    const session = await shop.session()
    const headers = { 'x-http-method-override': 'DELETE', 'x-method-override': 'DELETE' }
    assert.equal(
      (await client.call('GET', `/checkout-sessions/${session.id}?_method=DELETE`, undefined, { headers })).status,
      400,
    )
    assert.equal((await client.call('GET', `/checkout-sessions/${session.id}`, undefined, { headers })).status, 200)
    assert.equal((await client.call('GET', `/checkout-sessions/${session.id}`)).status, 200)
  })
})

describe('API6 unrestricted access to sensitive business flows', () => {
  test('an order is paid once, and refunded by no more than was paid', async () => {
    const order = { metadata: { orderReference: 'order-6' } }
    const [first, second] = [await shop.session(order), await shop.session(order)]
    const payment = (await pay(first, pixOf('ana+silent@example.com'))).body
    await ok(client, 'POST', '/payments/received', { transactionId: payment.id })
    await refused(422, 'failedPrecondition', pay(second))
    await refused(422, 'failedPrecondition', pay(first))
    await t.advance(3_000)
    const refund = (amount: string) => client.call('POST', `/payments/${payment.id}/refund`, { amount })
    await refused(422, 'failedPrecondition', refund('11.91'))
    const many = await Promise.all(Array.from({ length: 4 }, () => refund('11.90')))
    assert.deepEqual([many.filter((a) => a.status < 300).length, many.filter((a) => a.status === 422).length], [1, 3])
  })

  test('a payer’s page cannot be hammered', async () => {
    const { pathname } = new URL((await shop.session()).url)
    const views = await Promise.all(Array.from({ length: 120 }, () => t.app.inject({ url: pathname })))
    assert.ok(views.some((view) => view.statusCode === 429))
    const acts = await Promise.all(
      Array.from({ length: 40 }, () => t.app.inject({ method: 'POST', url: `${pathname}/open` })),
    )
    assert.ok(acts.every((act) => act.statusCode >= 400))
  })
})
