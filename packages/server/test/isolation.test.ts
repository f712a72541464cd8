/** Another merchant's everything is 404, on every operation of the document that names a resource. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { describeApi } from '../src/describe.ts'
import { type Body, type Client, startTestApp, type TestApp } from './harness.ts'
import { prove } from './proof.ts'
import { makeShop, ok, pixOf, type Shop } from './shop.ts'

let t: TestApp
let stranger: Client
let ids: Record<string, string>
let original: Body
let shop: Shop
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
  stranger = await t.newMerchant()
  const session = await shop.session()
  const payment = await ok(
    t.client,
    'POST',
    `/checkout-sessions/${session.id}/payments`,
    pixOf('ana+silent@example.com'),
  )
  const link = await ok(t.client, 'POST', '/payment-links', shop.body({ active: true }))
  const rule = await ok(t.client, 'POST', '/rules', {
    type: 'FEE',
    identityId: shop.identityId,
    overwrites: false,
    filter: null,
    feeRule: { description: 'Fee', feeType: 'FIXED', value: '1' },
  })
  ids = {
    cs: session.id,
    pay: payment.id,
    pl: link.id,
    token: session.checkoutToken,
    linkToken: link.checkoutToken,
    idn: shop.identityId,
    acc: shop.accounts['BRL']?.id ?? '',
    rule: rule.id,
  }
  original = await everything()
})
after(() => t.close())

/** What the owner sees; nothing a stranger does may change it. */
async function everything(): Promise<Body> {
  const paths = [
    `/checkout-sessions/${ids['cs']}`,
    `/payments/${ids['pay']}`,
    `/payment-links/${ids['pl']}`,
    `/identities/${ids['idn']}`,
    `/accounts/${ids['acc']}`,
    `/rules/${ids['rule']}`,
  ]
  return Promise.all(paths.map((path) => ok(t.client, 'GET', path)))
}

/** Which of the owner's resources a parameter of a path names. */
const named: [RegExp, string][] = [
  [/^\/checkout-sessions\/token\//, 'token'],
  [/^\/payment-links\/token\//, 'linkToken'],
  [/^\/checkout-sessions\//, 'cs'],
  [/^\/payments\//, 'pay'],
  [/^\/payment-links\//, 'pl'],
  [/^\/identities\//, 'idn'],
  [/^\/accounts\//, 'acc'],
  [/^\/rules\//, 'rule'],
]

test('by its path', async () => {
  const { paths } = (await describeApi()) as { paths: Record<string, Record<string, Body>> }
  let asked = 0
  for (const [path, operations] of Object.entries(paths)) {
    const kind = path.includes('{') ? named.find(([pattern]) => pattern.test(path))?.[1] : undefined
    if (!kind || path.includes('{country}')) continue
    const url = path.replace(/\{payment_id\}/, ids['pay'] ?? '').replace(/\{[^}]+\}/, ids[kind] ?? '')
    assert.ok(!url.includes('{'), url)
    for (const [method, operation] of Object.entries(operations)) {
      const content = operation.requestBody?.content?.['application/json']
      const example = content?.example ?? Object.values(content?.examples ?? {}).map((e: Body) => e.value)[0]
      const answer = await stranger.call(method.toUpperCase(), url, content ? (example ?? {}) : undefined)
      assert.equal(answer.status, 404, `${method} ${url}: ${JSON.stringify(answer.body)}`)
      asked++
    }
  }
  assert.ok(asked >= 20, `only ${asked} operations`)
  assert.deepEqual(await everything(), original)
  await prove(t, t.client)
})

test('by its name in a body: as if it did not exist', async () => {
  const own = await makeShop(stranger)
  const bodies: [string, string, unknown, number][] = [
    ['POST', '/checkout-sessions', { checkoutToken: ids['linkToken'] }, 404],
    ['POST', '/checkout-sessions', own.body({ owner: { identityId: ids['idn'] } }), 400],
    ['POST', '/checkout-sessions', own.body({ destinations: shop.body().destinations }), 400],
    ['POST', '/payment-links', own.body({ owner: { identityId: ids['idn'] } }), 400],
    ['POST', '/payments/received', { id: ids['pay'] }, 404],
    ['POST', '/checkout-sessions', own.body({ checkoutToken: ids['token'] }), 201],
  ]
  for (const [method, url, body, status] of bodies) {
    assert.equal((await stranger.call(method, url, body)).status, status, url)
  }
  assert.deepEqual(await everything(), original)
})

test('by a list: nothing of it', async () => {
  const other = await t.newMerchant()
  for (const path of [
    `/checkout-sessions?identityId=${ids['idn']}`,
    `/checkout-sessions?checkoutToken=${ids['token']}`,
    `/payments?checkoutSessionId=${ids['cs']}`,
    `/payment-links?id=${ids['pl']}`,
    '/payments',
    '/identities',
    '/rules',
  ]) {
    const { body } = await other.call('GET', path)
    assert.equal((body.pagination.pagination ?? body.pagination).total, 0, path)
  }
})
