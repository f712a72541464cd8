/** Every rail from the quote to the settled money, and what conversion does to it (design section 3), through HTTP. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Currency, formatAmount, type Rail } from '@pasarela/connector-kit'
import { type Body, type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { funds, pointers, prove, setMerchant, sumOf } from '../../test/proof.ts'
import { makeShop, ok, type Shop } from '../../test/shop.ts'
import { rails } from '../rails/index.ts'
import { sampleCustomer, sampleFields } from '../rails/sample.ts'

let t: TestApp
let client: Client
let shop: Shop
before(async () => {
  t = await startTestApp()
})
after(() => t.close())
beforeEach(async () => {
  client = await t.newMerchant()
  shop = await makeShop(client, ['CLP', 'USD', 'BRL'])
})

const priced = (currency: string, amount: string, methods: string[], accounts: Shop['accounts'] = shop.accounts) => ({
  currency,
  items: [{ description: 'x', preTaxAmount: amount, totalAmount: amount }],
  destinations: [{ type: 'ACCOUNT', amount, account: { accountNumber: accounts[currency]?.accountNumber } }],
  paymentMethodsAllowed: methods,
})
const rates = (pairs: Record<string, string>) =>
  ok(client, 'PUT', '/exchange-rates', {
    rates: Object.entries(pairs).map(([product, exchangeRate]) => ({ product, exchangeRate })),
  })
const create = (body: unknown) => client.call('POST', '/checkout-sessions', body)
const submit = (session: Body, body: unknown) => client.call('POST', `/checkout-sessions/${session.id}/payments`, body)
/** The methods of a session as `currency type enabled purchaseAmount`. */
const methodsOf = (session: Body) =>
  session.paymentConfigs.flatMap((config: Body) =>
    config.paymentMethods.map((m: Body) => `${config.currency} ${m.type} ${m.enabled} ${m.purchaseAmount}`),
  )
const payPix = {
  paymentMethod: 'PIX',
  customer: { firstName: 'Ana', lastName: 'Souza', email: 'ana@example.com', documentNumber: '52998224725' },
}

/** A session that one rail can pay: its first currency, ten times its minimum, an account of its own. */
async function sessionFor(rail: Rail) {
  const [currency, bounds] = Object.entries(rail.currencies)[0] ?? []
  assert.ok(currency && bounds)
  const account = await ok(client, 'POST', '/accounts', {
    identityId: shop.identityId,
    type: 'CHECKING',
    custody: 'BANK_ACCOUNT',
    currency,
    name: rail.type,
  })
  const amount = formatAmount(bounds.minMinor * 10n, currency as Currency)
  const session = await shop.session(priced(currency, amount, [rail.type], { [currency]: account }))
  return { rail, currency, account, amount, session }
}

describe('each of the 21 rails', () => {
  it('is quoted, submitted, paid, FINISHED and SETTLED', async () => {
    assert.equal(rails.length, 21)
    const begun = await Promise.all(
      rails.map(async (rail) => {
        const made = await sessionFor(rail)
        assert.deepEqual(methodsOf(made.session), [`${made.currency} ${rail.type} true ${made.amount}`])
        const node = { type: rail.type, currency: made.currency, [rail.key]: sampleFields(rail) }
        const { status, body } = await submit(made.session, { origins: [node] })
        assert.equal(status, 200, `${rail.type}: ${JSON.stringify(body)}`)
        return { ...made, payment: body }
      }),
    )
    for (const ms of [1500, 8000, 2500, 2500]) await t.advance(ms)
    for (const { rail, session, account, amount, payment } of begun) {
      assert.equal((await shop.read(session.id)).status, 'FINISHED', rail.type)
      const read = await ok(client, 'GET', `/payments/${payment.id}`)
      assert.deepEqual([read.status, read.purchaseAmount, read.totalAmount], ['SETTLED', amount, amount], rail.type)
      assert.equal((await ok(client, 'GET', `/accounts/${account.id}`)).availableFunds, amount, rail.type)
    }
    await prove(t, client)
  })

  it('names everything that is missing, and only that', async () => {
    for (const rail of rails) {
      if (rail.required.length === 0) continue
      const { session, currency } = await sessionFor(rail)
      const { status, body } = await submit(session, { origins: [{ type: rail.type, currency }] })
      assert.equal(status, 400)
      const expected = rail.required.map((path) => `/origins/0/${rail.key}/${path.replaceAll('.', '/')}`)
      assert.deepEqual(pointers(body), expected.sort(), rail.type)
      const [method] = session.paymentConfigs[0].paymentMethods
      assert.deepEqual(
        method.requiredFields,
        rail.required.map((path) => `${rail.key}.${path}`),
      )
    }
  })
})

describe('conversion', () => {
  it('purchaseAmount is total / rate, rounded up to the rail’s precision, one config per payer currency', async () => {
    await rates({ 'BRL:CLP': '170.5', 'COP:CLP': '0.23', 'USD:CLP': '950', 'USDC:CLP': '949.123456' })
    const methods = ['WEBPAY', 'PIX', 'PSE', 'ACH', 'CRYPTO', 'SPEI']
    const session = await shop.session(priced('CLP', '49990', methods))
    assert.deepEqual(methodsOf(session), [
      'CLP WEBPAY true 49990',
      'BRL PIX true 293.20', // 293.1964…
      'COP PSE true 217348.00', // 217347.82…, whole pesos
      'USD ACH true 52.63', // 52.6210…
      'USDC CRYPTO true 52.669650', // 52.6696497…
    ])
    assert.deepEqual(
      session.paymentConfigs.map((c: Body) => [c.product, c.exchangeRate]),
      [
        ['CLP:CLP', '1'],
        ['BRL:CLP', '170.5'],
        ['COP:CLP', '0.23'],
        ['USD:CLP', '950'],
        ['USDC:CLP', '949.123456'],
      ],
    )
  })

  it('an exact quotient is not rounded', async () => {
    await rates({ 'BRL:CLP': '200' })
    assert.deepEqual(methodsOf(await shop.session(priced('CLP', '2000', ['PIX']))), ['BRL PIX true 10.00'])
  })

  it('what was quoted is frozen into the payment: rates, fees and books change nothing', async () => {
    await rates({ 'BRL:CLP': '170.5' })
    await ok(client, 'POST', '/rules', {
      type: 'FEE',
      identityId: shop.identityId,
      overwrites: false,
      filter: [{ name: 'paymentMethod', value: 'PIX' }],
      feeRule: { description: 'Pix', feeType: 'PERCENTAGE', value: '2.5' },
    })
    const session = await shop.session(priced('CLP', '10001', ['PIX']))
    await rates({ 'BRL:CLP': '1' })
    const { body } = await submit(session, payPix)
    assert.deepEqual(
      [body.purchaseAmount, body.purchaseCurrency, body.totalAmount, body.currency, body.exchangeRate, body.product],
      ['58.66', 'BRL', '9751', 'CLP', '170.5', 'BRL:CLP'],
    )
    assert.deepEqual(body.fees, [{ name: 'Pix', type: 'PERCENTAGE', value: '2.5', amount: '250', currency: 'CLP' }])
    assert.deepEqual([body.destinations[0].amount, body.destinations[0].amountOut], ['10001', '9751'])
    await t.advance(1100)
    assert.deepEqual(await funds(client, shop, 'CLP'), ['9751', '0'])
    await t.advance(2100)
    assert.deepEqual(await funds(client, shop, 'CLP'), ['9751', '9751'])
    assert.equal(await sumOf(t, client, 'fees:CLP'), 250n)
    assert.equal(await sumOf(t, client, 'exchange:BRL'), 5866n)
    assert.equal(await sumOf(t, client, 'exchange:CLP'), -10001n)
    await prove(t, client)
  })

  it('a quote dies after 15 minutes, the session does not; a refresh brings a new price', async () => {
    await rates({ 'BRL:CLP': '170.5' })
    const session = await shop.session(priced('CLP', '10000', ['PIX', 'WEBPAY']))
    await rates({ 'BRL:CLP': '100' })
    await t.advance(14 * 60_000 + 59_999)
    await t.advance(1)
    const dead = await submit(session, payPix)
    assert.deepEqual([dead.status, dead.body.type], [422, 'quoteExpired'])
    assert.equal((await shop.read(session.id)).status, 'ATTEMPT')
    const refreshed = await ok(client, 'POST', `/checkout-sessions/token/${session.checkoutToken}/refresh`, {})
    assert.equal(refreshed.id, session.id)
    assert.ok(methodsOf(refreshed).includes('BRL PIX true 100.00'))
    assert.equal((await submit(session, payPix)).body.purchaseAmount, '100.00')
  })

  it('the same currency needs no quote: it is payable to the end', async () => {
    await rates({ 'BRL:CLP': '170.5' })
    const session = await shop.session(priced('CLP', '10000', ['PIX', 'WEBPAY']))
    await t.advance(30 * 60_000)
    const webpay = {
      paymentMethod: 'WEBPAY',
      customer: { firstName: 'Ana', lastName: 'Rojas', email: 'ana@example.com' },
    }
    assert.equal((await submit(session, webpay)).status, 200)
  })

  it('the merchant’s quoteTtl counts', async () => {
    await setMerchant(t, client, { quoteTtlSeconds: 60 })
    await rates({ 'BRL:CLP': '170.5' })
    const session = await shop.session(priced('CLP', '10000', ['PIX']))
    await t.advance(60_000)
    assert.equal((await submit(session, payPix)).body.type, 'quoteExpired')
  })
})

describe('what disables a method', () => {
  it('limits and precision; a disabled method is refused at submit with 422', async () => {
    const cop = await ok(client, 'POST', '/accounts', {
      identityId: shop.identityId,
      type: 'CHECKING',
      custody: 'BANK_ACCOUNT',
      currency: 'COP',
      name: 'Pesos',
    })
    const accounts = { COP: cop }
    const fraction = await shop.session(priced('COP', '5000.50', ['PSE', 'ACCOUNT'], accounts))
    assert.deepEqual(methodsOf(fraction), ['COP PSE false 5000.50', 'COP ACCOUNT true 5000.50'])
    const small = await shop.session(priced('COP', '999', ['PSE', 'ACCOUNT'], accounts))
    assert.deepEqual(methodsOf(small), ['COP PSE false 999.00', 'COP ACCOUNT true 999.00'])
    const pse = rails.find((rail) => rail.type === 'PSE')
    assert.ok(pse)
    const node = { type: 'PSE', currency: 'COP', pse: { bankId: '1007', customer: sampleCustomer(pse) } }
    assert.equal((await submit(small, { origins: [node] })).status, 422)
    assert.equal((await create(shop.body(priced('COP', '999', ['PSE'], accounts)))).status, 400)
  })

  it('fees that reach the amount; fixed and percentage, by rail, inherited, rounded half up', async () => {
    const rule = (identityId: string, feeType: string, value: string, filter: unknown = null) =>
      ok(client, 'POST', '/rules', {
        type: 'FEE',
        identityId,
        overwrites: false,
        filter,
        feeRule: { description: `${feeType} ${value}`, feeType, value },
      })
    await rule(shop.identityId, 'FIXED', '5', [{ name: 'paymentMethod', value: 'PIX' }])
    await rule(shop.identityId, 'PERCENTAGE', '0.5')
    const at = async (amount: string) => methodsOf(await shop.session(priced('BRL', amount, ['PIX', 'CARD'])))
    // 5 + 0.025 → 0.03 = 5.03
    assert.deepEqual(await at('5.02'), ['BRL PIX false 5.02', 'BRL CARD true 5.02'])
    assert.deepEqual(await at('5.03'), ['BRL PIX false 5.03', 'BRL CARD true 5.03'])
    assert.deepEqual(await at('5.04'), ['BRL PIX true 5.04', 'BRL CARD true 5.04'])
    assert.equal((await create(shop.body(priced('BRL', '5.00', ['PIX'])))).status, 400)
    const { body } = await submit(await shop.session(priced('BRL', '5.04', ['PIX'])), payPix)
    assert.deepEqual([body.totalAmount, body.fees.map((f: Body) => f.amount)], ['0.01', ['5.00', '0.03']])
    for (let i = 0; i < 3; i++) await t.advance(2000)
    assert.deepEqual(await funds(client, shop), ['0.01', '0.01'])
    await prove(t, client)
  })

  it('a live merchant’s method without a connection', async () => {
    const live = await t.newMerchant('live')
    const own = await makeShop(live, ['BRL'])
    await t.ctx.sql`
      insert into connections (merchant_id, id, connector, rails, sealed_credentials, created_at)
      values (${live.merchantId}, 'con_01k9v3m5x8e2wvq0c7d4n6t1ab', 'nobody', '{PIX}', ''::bytea, now())`
    const session = await own.session({ paymentMethodsAllowed: ['PIX', 'CARD'] })
    assert.deepEqual(methodsOf(session), ['BRL PIX true 11.90', 'BRL CARD false 11.90'])
    const none = await live.call('POST', '/checkout-sessions', own.body({ paymentMethodsAllowed: ['CARD'] }))
    assert.deepEqual([none.status, none.body.type], [422, 'failedPrecondition'])
  })
})
