/** Discovery through the API: what can be paid with, as forms need it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Answer, type Body, type Client, startTestApp, type TestApp } from '../../test/harness.ts'

let app: TestApp
let shop: Client
let live: Client
let identityId: string
let clp: Body

before(async () => {
  app = await startTestApp()
  shop = app.client
  live = await app.newMerchant('live')
  identityId = await makeIdentity(shop, 'a')
  clp = await makeAccount(shop, identityId, 'CLP')
})
after(() => app.close())

async function makeIdentity(client: Client, name: string): Promise<string> {
  const identity = {
    name,
    email: `${name}@example.com`,
    phone: '+56912345678',
    documentType: 'RUT',
    documentNumber: '12345678-5',
    idv: false,
  }
  return (await client.call('POST', '/identities', identity)).body.id
}

async function makeAccount(client: Client, owner: string, currency: string): Promise<Body> {
  const account = { identityId: owner, type: 'CHECKING', custody: 'BANK_ACCOUNT', currency, name: currency }
  return (await client.call('POST', '/accounts', account)).body
}

const pointers = (answer: Answer) => answer.body.errors.map((error: { pointer: string }) => error.pointer)
const ways = (nodes: Body[]) => nodes.map((node) => `${node.type} ${node.product}`)

describe('GET /payments/available-products', () => {
  test('200: the rails of the accounts’ currencies, and those that there is a rate for', async () => {
    const before = (await shop.call('GET', '/payments/available-products')).body
    assert.deepEqual(before.supportedPaymentCurrencies, ['CLP'])
    const [{ payin, payout }] = before.byCurrency
    assert.deepEqual(ways(payin.products), [
      'CARD CLP:CLP',
      'ACCOUNT CLP:CLP',
      'ETPAY CLP:CLP',
      'FINTOC CLP:CLP',
      'WEBPAY CLP:CLP',
    ])
    assert.deepEqual(payin.paymentMethods, ['CARD', 'ACCOUNT', 'ETPAY', 'FINTOC', 'WEBPAY'])
    assert.deepEqual(before.supportedPaymentMethods, payin.paymentMethods)
    assert.deepEqual([payout, before.supportedPayoutCurrencies], [{ withdrawalMethods: [], products: [] }, []])

    await shop.call('PUT', '/exchange-rates', { rates: [{ product: 'BRL:CLP', exchangeRate: '170.5' }] })
    const after = (await shop.call('GET', '/payments/available-products')).body
    const added = ways(after.byCurrency[0].payin.products).filter((way) => !ways(payin.products).includes(way))
    assert.deepEqual(added, ['PIX BRL:CLP'], 'cards take CLP itself and are not converted')
    assert.deepEqual(after.supportedPaymentCurrencies, ['CLP'])
  })

  test('200: says what a form needs to know', async () => {
    const { body } = await shop.call('GET', '/payments/available-products')
    const webpay = body.byCurrency[0].payin.products.find((node: Body) => node.type === 'WEBPAY')
    assert.match(webpay.minAmount, /^\d+$/)
    assert.match(webpay.maxAmount, /^\d+$/)
    assert.ok(webpay.requiredFields.includes('webpay.customer.email'))
    assert.deepEqual(Object.keys(webpay.requiredFieldTypes), webpay.requiredFields)
    assert.equal(webpay.settlement.startsWith('T+'), true)
    const pix = body.byCurrency[0].payin.products.find((node: Body) => node.type === 'PIX')
    assert.deepEqual([pix.currency, pix.minAmount, pix.maxAmount], ['BRL', '0', '10000000'], '0.01 is rounded outwards')
  })

  test('200: of one identity, and of some currencies', async () => {
    const owner = await makeIdentity(shop, 'b')
    const mxn = await makeAccount(shop, owner, 'MXN')
    const currencies = async (query: string) =>
      (await shop.call('GET', `/payments/available-products?${query}`)).body.byCurrency.map((one: Body) => one.currency)
    assert.deepEqual(await currencies(''), ['CLP', 'MXN'])
    assert.deepEqual(await currencies(`identityId=${owner}`), ['MXN'])
    assert.deepEqual(await currencies('currencies=ARS,CLP'), ['CLP'])
    await shop.call('PATCH', `/accounts/${mxn.id}`, { status: 'BLOCKED' })
    assert.deepEqual(await currencies(''), ['CLP'])
  })

  test('200: a live merchant has what its connections serve', async () => {
    await makeAccount(live, await makeIdentity(live, 'c'), 'CLP')
    const methods = async () => (await live.call('GET', '/payments/available-products')).body.supportedPaymentMethods
    assert.deepEqual(await methods(), [])
    await app.ctx.sql`
      insert into connections (merchant_id, id, connector, rails, sealed_credentials, created_at)
      values (${live.merchantId}, 'con_01k9v3m5x8e2wvq0c7d4n6t1ab', 'provider', '{WEBPAY}', '\\x00', now())`
    assert.deepEqual(await methods(), ['WEBPAY'])
  })

  test('400: a currency that is none, an unknown parameter', async () => {
    assert.deepEqual(pointers(await shop.call('GET', '/payments/available-products?currencies=CLP,ZZZ')), [
      '/query/currencies',
    ])
    assert.deepEqual(pointers(await shop.call('GET', '/payments/available-products?country=CHL')), ['/query/country'])
  })

  test('404: an identity of another merchant', async () => {
    assert.equal((await live.call('GET', `/payments/available-products?identityId=${identityId}`)).status, 404)
  })
})

describe('GET /payment-origins', () => {
  test('200: what pays into an account, in any currency or in one', async () => {
    const origins = async (query: string) => ways((await shop.call('GET', `/payment-origins?${query}`)).body)
    assert.ok((await origins(`accountNumber=${clp.accountNumber}`)).includes('WEBPAY CLP:CLP'))
    assert.deepEqual(await origins(`accountNumber=${clp.accountNumber}&purchaseCurrency=BRL`), ['PIX BRL:CLP'])
    assert.deepEqual(await origins('currency=CLP&purchaseCurrency=BRL'), ['PIX BRL:CLP'])
    assert.deepEqual(await origins(`accountNumber=${clp.accountNumber}&currency=BRL`), [])
    assert.deepEqual(await origins('currency=COP'), [])
  })

  test('200: nothing pays into an account that is blocked', async () => {
    const account = await makeAccount(shop, identityId, 'PEN')
    const count = async () =>
      (await shop.call('GET', `/payment-origins?accountNumber=${account.accountNumber}`)).body.length
    assert.ok((await count()) > 0)
    await shop.call('PATCH', `/accounts/${account.id}`, { status: 'BLOCKED' })
    assert.equal(await count(), 0)
  })

  test('400 and 404: a currency that is none, an account that is none or another’s', async () => {
    assert.deepEqual(pointers(await shop.call('GET', '/payment-origins?currency=ZZZ')), ['/query/currency'])
    assert.equal((await shop.call('GET', '/payment-origins?accountNumber=1')).status, 404)
    assert.equal((await live.call('GET', `/payment-origins?accountNumber=${clp.accountNumber}`)).status, 404)
  })
})

describe('GET /payment-destinations', () => {
  test('200: the account asked for, or the currencies there are accounts in', async () => {
    const [node] = (await shop.call('GET', `/payment-destinations?accountNumber=${clp.accountNumber}&type=ACCOUNT`))
      .body
    const { accountNumber, accountHolder, name } = clp
    assert.deepEqual(node.account, {
      type: 'CHECKING',
      currency: 'CLP',
      accountNumber,
      accountHolder,
      identityId,
      name,
    })
    assert.deepEqual(node.requiredFields, ['account.accountNumber'])
    const all = (await shop.call('GET', '/payment-destinations')).body
    assert.deepEqual(
      all.map((one: Body) => [one.type, one.currency, one.account]),
      [['ACCOUNT', 'CLP', undefined]],
    )
    assert.deepEqual((await shop.call('GET', '/payment-destinations?type=PIX')).body, [])
  })

  test('404: an account of another merchant', async () => {
    assert.equal((await live.call('GET', `/payment-destinations?accountNumber=${clp.accountNumber}`)).status, 404)
  })
})

describe('GET /payments/banks/{country}', () => {
  test('200: the banks, whatever the case of the code', async () => {
    const { status, body } = await shop.call('GET', '/payments/banks/COL')
    assert.equal(status, 200)
    assert.ok(body.some((bank: Body) => bank.code === '1007' && bank.countryCode === 'COL'))
    assert.deepEqual((await shop.call('GET', '/payments/banks/col')).body, body)
  })

  test('404: a country without a list, or none at all', async () => {
    for (const country of ['AUS', 'nowhere', 'constructor']) {
      assert.equal((await shop.call('GET', `/payments/banks/${country}`)).status, 404)
    }
  })
})
