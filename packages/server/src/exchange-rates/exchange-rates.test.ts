/** Exchange rates through the API, grouped by verb and status. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { currencyCodes } from '@pasarela/connector-kit'
import { type Answer, type Body, type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { ratesInto } from './rates.ts'

let app: TestApp
let shop: Client
let other: Client

before(async () => {
  app = await startTestApp()
  shop = app.client
  other = await app.newMerchant()
})
after(() => app.close())

const put = (client: Client, rates: Body) => client.call('PUT', '/exchange-rates', { rates })
const pairs = (answer: Answer) => answer.body.results.map((r: Body) => `${r.product} ${r.exchangeRate}`)
const pointers = (answer: Answer) => answer.body.errors.map((error: { pointer: string }) => error.pointer)

describe('PUT /exchange-rates', () => {
  test('200: sets what is given, in canonical form, and leaves the rest', async () => {
    const first = await put(shop, [
      { product: 'USD:CLP', exchangeRate: '0950.00' },
      { product: 'BRL:CLP', exchangeRate: '170.50' },
    ])
    assert.equal(first.status, 200)
    assert.deepEqual(pairs(first), ['BRL:CLP 170.5', 'USD:CLP 950'])
    const second = await put(shop, [{ product: 'BRL:CLP', exchangeRate: '0.000000000001' }])
    assert.deepEqual(pairs(second), ['BRL:CLP 0.000000000001'])
    const all = await shop.call('GET', '/exchange-rates')
    assert.deepEqual(pairs(all), ['BRL:CLP 0.000000000001', 'USD:CLP 950'])
    assert.deepEqual(all.body.results[0], second.body.results[0])
  })

  test('200: every pair there can be, and the same again by several at once', async () => {
    const mine = await app.newMerchant()
    const rates = currencyCodes.flatMap((from) =>
      currencyCodes.filter((to) => to !== from).map((to) => ({ product: `${from}:${to}`, exchangeRate: '1.25' })),
    )
    const answers = await Promise.all([put(mine, rates), put(mine, rates.toReversed()), put(mine, rates)])
    for (const answer of answers) assert.deepEqual([answer.status, answer.body.results.length], [200, rates.length])
    assert.equal((await mine.call('GET', '/exchange-rates')).body.results.length, rates.length)
  })

  test('400: every fault is named, and none of the rates is set', async () => {
    const mine = await app.newMerchant()
    const answer = await put(mine, [
      { product: 'USD:CLP', exchangeRate: '950' },
      { product: 'USD:CLP', exchangeRate: '951' },
      { product: 'USD:ZZZ', exchangeRate: '1' },
      { product: 'CLP:CLP', exchangeRate: '1' },
      { product: 'BRL:CLP', exchangeRate: '0.00' },
    ])
    assert.deepEqual([answer.status, answer.body.type], [400, 'invalidParam'])
    assert.deepEqual(pointers(answer), [
      '/rates/1/product',
      '/rates/2/product',
      '/rates/3/product',
      '/rates/4/exchangeRate',
    ])
    assert.deepEqual(pairs(await mine.call('GET', '/exchange-rates')), [])
  })

  const refused: [why: string, rates: Body, pointer: string][] = [
    ['no rates', [], '/rates'],
    ['rates that are no list', {}, '/rates'],
    ['a rate that is a number', [{ product: 'BRL:CLP', exchangeRate: 170.5 }], '/rates/0/exchangeRate'],
    ['a negative rate', [{ product: 'BRL:CLP', exchangeRate: '-1' }], '/rates/0/exchangeRate'],
    ['an exponent', [{ product: 'BRL:CLP', exchangeRate: '1e2' }], '/rates/0/exchangeRate'],
    ['too many decimals', [{ product: 'BRL:CLP', exchangeRate: '1.0000000000001' }], '/rates/0/exchangeRate'],
    ['a pair that is none', [{ product: 'BRLCLP', exchangeRate: '1' }], '/rates/0/product'],
    ['an unknown field', [{ product: 'BRL:CLP', exchangeRate: '1', fee: '1' }], '/rates/0/fee'],
    ['a missing rate', [{ product: 'BRL:CLP' }], '/rates/0/exchangeRate'],
  ]
  for (const [why, rates, pointer] of refused) {
    test(`400: ${why}`, async () => {
      const answer = await put(shop, rates)
      assert.equal(answer.status, 400)
      assert.deepEqual(pointers(answer), [pointer])
    })
  }
})

describe('GET /exchange-rates', () => {
  test('200: those of one product, or of several, and nobody else’s', async () => {
    await put(shop, [
      { product: 'EUR:USD', exchangeRate: '1.1' },
      { product: 'USD:EUR', exchangeRate: '0.9' },
    ])
    assert.deepEqual(pairs(await shop.call('GET', '/exchange-rates?product=EUR:USD')), ['EUR:USD 1.1'])
    assert.deepEqual(pairs(await shop.call('GET', '/exchange-rates?product=EUR:USD,USD:EUR')), [
      'EUR:USD 1.1',
      'USD:EUR 0.9',
    ])
    assert.deepEqual(pairs(await shop.call('GET', '/exchange-rates?product=EUR:CLP')), [])
    assert.deepEqual(pairs(await other.call('GET', '/exchange-rates')), [])
  })

  test('400: a product that is none, an unknown parameter', async () => {
    assert.deepEqual(pointers(await shop.call('GET', '/exchange-rates?product=EUR')), ['/query/product'])
    assert.deepEqual(pointers(await shop.call('GET', '/exchange-rates?limit=5')), ['/query/limit'])
  })
})

test('rates into a currency are those of payers in others', async () => {
  const mine = await app.newMerchant()
  await put(mine, [
    { product: 'BRL:CLP', exchangeRate: '170.5' },
    { product: 'USD:CLP', exchangeRate: '950' },
    { product: 'CLP:BRL', exchangeRate: '0.0058' },
  ])
  assert.deepEqual(
    [...(await ratesInto(app.ctx.sql, mine.merchantId, 'CLP'))],
    [
      ['BRL', '170.5'],
      ['USD', '950'],
    ],
  )
  assert.deepEqual([...(await ratesInto(app.ctx.sql, other.merchantId, 'CLP'))], [])
})
