/** The list of sessions: every filter, sort, page and day (design section 4 rule 12), through HTTP. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Body, type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { pointers } from '../../test/proof.ts'
import { anaPix, makeShop, ok, type Shop } from '../../test/shop.ts'
import { changeTimeZone } from './change-time-zone.ts'

let t: TestApp
let shop: Shop
let sessions: Body[]
let clpSession: Body
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
  sessions = []
  for (const [duration, amount] of [
    [100, '5.00'],
    [400, '1.00'],
    [200, '3.00'],
    [300, '3.00'],
  ] as const) {
    sessions.push(await shop.session(priced(amount, duration)))
    await t.advance(1)
  }
  clpSession = await shop.session({
    currency: 'CLP',
    items: [{ description: 'x', preTaxAmount: '1000', totalAmount: '1000' }],
    destinations: [{ type: 'ACCOUNT', amount: '1000', account: { accountNumber: shop.accounts.CLP?.accountNumber } }],
    paymentMethodsAllowed: ['WEBPAY'],
    duration: 500,
  })
  sessions.push(clpSession)
  await ok(t.client, 'POST', `/checkout-sessions/${at(1).id}/payments`, anaPix)
  await ok(t.client, 'DELETE', `/checkout-sessions/${(await shop.session()).id}`)
  await makeShop(await t.newMerchant()).then((other) => other.session())
})
after(() => t.close())

const at = (index: number): Body => sessions[index]
const priced = (amount: string, duration: number) => ({
  items: [{ description: 'x', preTaxAmount: amount, totalAmount: amount }],
  destinations: [{ type: 'ACCOUNT', amount, account: { accountNumber: shop.accounts.BRL?.accountNumber } }],
  duration,
})
const list = (query: string, version: 'v1' | 'v2' = 'v2') =>
  t.client.call('GET', `/checkout-sessions${query}`, undefined, { version })
const changeZone = async (client: Client, timeZone: string) => {
  await changeTimeZone(t.ctx.sql, { merchantId: client.merchantId, timeZone, settleMs: 0 })
  t.ctx.auth.forget(client.merchantId)
}
/** Positions in `sessions` of what a query answers, in its order. */
async function shown(query: string): Promise<number[]> {
  const { status, body } = await list(query)
  assert.equal(status, 200, JSON.stringify(body))
  return body.results.map((found: Body) => sessions.findIndex((session) => session.id === found.id))
}

describe('GET /checkout-sessions 200', () => {
  it('newest first, without the deleted and without other merchants’', async () => {
    const { body } = await list('')
    assert.deepEqual(await shown(''), [4, 3, 2, 1, 0])
    assert.deepEqual(body.pagination, { count: 5, next: 5, previous: 0, total: 5 })
    assert.deepEqual(Object.keys((await list('', 'v1')).body).sort(), ['pagination', 'results'])
  })

  it('every filter, each with a comma list', async () => {
    assert.deepEqual(await shown('?status=PROCESSING_PAYMENT'), [1])
    assert.deepEqual(await shown('?status=ATTEMPT,PROCESSING_PAYMENT&limit=2'), [4, 3])
    assert.deepEqual(await shown('?status=FAILED'), [])
    assert.deepEqual(await shown(`?checkoutToken=${at(2).checkoutToken}`), [2])
    assert.deepEqual(await shown(`?identityId=${shop.identityId}`), [4, 3, 2, 1, 0])
    assert.deepEqual(await shown('?identityId=idn_01k9v3m5x8e2wvq0c7d4n6t1ab,x'), [])
    assert.deepEqual(await shown(`?accountNumber=${shop.accounts.CLP?.accountNumber}`), [4])
    const both = `${shop.accounts.CLP?.accountNumber},${shop.accounts.BRL?.accountNumber}`
    assert.deepEqual(await shown(`?accountNumber=${both}&status=ATTEMPT`), [4, 3, 2, 0])
  })

  it('a checkoutToken is found as it was given, commas and spaces included, and nothing else with it', async () => {
    const client = await t.newMerchant()
    const own = await makeShop(client)
    const tokens = ['A,B-1', 'A', 'B-1', 'A, B-1', ' A', 'A,', ',', '%', 'x'.repeat(120)]
    for (const checkoutToken of tokens) await ok(client, 'POST', '/checkout-sessions', own.body({ checkoutToken }))
    for (const token of tokens) {
      const url = `/checkout-sessions?checkoutToken=${encodeURIComponent(token)}`
      const { results, pagination } = await ok(client, 'GET', url)
      assert.deepEqual([results.map((found: Body) => found.checkoutToken), pagination.total], [[token], 1], url)
    }
  })

  it('every sort, ties in the order of ids', async () => {
    assert.deepEqual(await shown('?sort=createdAt:asc'), [0, 1, 2, 3, 4])
    assert.deepEqual(await shown('?sort=createdAt:desc'), [4, 3, 2, 1, 0])
    assert.deepEqual(await shown('?sort=expiresAt:asc'), [0, 2, 3, 1, 4])
    assert.deepEqual(await shown('?sort=expiresAt:desc'), [4, 1, 3, 2, 0])
    assert.deepEqual(await shown('?sort=totalAmount:asc'), [1, 2, 3, 0, 4])
    assert.deepEqual(await shown('?sort=totalAmount:desc'), [4, 0, 3, 2, 1])
    assert.deepEqual(await shown('?sort=status:asc'), [0, 2, 3, 4, 1])
    assert.deepEqual(await shown('?sort=status:desc'), [1, 4, 3, 2, 0])
  })

  it('pages by offset: count, next, previous and total', async () => {
    const pages: [string, number[], Body][] = [
      ['?limit=2', [4, 3], { count: 2, next: 2, previous: 0, total: 5 }],
      ['?limit=2&offset=2', [2, 1], { count: 4, next: 4, previous: 0, total: 5 }],
      ['?limit=2&offset=4', [0], { count: 5, next: 5, previous: 2, total: 5 }],
      ['?limit=2&offset=5', [], { count: 5, next: 5, previous: 3, total: 5 }],
      ['?limit=2&offset=9', [], { count: 9, next: 9, previous: 7, total: 5 }],
      ['?limit=2&next=2', [2, 1], { count: 4, next: 4, previous: 0, total: 5 }],
    ]
    for (const [query, expected, pagination] of pages) {
      assert.deepEqual(await shown(query), expected, query)
      assert.deepEqual((await list(query)).body.pagination, pagination, query)
    }
  })

  it('pages by key, in both directions, and loses nothing when rows are added meanwhile', async () => {
    assert.deepEqual(await shown(`?limit=2&after=${at(3).id}`), [2, 1])
    assert.deepEqual(await shown(`?limit=2&after=${at(1).id}&sort=createdAt:asc`), [2, 3])
    assert.deepEqual(await shown(`?after=${at(0).id}`), [])
    assert.deepEqual(await shown(`?status=ATTEMPT&after=${at(4).id}`), [3, 2, 0])
  })

  it('days are the merchant’s, and both ends are within', async () => {
    const client = await t.newMerchant()
    const other = await makeShop(client)
    await changeZone(client, 'America/Santiago')
    const session = await other.session()
    // 03:30 UTC is 00:30 of the 2nd in Santiago's summer; half an hour earlier it is still the 1st.
    const total = async (query: string) =>
      (await client.call('GET', `/checkout-sessions${query}`)).body.pagination.total
    const day = (ms: number, zone: string) =>
      new Intl.DateTimeFormat('en-GB', { timeZone: zone, day: '2-digit', month: '2-digit', year: 'numeric' }).format(ms)
    for (const zone of ['America/Santiago', 'Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
      await changeZone(client, zone)
      const created = Date.parse(session.createdAt)
      const [today, before, afterwards] = [
        day(created, zone),
        day(created - 86_400_000, zone),
        day(created + 86_400_000, zone),
      ]
      assert.equal(await total(`?startDate=${today}&endDate=${today}`), 1, zone)
      assert.equal(await total(`?startDate=${today}`), 1)
      assert.equal(await total(`?endDate=${before}`), 0)
      assert.equal(await total(`?startDate=${afterwards}`), 0)
      assert.equal(await total(`?startDate=${before}&endDate=${afterwards}`), 1)
      assert.equal(await total(`?startDate=${afterwards}&endDate=${before}`), 0)
    }
  })
})

describe('GET /checkout-sessions 400', () => {
  const cases: [string, string][] = [
    ['limit=0', '/query/limit'],
    ['limit=101', '/query/limit'],
    ['limit=x', '/query/limit'],
    ['limit=1.5', '/query/limit'],
    ['offset=-1', '/query/offset'],
    ['offset=1000000001', '/query/offset'],
    ['sort=createdAt', '/query/sort'],
    ['sort=id:asc', '/query/sort'],
    ['sort=createdAt:down', '/query/sort'],
    ['status=OPEN', '/query/status'],
    ['status=', '/query/status'],
    ['status=ATTEMPT,', '/query/status'],
    ['status=ATTEMPT&status=FAILED', '/query/status'],
    ['startDate=2025-01-01', '/query/startDate'],
    ['startDate=31/02/2025', '/query/startDate'],
    ['endDate=1/1/2025', '/query/endDate'],
    ['after=x', '/query/after'],
    ['after=pay_01k9v3m5x8e2wvq0c7d4n6t1ab', '/query/after'],
    ['after=cs_01k9v3m5x8e2wvq0c7d4n6t1ab&sort=status:asc', '/query/after'],
    ['after=cs_01k9v3m5x8e2wvq0c7d4n6t1ab&offset=1', '/query/after'],
    ['foo=1', '/query/foo'],
  ]
  for (const [query, pointer] of cases) {
    it(`${query}: ${pointer}`, async () => {
      const { status, body } = await list(`?${query}`)
      assert.equal(status, 400)
      assert.deepEqual(pointers(body), [pointer])
    })
  }

  it('several faults at once', async () => {
    const { body } = await list('?limit=0&foo=1&sort=x')
    assert.deepEqual(pointers(body), ['/query/foo', '/query/limit', '/query/sort'])
  })
})
