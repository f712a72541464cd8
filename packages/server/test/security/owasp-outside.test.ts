/** OWASP API Security Top 10 (2023), lines 7 to 10: where we are sent to, how we are set up, what there is of us, whom we believe. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { signNotice } from '@pasarela/connectors/sandbox'
import { type Connection, sandboxConnection } from '../../src/connections/connection.ts'
import { buildOpenApi, listRoutes } from '../../src/platform/http/openapi.ts'
import { type Body, type Client, startTestApp, type TestApp } from '../harness.ts'
import { makeShop, ok, pixOf, type Shop } from '../shop.ts'

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

/** Ways to write addresses that are nobody's business: this machine, its neighbours, its cloud. */
const inner = [
  'https://127.0.0.1/x',
  'https://127.1/x',
  'https://2130706433/x',
  'https://0x7f000001/x',
  'https://0177.0.0.1/x',
  'https://localhost/x',
  'https://a.localhost/x',
  'https://localhost./x',
  'https://0.0.0.0/x',
  'https://10.0.0.1/x',
  'https://172.16.0.1/x',
  'https://192.168.1.1/x',
  'https://100.64.0.1/x',
  'https://169.254.169.254/latest/meta-data/',
  'https://[::1]/x',
  'https://[::]/x',
  'https://[::ffff:127.0.0.1]/x',
  'https://[::ffff:a9fe:a9fe]/x',
  'https://[fe80::1]/x',
  'https://[fd00:ec2::254]/x',
  'https://[64:ff9b::7f00:1]/x',
  'https://224.0.0.1/x',
  'https://255.255.255.255/x',
]
const wrongSchemes = [
  'http://shop.example/x',
  'file:///etc/passwd',
  'gopher://127.0.0.1:5432/x',
  'ftp://shop.example/x',
  'javascript:alert(1)',
  'data:text/html,x',
  '//shop.example/x',
  'x',
  '',
]

describe('API7 server side request forgery', () => {
  test('a webhook goes to no inner address, however it is written, and to https alone', async () => {
    const create = (who: Client, url: string) =>
      who.call('POST', '/webhook-endpoints', { url, format: 'standard', eventTypes: ['*'] })
    for (const url of [...inner, ...wrongSchemes, 'https://user:secret@shop.example/x']) {
      const { status, body } = await create(live, url)
      assert.equal(status, 400, url)
      assert.ok(
        body.errors.some((fault: { pointer: string }) => fault.pointer === '/url'),
        url,
      )
    }
    const { body: endpoint } = await create(live, 'https://hooks.shop.example/x')
    for (const url of inner) {
      assert.equal((await live.call('PATCH', `/webhook-endpoints/${endpoint.id}`, { url })).status, 400, url)
    }
    // Sandbox merchants develop on this machine: loopback, and nothing else of what is inside.
    assert.equal((await create(client, 'http://127.0.0.1:9/x')).status, 201)
    for (const url of [
      'https://10.0.0.1/x',
      'https://169.254.169.254/x',
      'https://[fe80::1]/x',
      'http://192.168.1.1/x',
    ])
      assert.equal((await create(client, url)).status, 400, url)
  })

  test('a payer is sent to no script, no file and no address with credentials', async () => {
    for (const url of [
      ...wrongSchemes.filter((u) => u !== ''),
      'https://user@shop.example/x',
      'https://user:p@shop.example/x',
      'https://',
    ]) {
      for (const field of ['successUrl', 'failedUrl']) {
        const { status, body } = await client.call('POST', '/checkout-sessions', shop.body({ [field]: url }))
        assert.equal(status, 400, `${field} ${url}`)
        assert.ok(
          body.errors.some((fault: { pointer: string }) => fault.pointer === `/${field}`),
          `${field} ${url}`,
        )
      }
    }
  })

  test('nothing else that a caller sends is ever fetched: there is one door out, and it is guarded', async () => {
    const { readdirSync, readFileSync } = await import('node:fs')
    const src = new URL('../../src/', import.meta.url).pathname
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
    )
    const reaching = files.filter((file) =>
      /\bfetch\(|^import (?!type)[^\n]*from 'node:(https?|net|dgram|tls)'/m.test(readFileSync(src + file, 'utf8')),
    )
    assert.deepEqual(reaching.filter((file) => !file.includes('checkout-page/client/')).sort(), ['kit/outbound.ts'])
  })
})

describe('API8 security misconfiguration', () => {
  test('no answer tells of our inside: no stack, no path, no SQL, no software', async () => {
    const tries: [string, string, unknown?][] = [
      ['GET', '/nothing'],
      ['GET', '/%E0%A4%A'],
      ['GET', `/payments/${'x'.repeat(300)}`],
      ['GET', "/payments?status='%20or%201=1--"],
      ['GET', '/payments?sort=id;drop%20table%20payments'],
      ['POST', '/checkout-sessions', { checkoutToken: "x'; drop table payments; --" }],
      ['DELETE', '/payments'],
      ['PUT', '/checkout-sessions', {}],
    ]
    for (const [method, url, body] of tries) {
      const answer = await client.call(method, url, body)
      assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${url}: ${answer.status}`)
      const text = JSON.stringify([answer.body, answer.headers])
      assert.doesNotMatch(text, /node_modules|\.ts:|\bat [A-Z]\w+ \(|select |insert |postgres|fastify|node\.js/i)
      assert.equal(answer.headers['x-powered-by'], undefined)
      assert.equal(answer.headers.server, undefined)
    }
  })

  test('methods that nobody declared are refused, those that echo too', async () => {
    for (const method of ['TRACE', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'] as const) {
      const answer = await t.app.inject({
        method: method as 'GET',
        url: '/checkout-sessions',
        headers: { 'x-planted': 'planted' },
      })
      assert.ok([400, 404, 405, 415].includes(answer.statusCode), `${method}: ${answer.statusCode}`)
      assert.ok(!answer.body.includes('planted'))
    }
  })

  test('every answer says that it is not to be kept nor guessed at, and no other site may read it', async () => {
    const headers = { origin: 'https://evil.example' }
    for (const [method, url] of [
      ['GET', '/payments'],
      ['GET', '/nothing'],
      ['POST', '/auth'],
      ['POST', '/checkout-sessions'],
    ] as const) {
      const answer = await client.call(method, url, method === 'POST' ? {} : undefined, { headers })
      assert.equal(answer.headers['cache-control'], 'no-store', url)
      assert.equal(answer.headers['x-content-type-options'], 'nosniff', url)
      assert.equal(answer.headers['access-control-allow-origin'], undefined, url)
      assert.match(String(answer.headers['content-type']), /^application\/json/)
    }
  })

  test('the pages forbid frames, foreign content and script in the page', async () => {
    const { pathname } = new URL((await shop.session()).url)
    for (const url of [pathname, '/docs']) {
      const { headers } = await t.app.inject({ url })
      const policy = String(headers['content-security-policy'])
      assert.match(policy, /default-src 'none'/)
      assert.match(policy, /frame-ancestors 'none'/)
      assert.match(policy, /base-uri 'none'/)
      assert.doesNotMatch(policy, /script-src[^;]*unsafe/)
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['access-control-allow-origin'], undefined)
    }
  })

  test('what a merchant writes is text on the page, not markup', async () => {
    const markup = '<script>alert(1)</script><img src=x onerror=alert(1)>'
    const items = [{ description: markup, preTaxAmount: '11.90', totalAmount: '11.90' }]
    const { pathname } = new URL((await shop.session({ items })).url)
    const { body } = await t.app.inject({ url: pathname })
    assert.ok(!body.includes('<script>alert') && !body.includes('<img src=x'))
    assert.match(body, /&(?:lt|#60|#x3c);script/i)
  })
})

describe('API9 improper inventory management', () => {
  /** What is no operation of the API: pages, files and doors that people and browsers visit. */
  const pages = /^\/(docs|openapi\.json|pay|link|bank|card|brand-logos|health|ready)\b/

  test('every route is in the OpenAPI document, or is a page', () => {
    const { paths } = buildOpenApi(t.app)
    const told = new Set(
      Object.entries(paths).flatMap(([path, operations]) =>
        Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
      ),
    )
    const routes = listRoutes(t.app).filter(({ method }) => method !== 'HEAD')
    assert.ok(routes.length > 50)
    const untold = routes.filter(({ method, url }) => !told.has(`${method} ${url.replace(/:(\w+)/g, '{$1}')}`))
    assert.deepEqual(
      untold.map(({ url }) => url).filter((url) => !pages.test(url) && !/pay\.[\w.]+js$/.test(url)),
      [],
    )
    for (const { url, config } of untold) assert.equal(config.access, 'open', url)
    assert.equal(told.size, routes.length - untold.length, 'nothing is told of that is not there')
  })

  test('only these are open to nobody in particular', () => {
    const open = listRoutes(t.app).filter(({ config, method }) => config.access === 'open' && method !== 'HEAD')
    const operations = open.filter(({ schema }) => schema.operationId).map(({ method, url }) => `${method} ${url}`)
    assert.deepEqual(operations.sort(), ['POST /notifications/:connector/:connectionId'])
  })

  test('versions are two, and another is refused', async () => {
    const headers = { 'conomyhq-api-version': '01-01-2020' }
    assert.equal((await client.call('GET', '/payments', undefined, { headers })).status, 400)
    for (const prefix of ['/v1', '/v2', '/api', '/beta', '/internal', '/sandbox/sandbox'])
      assert.equal((await client.call('GET', `${prefix}/payments`)).status, 404, prefix)
  })
})

describe('API10 unsafe consumption of APIs', () => {
  let mine: Connection
  let theirs: Connection
  let payment: Body
  before(async () => {
    mine = await sandboxConnection(t.ctx, client.merchantId)
    theirs = await sandboxConnection(t.ctx, (await t.newMerchant()).merchantId)
    const session = await shop.session()
    payment = await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, pixOf('ana+silent@example.com'))
  })
  const notice = () => JSON.stringify({ event: 'received', paymentId: payment.id, amount: '11.90', currency: 'BRL' })
  const send = (path: string, body: string, headers: Record<string, string> = {}) =>
    t.app.inject({
      method: 'POST',
      url: `/notifications/${path}`,
      payload: body,
      headers: { 'content-type': 'application/json', ...headers },
    })
  const signed = (body: string, secret: string, atMs = t.ctx.clock.nowMs()) => signNotice(body, secret, new Date(atMs))
  const status = async () => (await ok(client, 'GET', `/payments/${payment.id}`)).status

  test('a notice is believed by its signature alone: none, a false one, an old one, another’s, a changed body', async () => {
    const good = signed(notice(), mine.secret)
    const header = Object.keys(good)[0] ?? ''
    const false_ = {
      none: {},
      empty: { [header]: '' },
      word: { [header]: 'v1=00' },
      zeros: { [header]: `t=1,v1=${'0'.repeat(64)}` },
    }
    for (const [what, headers] of Object.entries(false_))
      assert.equal((await send(`sandbox/${mine.id}`, notice(), headers)).statusCode, 401, what)
    const others = [
      signed(notice(), theirs.secret),
      signed(notice(), mine.secret, t.ctx.clock.nowMs() - 3_600_000),
      signed(`${notice()} `, mine.secret),
    ]
    for (const headers of others) assert.equal((await send(`sandbox/${mine.id}`, notice(), headers)).statusCode, 401)
    for (const path of ['sandbox/con_01k9v3m5x8e2wvq0c7d4n6t1ab', `stripe/${mine.id}`, `sandbox/x`, `../${mine.id}`])
      assert.equal((await send(path, notice(), good)).statusCode, 404, path)
    assert.equal((await send(`sandbox/${mine.id}`, 'x'.repeat(64 * 1024 + 1), good)).statusCode, 413)
    await t.runJobs()
    assert.equal(await status(), 'CREATED')
  })

  test('a genuine notice moves nothing of another merchant’s, whatever it names', async () => {
    const answer = await send(`sandbox/${theirs.id}`, notice(), signed(notice(), theirs.secret))
    assert.equal(answer.statusCode, 200)
    await t.runJobs()
    assert.equal(await status(), 'CREATED')
  })

  test('what a provider says is data: another amount is held, nonsense is kept and changes nothing', async () => {
    const nonsense = [
      '{"event":"received","amount":"1e9","currency":"BRL"}',
      '[]',
      'null',
      '{"event":{"$gt":""}}',
      '\u0000',
      `{"event":"received","paymentId":"${payment.id}","amount":"-1","currency":"BRL"}`,
    ]
    for (const body of nonsense) {
      const { statusCode } = await send(`sandbox/${mine.id}`, body, signed(body, mine.secret))
      assert.equal(statusCode, 200, body)
    }
    await t.runJobs()
    assert.equal(await status(), 'CREATED')
    const little = notice().replace('11.90', '0.01')
    await send(`sandbox/${mine.id}`, little, signed(little, mine.secret))
    await t.runJobs()
    const held = await ok(client, 'GET', `/payments/${payment.id}`)
    assert.deepEqual([held.status, held.hold], ['RECEIVED', 'too_little'])
    const session = await ok(client, 'GET', `/checkout-sessions/${payment.checkoutSessionId}`)
    assert.notEqual(session.status, 'FINISHED')
  })
})
