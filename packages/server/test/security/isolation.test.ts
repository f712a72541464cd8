/** OWASP API1, broken object level authorisation: every route × every role × another merchant's ids gives 404, and changes nothing. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { listRoutes } from '../../src/platform/http/openapi.ts'
import { type Body, type Client, startTestApp, type TestApp } from '../harness.ts'
import { makeShop } from '../shop.ts'
import { type Aim, aims, bodyAims, makeWorld, notIds, type World } from './world.ts'

let t: TestApp
let world: World
let strangers: Record<string, Client>

before(async () => {
  t = await startTestApp()
  world = await makeWorld(t, t.client)
  strangers = { 'another sandbox merchant': await t.newMerchant(), 'a live merchant': await t.newMerchant('live') }
})
after(() => t.close())

type Route = { name: string; method: string; url: string; sandboxOnly: boolean }

/** All that the application answers, from the application itself. */
function routes(): Route[] {
  return listRoutes(t.app)
    .filter(({ method }) => method !== 'HEAD' && method !== 'OPTIONS')
    .map(({ method, url, config }) => ({
      name: `${method} ${url}`,
      method,
      url,
      sandboxOnly: config.sandboxOnly === true,
    }))
}

function isExcused({ name, method, url }: Route): boolean {
  if (name in notIds) return true
  return Object.keys(notIds).some((key) => key.endsWith('/*') && `${method} ${url}`.startsWith(key.slice(0, -1)))
}

function addressOf(route: Route, { params }: Aim): string {
  return route.url.replace(/:(\w+)/g, (_, name) =>
    encodeURIComponent(params[name] ?? assert.fail(`${route.name} wants ${name}`)),
  )
}

function aimedRoutes(): { route: Route; aim: Aim; address: string }[] {
  return routes().flatMap((route) => {
    const aim = aims[route.name]?.(world)
    return aim ? [{ route, aim, address: addressOf(route, aim) }] : []
  })
}

test('every route that names something by its address has its aim here, and no aim is left over', () => {
  const named = routes().filter((route) => route.url.includes(':') && !isExcused(route))
  assert.ok(named.length >= 35)
  assert.deepEqual(named.map((route) => route.name).sort(), Object.keys(aims).sort())
  const known = new Set(routes().map((route) => route.name))
  for (const name of Object.keys(bodyAims)) assert.ok(known.has(name), name)
})

describe('another merchant', () => {
  test('meets 404 with every id, and everything stays as it was', async () => {
    const before = await wholeState()
    for (const [who, stranger] of Object.entries(strangers)) {
      for (const { route, aim, address } of aimedRoutes()) {
        const answer = await stranger.call(route.method, address, aim.body)
        assert.equal(answer.status, 404, `${who}: ${route.name} answered ${answer.status}`)
        assert.equal(answer.body.type, 'notFound')
      }
      for (const [name, make] of Object.entries(bodyAims)) {
        const { body, refused } = make(world)
        const [method = '', url = ''] = name.split(' ')
        const answer = await stranger.call(method, url, body)
        assert.equal(answer.status, refused, `${who}: ${name} answered ${answer.status}`)
      }
    }
    assert.deepEqual(await wholeState(), before)
  })

  test('is not told whether an id exists: the answer to one that does not is the same', async () => {
    for (const stranger of Object.values(strangers)) {
      for (const { route, aim, address } of aimedRoutes()) {
        const none = Object.fromEntries(Object.entries(aim.params).map(([name, id]) => [name, noneLike(id)]))
        const theirs = await stranger.call(route.method, address, aim.body)
        const nobodys = await stranger.call(route.method, addressOf(route, { params: none }), aim.body)
        assert.equal(nobodys.status, 404)
        assert.equal(saidOf(theirs.body, aim.params), saidOf(nobodys.body, none), route.name)
      }
    }
  })

  test('cannot sell in the name of another, nor to another’s account', async () => {
    for (const stranger of Object.values(strangers)) {
      const own = await makeShop(stranger)
      const foreignOwner = own.body({ owner: { identityId: world.shop.identityId } })
      const destination = {
        type: 'ACCOUNT',
        amount: '11.90',
        account: { accountNumber: world.shop.accounts.BRL?.accountNumber },
      }
      for (const path of ['/checkout-sessions', '/payment-links']) {
        for (const [body, pointer] of [
          [foreignOwner, '/owner/identityId'],
          [own.body({ destinations: [destination] }), '/destinations/0/account/accountNumber'],
        ] as const) {
          const answer = await stranger.call('POST', path, body)
          assert.equal(answer.status, 400)
          assert.ok(
            answer.body.errors.some((fault: { pointer: string }) => fault.pointer === pointer),
            pointer,
          )
        }
      }
    }
  })

  test('sees nothing of it in any list, whatever it filters by', async () => {
    const lists = routes().filter(
      (route) => route.method === 'GET' && !route.url.includes(':') && /^\/[a-z-]+$/.test(route.url),
    )
    const filters = [
      '',
      `?identityId=${world.shop.identityId}`,
      `?checkoutSessionId=${world.session.id}`,
      `?checkoutToken=${world.session.checkoutToken}`,
      `?accountNumber=${world.shop.accounts.BRL?.accountNumber}`,
      `?stream=${world.session.id}`,
      `?parentPaymentId=${world.settled.id}`,
    ]
    for (const stranger of Object.values(strangers)) {
      for (const route of lists.filter(({ url }) => !['/docs'].includes(url))) {
        for (const filter of filters) {
          const answer = await stranger.call('GET', route.url + filter)
          const text = JSON.stringify(answer.body ?? '')
          for (const secret of secretsOf()) {
            const echoed = answer.status === 400 || filter.includes(secret)
            assert.ok(echoed || !text.includes(secret), `${route.url}${filter} shows ${secret}`)
          }
        }
      }
    }
  })
})

describe('without the right credentials', () => {
  test('every operation answers 401 before anything else', async () => {
    const revoked = await t.newMerchant()
    await t.ctx.sql`update api_clients set revoked_at = now() where id = ${revoked.clientId}`
    t.ctx.auth.forget(revoked.merchantId)
    const callers: Record<string, Record<string, string | undefined>> = {
      nobody: { 'x-api-key': undefined, authorization: undefined },
      'only a key': { authorization: undefined },
      'only a token': { 'x-api-key': undefined },
      "another client's key": { 'x-api-key': revoked.apiKey },
      'a revoked client': { 'x-api-key': revoked.apiKey, authorization: `Bearer ${revoked.token}` },
      "my key, another's token": { authorization: `Bearer ${strangers['a live merchant']?.token}` },
    }
    for (const [who, headers] of Object.entries(callers)) {
      for (const { route, aim, address } of aimedRoutes()) {
        const { status, body } = await world.client.call(route.method, address, aim.body, { headers })
        assert.equal(status, 401, `${who}: ${route.name}`)
        assert.equal(body.type, 'unauthorized')
      }
    }
  })
})

describe('the merchant itself', () => {
  test('is not refused: the ids above were right ones', async () => {
    // What takes something away comes last.
    const order = (method: string) => ['GET', 'PATCH', 'PUT', 'POST', 'DELETE'].indexOf(method)
    const all = aimedRoutes().sort((a, b) => order(a.route.method) - order(b.route.method))
    for (const { route, aim, address } of all) {
      const { status } = await world.client.call(route.method, address, aim.body)
      assert.ok(status < 500 && ![400, 401, 403, 404].includes(status), `${route.name} answered ${status} to its owner`)
    }
  })
})

/** Everything that could have been changed, read as its owner. */
async function wholeState(): Promise<unknown> {
  const own = aimedRoutes().filter(({ route }) => route.method === 'GET')
  const reads = await Promise.all(own.map(({ address }) => world.client.call('GET', address)))
  const [counts] = await t.ctx.sql`
    select (select count(*) from events where merchant_id = ${world.client.merchantId}) as events,
      (select count(*) from payments where merchant_id = ${world.client.merchantId}) as payments,
      (select count(*) from checkout_sessions where merchant_id = ${world.client.merchantId}) as sessions,
      (select count(*) from webhook_deliveries where merchant_id = ${world.client.merchantId}) as deliveries`
  return [reads.map((answer) => answer.body), counts]
}

function secretsOf(): string[] {
  const { shop, link, session, payment, settled, rule, endpoint } = world
  return [
    shop.identityId,
    shop.accounts.BRL?.accountNumber ?? '',
    link.id,
    session.id,
    payment.id,
    settled.id,
    rule.id,
    endpoint.id,
  ]
}

/** What an answer says, without the names it repeats and without its trace. */
function saidOf(body: Body, params: Record<string, string>): string {
  const text = JSON.stringify({ ...body, traceId: '' })
  return Object.values(params).reduce((shown, id) => shown.replaceAll(id, '…'), text)
}

/** An id of the same form that nobody has. */
function noneLike(id: string): string {
  return id.replace(/^([a-z]+_01).*$/, '$1k9v3m5x8e2wvq0c7d4n6t1ab').replace(/^order-.*$/, 'order-of-nobody')
}
