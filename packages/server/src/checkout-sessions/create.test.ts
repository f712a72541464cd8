/** Creating sessions (contract section 2.2, design sections 3 and 4), through HTTP. */
import assert from 'node:assert/strict'
import { after, before, describe, it, test } from 'node:test'
import { script } from '@pasarela/sql'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { pointers, prove } from '../../test/proof.ts'
import { makeShop, ok, type Shop } from '../../test/shop.ts'
import { openPool } from '../kit/db.ts'

let t: TestApp
let shop: Shop
let otherIdentity: Body
let secondAccount: Body
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
  const stranger = await t.newMerchant()
  otherIdentity = await makeShop(stranger)
  secondAccount = await account('BRL')
})
after(() => t.close())

const account = (currency: string) =>
  ok(t.client, 'POST', '/accounts', {
    identityId: shop.identityId,
    type: 'CHECKING',
    custody: 'BANK_ACCOUNT',
    currency,
    name: `More ${currency}`,
  })
const create = (body: unknown) => t.client.call('POST', '/checkout-sessions', body)
const to = (amount: string, accountNumber?: string) => ({
  type: 'ACCOUNT',
  amount,
  account: { accountNumber: accountNumber ?? shop.accounts.BRL?.accountNumber },
})
/** One item of this price and tax, paid into one account. */
function taxed(preTaxAmount: string, totalAmount: string, tax: unknown) {
  return { items: [{ description: 'x', preTaxAmount, totalAmount, tax }], destinations: [to(totalAmount)] }
}
const percent = (value: string, amount: string) => ({ name: 'IVA', type: 'PERCENTAGE', value, amount })
const fixed = (value: string, amount: string) => ({ name: 'IVA', type: 'FIXED', value, amount })
const clp = (amount: string) => ({
  currency: 'CLP',
  items: [{ description: 'x', preTaxAmount: amount, totalAmount: amount }],
  destinations: [to(amount, shop.accounts.CLP?.accountNumber)],
  paymentMethodsAllowed: ['WEBPAY'],
})

describe('POST /checkout-sessions 201', () => {
  it('answers the whole session', async () => {
    const body = shop.body({ metadata: { a: 'b' }, customerRequirements: ['email', 'email'] })
    const { status, body: session } = await create(body)
    assert.equal(status, 201)
    assert.match(session.id, /^cs_/)
    assert.equal(session.rootSessionId, session.id)
    assert.equal(session.status, 'ATTEMPT')
    assert.equal(session.checkoutToken, body.checkoutToken)
    assert.deepEqual([session.preTaxAmount, session.totalAmount], ['10.00', '11.90'])
    assert.equal(Date.parse(session.expiresAt) - Date.parse(session.createdAt), 3_600_000)
    assert.equal(session.redirectUrl, 'https://shop.example/ok')
    assert.deepEqual(session.metadata, { a: 'b' })
    assert.deepEqual(session.customerRequirements, ['email'])
    assert.equal(session.owner.identityId, shop.identityId)
    assert.deepEqual(Object.keys(session.destinations[0].account).sort(), [
      'accountHolder',
      'accountNumber',
      'currency',
      'type',
    ])
    const [config] = session.paymentConfigs
    assert.deepEqual([config.currency, config.product, config.exchangeRate], ['BRL', 'BRL:BRL', '1'])
    const [pix] = config.paymentMethods
    assert.deepEqual([pix.type, pix.enabled, pix.purchaseAmount], ['PIX', true, '11.90'])
    assert.ok(pix.requiredFields.includes('pix.customer.documentNumber'))
    assert.deepEqual(await shop.read(session.id), session)
  })

  it('the url holds 128 random bits of ours: neither id nor token opens it', async () => {
    const [a, b] = [await shop.session(), await shop.session()]
    const parts = [a, b].map((session) => session.url.slice(-22))
    for (const part of parts) assert.match(part, /^[A-Za-z0-9_-]{22}$/)
    assert.notEqual(parts[0], parts[1])
    assert.ok(!a.url.includes(a.id) && !a.url.includes(a.checkoutToken))
  })

  it('amounts are answered canonical', async () => {
    const body = shop.body({
      items: [{ description: 'x', preTaxAmount: '010.5', totalAmount: '10.50' }],
      destinations: [to('10.5')],
    })
    const { body: session } = await create(body)
    assert.deepEqual(
      [session.items[0].preTaxAmount, session.totalAmount, session.destinations[0].amount],
      ['10.50', '10.50', '10.50'],
    )
  })

  it('a percentage is accepted one minor unit away from ours, on either side, and kept as given', async () => {
    for (const [amount, total] of [
      ['1.89', '11.89'],
      ['1.90', '11.90'],
      ['1.91', '11.91'],
    ] as const) {
      const { status, body } = await create(shop.body(taxed('10.00', total, percent('19', amount))))
      assert.equal(status, 201, amount)
      assert.equal(body.items[0].tax.amount, amount)
    }
    // 0.5 % of 1.00 is half a minor unit, rounded half up; 0 % is nothing; null is no tax.
    assert.equal((await create(shop.body(taxed('1.00', '1.01', percent('0.5', '0.01'))))).status, 201)
    assert.equal((await create(shop.body(taxed('1.00', '1.00', percent('0', '0'))))).status, 201)
    assert.equal((await create(shop.body(taxed('1.00', '1.00', null)))).status, 201)
    assert.equal((await create(shop.body(taxed('1.00', '1.50', fixed('0.50', '0.5'))))).status, 201)
  })

  it('the destination’s short form names currency and identity beside the number', async () => {
    const short = { ...to('11.90'), currency: 'BRL', identity: { identityId: shop.identityId } }
    const full = {
      ...to('11.90'),
      account: { ...to('1').account, type: 'CHECKING', currency: 'BRL', accountHolder: 'Anyone' },
    }
    for (const destination of [short, full]) {
      const { status, body } = await create(shop.body({ destinations: [destination] }))
      assert.equal(status, 201, JSON.stringify(body))
      assert.equal(body.destinations[0].account.accountHolder, 'Loja Demo')
    }
  })

  it('a sale is split over several accounts, also twice to one', async () => {
    const { status, body } = await create(
      shop.body({ destinations: [to('5.00'), to('4.00', secondAccount.accountNumber), to('2.90')] }),
    )
    assert.equal(status, 201)
    assert.deepEqual(
      body.destinations.map((d: Body) => d.amount),
      ['5.00', '4.00', '2.90'],
    )
  })

  it('the limits themselves are allowed', async () => {
    const items = Array.from({ length: 100 }, () => ({ description: 'x', preTaxAmount: '0.01', totalAmount: '0.01' }))
    const destinations = Array.from({ length: 20 }, () => to('0.05'))
    const metadata = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [`k${i}`.padEnd(40, 'x'), 'v'.repeat(500)]),
    )
    assert.equal((await create(shop.body({ items, destinations, metadata }))).status, 201)
    assert.equal((await create(shop.body({ duration: 30 }))).status, 201)
    assert.equal((await create(shop.body({ duration: 366 * 86_400 }))).status, 201)
    assert.equal((await create(shop.body({ checkoutToken: 'x'.repeat(120) }))).status, 201)
    const largest = '1000000000000000'
    const body = shop.body({ ...clp(largest), paymentMethodsAllowed: ['ACCOUNT'] })
    assert.deepEqual(pointers((await create(body)).body), ['/paymentMethodsAllowed'], 'an amount, but no rail takes it')
  })

  it('urls: https anywhere, http on this machine', async () => {
    for (const url of [
      'https://a.example/ok?x=1#y',
      'http://localhost:3000/ok',
      'http://127.0.0.1/',
      'http://[::1]:9/',
    ]) {
      assert.equal((await create(shop.body({ successUrl: url, failedUrl: url }))).status, 201, url)
    }
    const { status, body } = await create({ ...shop.body(), successUrl: undefined, failedUrl: undefined })
    assert.equal(status, 201)
    assert.equal(body.redirectUrl, undefined)
  })

  it('a method that cannot be used stands there disabled while another can', async () => {
    const { status, body } = await create(shop.body({ ...clp('60000000'), paymentMethodsAllowed: ['CARD', 'ACCOUNT'] }))
    assert.equal(status, 201)
    assert.deepEqual(
      body.paymentConfigs[0].paymentMethods.map((m: Body) => [m.type, m.enabled]),
      [
        ['CARD', false],
        ['ACCOUNT', true],
      ],
    )
  })
})

/** Field → values that are refused there. */
const wrong: Record<string, unknown[]> = {
  '/checkoutToken': ['', 'x'.repeat(121), 5, null, 'a\0b', 'a\ud800'],
  '/items': [
    [],
    'x',
    null,
    Array.from({ length: 101 }, () => ({ description: 'x', preTaxAmount: '1', totalAmount: '1' })),
  ],
  '/currency': ['ZZZ', 'brl', '', 986, null],
  '/paymentMethodsAllowed': [[], 'PIX', null],
  '/paymentMethodsAllowed/0': [['CASH'], ['SEPA'], ['pix'], [1]],
  '/customer': ['x', 5, []],
  '/customer/foo': [{ foo: 1 }],
  '/customer/email': [{ email: 'ana' }, { email: 5 }, { email: `${'a'.repeat(250)}@x.cl` }],
  '/customer/documentNumber': [{ documentType: 'RUT', documentNumber: '12345678-0' }],
  '/customer/phoneNumber': [{ phoneNumberPrefix: '+55', phoneNumber: '12' }],
  '/customer/address/foo': [{ address: { foo: 1 } }],
  '/destinations': [[], null, Array.from({ length: 21 }, () => to('0.01', 'x'))],
  '/duration': [29, 366 * 86_400 + 1, 60.5, '3600', null, -1],
  '/customerRequirements/0': [['age'], [1]],
  '/owner': ['x', null],
  '/owner/identityId': [{}, { identityId: '' }, { identityId: 'idn_01k9v3m5x8e2wvq0c7d4n6t1ab' }, { identityId: 'x' }],
  '/owner/foo': [{ identityId: 'x', foo: 1 }],
  '/successUrl': [
    'http://a.example',
    'ftp://a.example',
    '/ok',
    '',
    'x',
    'https://u:p@a.example',
    'https://u@a.example',
    'javascript:alert(1)',
    'https://a.example/\nx',
    ' https://a.example',
    `https://a.example/${'x'.repeat(2048)}`,
    null,
  ],
  '/failedUrl': ['http://localhost.example'],
  '/metadata': [Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ''])), 'x', []],
  '/metadata/a': [{ a: 1 }, { a: null }, { a: 'v'.repeat(501) }, { a: { b: 'c' } }],
  [`/metadata/${'k'.repeat(41)}`]: [{ ['k'.repeat(41)]: 'v' }],
  '/metadata/': [{ '': 'v' }],
  '/metadata/a\nb': [{ 'a\nb': { c: 1 } }],
  '/totalAmount': ['11.90'],
  '/redirectUrl': ['https://a.example'],
  '/active': [true],
}

describe('POST /checkout-sessions 400: a pointer to every offending field', () => {
  for (const [pointer, values] of Object.entries(wrong)) {
    it(pointer, async () => {
      const field = pointer.split('/')[1] ?? ''
      for (const value of values) {
        const { status, body } = await create(shop.body({ [field]: value }))
        assert.equal(status, 400, JSON.stringify(value))
        assert.ok(pointers(body).includes(pointer), `${JSON.stringify(value)}: ${JSON.stringify(body.errors)}`)
      }
    })
  }

  it('amounts: only digits, a point, the currency’s decimals, more than nothing, a string', async () => {
    for (const amount of [
      '0',
      '0.00',
      '-1',
      '1.234',
      '1e3',
      ' 1',
      '1 ',
      '1,5',
      '',
      '.5',
      '5.',
      'NaN',
      '10000000000000.01',
      '9'.repeat(17),
      1000,
      null,
    ]) {
      const item = { description: 'x', preTaxAmount: amount, totalAmount: amount }
      const answer = await create(shop.body({ items: [item], destinations: [to('1.00')] }))
      assert.equal(answer.status, 400, String(amount))
      assert.deepEqual(pointers(answer.body), ['/items/0/preTaxAmount', '/items/0/totalAmount'], String(amount))
      const there = await create(shop.body({ destinations: [{ ...to('x'), amount }] }))
      assert.deepEqual([there.status, pointers(there.body)], [400, ['/destinations/0/amount']], String(amount))
    }
    for (const amount of ['10.5', '10.0', '10.']) {
      const { status, body } = await create(shop.body(clp(amount)))
      assert.deepEqual([status, pointers(body).includes('/items/0/totalAmount')], [400, true], amount)
    }
  })

  it('taxes: two minor units away, a total that does not add up, a fixed tax that is not its value', async () => {
    const cases: [unknown, string[]][] = [
      [taxed('10.00', '11.88', percent('19', '1.88')), ['/items/0/tax/amount']],
      [taxed('10.00', '11.92', percent('19', '1.92')), ['/items/0/tax/amount']],
      [taxed('10.00', '11.91', percent('19', '1.90')), ['/items/0/totalAmount']],
      [taxed('10.00', '10.00', percent('19', '1.90')), ['/items/0/totalAmount']],
      [taxed('10.00', '10.50', null), ['/items/0/totalAmount']],
      [taxed('10.00', '11.00', fixed('2', '1.00')), ['/items/0/tax/amount']],
      [taxed('10.00', '11.00', fixed('1', '1.001')), ['/items/0/tax/amount']],
      [taxed('10.00', '11.00', percent('x', '1.00')), ['/items/0/tax/value']],
      [
        taxed('10.00', '11.00', { type: 'VAT', value: '10', amount: '1.00' }),
        ['/items/0/tax/name', '/items/0/tax/type'],
      ],
    ]
    for (const [change, expected] of cases) {
      const { status, body } = await create(shop.body(change as Record<string, unknown>))
      assert.deepEqual([status, pointers(body)], [400, expected], JSON.stringify(change))
    }
  })

  it('destinations: of the merchant, ACTIVE, in the currency, as said, and their sum exact', async () => {
    const blocked = await account('BRL')
    await ok(t.client, 'PATCH', `/accounts/${blocked.id}`, { status: 'BLOCKED' })
    const strange = otherIdentity.accounts.BRL.accountNumber
    const number = '/destinations/0/account/accountNumber'
    const cases: [unknown[], string[]][] = [
      [[to('11.90', 'nobody')], [number]],
      [[to('11.90', strange)], [number]],
      [[to('11.90', blocked.accountNumber)], [number]],
      [[to('11.90', shop.accounts.USD?.accountNumber)], [number]],
      [[{ ...to('11.90'), currency: 'USD' }], ['/destinations/0/currency']],
      [[{ ...to('11.90'), account: { ...to('1').account, currency: 'USD' } }], ['/destinations/0/account/currency']],
      [[{ ...to('11.90'), identity: { identityId: 'x' } }], ['/destinations/0/identity/identityId']],
      [[{ ...to('11.90'), type: 'PIX' }], ['/destinations/0/type']],
      [[to('11.89')], ['/destinations']],
      [[to('11.91')], ['/destinations']],
      [[to('11.90'), to('0.01')], ['/destinations']],
      [
        [to('6.00'), to('5.89', 'nobody')],
        ['/destinations', '/destinations/1/account/accountNumber'],
      ],
    ]
    for (const [destinations, expected] of cases) {
      const { status, body } = await create(shop.body({ destinations }))
      assert.deepEqual([status, pointers(body)], [400, expected], JSON.stringify(destinations))
    }
  })

  it('all at once: what the schema cannot see is told together', async () => {
    const { status, body } = await create(
      shop.body({
        owner: { identityId: 'idn_x' },
        successUrl: 'http://a.example',
        failedUrl: 'x',
        customer: { documentType: 'CPF', documentNumber: '1' },
        destinations: [to('1.00', 'nobody')],
      }),
    )
    assert.equal(status, 400)
    assert.deepEqual(pointers(body), [
      '/customer/documentNumber',
      '/destinations',
      '/destinations/0/account/accountNumber',
      '/failedUrl',
      '/owner/identityId',
      '/successUrl',
    ])
  })

  it('everything missing is named, as missing', async () => {
    const { status, body } = await create({ items: [] })
    assert.equal(status, 400)
    for (const field of ['checkoutToken', 'currency', 'paymentMethodsAllowed', 'destinations', 'duration', 'owner']) {
      assert.ok(pointers(body).includes(`/${field}`), field)
    }
    assert.equal((await create({ currency: 'BRL', checkoutToken: 'x' })).body.type, 'missingParam')
  })

  it('no method is left: too large, too small, no rate', async () => {
    for (const change of [clp('1'), { ...clp('99'), paymentMethodsAllowed: ['PIX', 'SPEI'] }]) {
      const { status, body } = await create(shop.body(change))
      assert.equal(status, 400)
      assert.deepEqual([...new Set(pointers(body))], ['/paymentMethodsAllowed'])
    }
  })

  it('not JSON, an array, nothing', async () => {
    for (const raw of ['{', '{"a":1,}', 'nil', '{"__proto__":1}']) {
      const { status, body } = await t.client.call('POST', '/checkout-sessions', undefined, { raw })
      assert.deepEqual([status, body.type], [400, 'parsingResource'], raw)
    }
    for (const raw of ['[]', '5', 'null', '']) {
      const { status } = await t.client.call('POST', '/checkout-sessions', undefined, { raw })
      assert.equal(status, 400, raw)
    }
    const { status } = await create(shop.body({ metadata: { a: 'x'.repeat(300_000) } }))
    assert.equal(status, 413)
  })

  it('nothing half-written: none of the refused is on the list', async () => {
    const { body } = await t.client.call('GET', '/checkout-sessions?limit=100')
    for (const session of body.results) assert.notEqual(session.checkoutToken, '')
    const [row] = await t.ctx.sql<{ strays: number }[]>`
      select count(*)::int as strays from checkout_session_accounts a
      where not exists (select from checkout_sessions s where s.merchant_id = a.merchant_id and s.id = a.session_id)`
    assert.equal(row?.strays, 0)
  })
})

describe('POST /checkout-sessions 409', () => {
  it('a token that is taken names the session that has it; it is free when that is deleted', async () => {
    const first = await shop.session()
    const again = await create(shop.body({ checkoutToken: first.checkoutToken }))
    assert.deepEqual([again.status, again.body.type, again.body.resourceId], [409, 'alreadyExist', first.id])
    assert.deepEqual(pointers(again.body), ['/checkoutToken'])
    await ok(t.client, 'DELETE', `/checkout-sessions/${first.id}`)
    assert.equal((await create(shop.body({ checkoutToken: first.checkoutToken }))).status, 201)
  })

  it('a link may have the same token as a session, and another merchant too', async () => {
    const first = await shop.session()
    await ok(t.client, 'POST', '/payment-links', shop.body({ checkoutToken: first.checkoutToken }))
  })

  it('20 creates of one token at the same moment: one session', async () => {
    const body = shop.body()
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(body)))
    assert.deepEqual(answers.map((a) => a.status).sort(), [201, ...Array(19).fill(409)])
    const id = answers.find((a) => a.status === 201)?.body.id
    assert.ok(answers.every((a) => a.status === 201 || a.body.resourceId === id))
  })
})

describe('POST /checkout-sessions, 64 at once of which one is bad', () => {
  /** 63 good ones around the bad one, in the middle of those that are written together. */
  const amongOthers = async (bad: Body) => {
    const bodies = Array.from({ length: 64 }, (_, index) => (index === 32 ? bad : shop.body()))
    const answers = await Promise.all(bodies.map((body) => create(body)))
    const good = answers.filter((_, index) => index !== 32)
    assert.deepEqual(
      good.map((a) => a.status),
      Array(63).fill(201),
    )
    assert.equal(new Set(good.map((a) => a.body.id)).size, 63)
    for (const { body } of good) assert.equal((await shop.read(body.id)).checkoutToken, body.checkoutToken)
    return answers[32]
  }

  it('a body that is wrong: 400 and 63 × 201', async () => {
    assert.equal((await amongOthers(shop.body({ currency: 'ZZZ' })))?.status, 400)
  })

  it('a token that is taken: 409 and 63 × 201', async () => {
    const { id, checkoutToken } = await shop.session()
    const refused = await amongOthers(shop.body({ checkoutToken }))
    assert.deepEqual([refused?.status, refused?.body.resourceId], [409, id])
  })

  it('a row that the database refuses, which fails the whole statement: 500 and 63 × 201', async () => {
    // Nothing that passes our own checks is refused by the database, so here it is told to refuse one.
    const successUrl = 'https://shop.example/refused'
    const { sql } = t.ctx
    const owner = openPool(t.databaseUrl, { max: 1, applicationName: 'test', asApplication: false })
    const check = `check (success_url <> '${successUrl}') not valid`
    await script(owner, `alter table checkout_sessions add constraint refused ${check}`)
    try {
      assert.equal((await amongOthers(shop.body({ successUrl })))?.status, 500)
      const rows = await sql`select id from checkout_sessions where success_url = ${successUrl}`
      assert.equal(rows.length, 0)
    } finally {
      await script(owner, 'alter table checkout_sessions drop constraint refused')
      await owner.end()
    }
  })
})

describe('POST /checkout-sessions, the form of a link', () => {
  it('201: the link’s offer for one payer, with a token of its own', async () => {
    const link = await ok(
      t.client,
      'POST',
      '/payment-links',
      shop.body({ active: true, metadata: { from: 'link' }, customer: { firstName: 'Ana' } }),
    )
    const customer = { firstName: 'Bea', email: 'bea@example.com', documentType: 'CC', documentNumber: '1020304050' }
    const { status, body } = await create({ checkoutToken: link.checkoutToken, customer })
    assert.equal(status, 201)
    assert.equal(body.paymentLinkId, link.id)
    assert.match(body.checkoutToken, /^[A-Za-z0-9_-]{22}$/)
    assert.deepEqual(body.customer, customer)
    assert.deepEqual([body.totalAmount, body.metadata], ['11.90', { from: 'link' }])
    const plain = await create({ checkoutToken: link.checkoutToken })
    assert.deepEqual(plain.body.customer, { firstName: 'Ana' })
    assert.notEqual(plain.body.checkoutToken, body.checkoutToken)
  })

  it('404: no such link; 422: one that is not active; 400: a wrong payer, a field of the other form', async () => {
    const link = await ok(t.client, 'POST', '/payment-links', shop.body())
    assert.equal((await create({ checkoutToken: 'nowhere' })).status, 404)
    assert.equal((await create({ checkoutToken: link.checkoutToken })).status, 422)
    const customer = { documentType: 'CPF', documentNumber: '1' }
    const wrongPayer = await create({ checkoutToken: link.checkoutToken, customer })
    assert.deepEqual([wrongPayer.status, pointers(wrongPayer.body)], [400, ['/customer/documentNumber']])
    const mixed = await create({ checkoutToken: link.checkoutToken, successUrl: 'https://a.example', metadata: {} })
    assert.deepEqual([mixed.status, pointers(mixed.body)], [400, ['/metadata', '/successUrl']])
  })

  it('400: a card number where a name belongs, not repeated in the answer', async () => {
    const number = '4111111111111111'
    const refused = await create(shop.body({ customer: { firstName: number, lastName: 'Souza' } }))
    assert.deepEqual([refused.status, pointers(refused.body)], [400, ['/customer/firstName']])
    assert.ok(!JSON.stringify(refused.body).includes(number))
  })

  it('422: a link whose destination account was blocked meanwhile, until it is ACTIVE again', async () => {
    const link = await ok(t.client, 'POST', '/payment-links', shop.body({ active: true }))
    const accountUrl = `/accounts/${shop.accounts.BRL?.id}`
    await ok(t.client, 'PATCH', accountUrl, { status: 'BLOCKED' })
    assert.equal((await create({ checkoutToken: link.checkoutToken })).status, 422)
    await ok(t.client, 'PATCH', accountUrl, { status: 'ACTIVE' })
    assert.equal((await create({ checkoutToken: link.checkoutToken })).status, 201)
  })
})

test('after all of it the last events are the objects', () => prove(t, t.client))
