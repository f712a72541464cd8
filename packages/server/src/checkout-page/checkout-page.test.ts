/** What the hosted pages promise over HTTP: GET changes nothing, POST answers with a redirect, nobody sees the payer, nobody frames or forges. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { InjectOptions } from 'fastify'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { makeShop, ok, type Shop } from '../../test/shop.ts'
import { rails } from '../rails/index.ts'

let t: TestApp
let shop: Shop
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client, ['BRL', 'CLP', 'COP'])
})
after(() => t.close())

const secretive = {
  firstName: 'Anabela',
  lastName: 'Quispe',
  email: 'anabela.secreta@example.com',
  phoneNumber: '11987654321',
  phoneNumberPrefix: '+55',
  documentType: 'CPF',
  documentNumber: '52998224725',
  address: { street: 'Rua Escondida', streetNumber: '77', zipcode: '01310-100' },
}

const pathOf = (noun: Body) => new URL(noun.url).pathname
const get = (url: string, headers: Record<string, string> = {}) => t.app.inject({ url, headers })
const post = (url: string, form: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  t.app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: new URLSearchParams(form).toString(),
  } as InjectOptions)
const rowOf = async (id: string) => {
  const [row] = await t.ctx
    .sql`select * from checkout_sessions where merchant_id = ${t.client.merchantId} and id = ${id}`
  return row
}

describe('GET', () => {
  test('changes nothing: a hundred visits and previews leave session and link as they were', async () => {
    const session = await shop.session()
    const link = await ok(t.client, 'POST', '/payment-links', shop.body({ active: true }))
    const before = [await rowOf(session.id), await ok(t.client, 'GET', `/payment-links/${link.id}`)]
    for (let visit = 0; visit < 40; visit++) {
      assert.equal((await get(pathOf(session))).statusCode, 200)
      assert.equal((await get(pathOf(link), { 'user-agent': 'WhatsApp/2.24' })).statusCode, 200)
      assert.equal((await t.app.inject({ method: 'HEAD', url: pathOf(session) })).statusCode, 200)
    }
    assert.deepEqual([await rowOf(session.id), await ok(t.client, 'GET', `/payment-links/${link.id}`)], before)
  })

  test('gives previews the merchant and the amount, and tells engines to keep out', async () => {
    const page = (await get(pathOf(await shop.session()), { 'accept-language': 'pt-BR' })).body
    assert.match(page, /property="og:title" content="Pagar a Loja Demo"/)
    assert.match(page, /property="og:description" content="Pague R\$\s11,90 a Loja Demo"/)
    assert.match(page, /name="robots" content="noindex,nofollow"/)
  })

  test('shows no data of the customer, on any screen', async () => {
    const screens: string[] = []
    const waiting = await shop.session({ customer: secretive, metadata: { scenario: 'silent' } })
    screens.push((await get(pathOf(waiting))).body)
    await post(`${pathOf(waiting)}/pay`, { method: 'PIX-BRL', amount: '11.90' })
    screens.push((await get(pathOf(waiting))).body)
    const paid = await shop.session({ customer: secretive })
    await post(`${pathOf(paid)}/pay`, { method: 'PIX-BRL', amount: '11.90' })
    await t.advance(1_500)
    screens.push((await get(pathOf(paid))).body)
    const expired = await shop.session({ customer: secretive, duration: 60 })
    await t.advance(61_000)
    screens.push((await get(pathOf(expired))).body)
    assert.deepEqual(
      screens.map((page) => /data-screen="(\w+)"/.exec(page)?.[1]),
      ['choose', 'qr', 'paid', 'expired'],
    )
    const told = [...Object.values(secretive), ...Object.values(secretive.address)].filter((v) => typeof v === 'string')
    for (const page of screens) {
      for (const text of told) {
        if (text !== 'CPF' && text !== '77' && text !== '+55') assert.ok(!page.includes(text), `${text} is shown`)
      }
    }
  })

  test('404 for an unknown, a malformed and a deleted session, as a page', async () => {
    const session = await shop.session()
    await t.client.call('DELETE', `/checkout-sessions/${session.id}`)
    for (const path of [
      pathOf(session),
      '/pay/1-AAAAAAAAAAAAAAAAAAAAAA',
      '/pay/x',
      '/pay/zzzzzzz-AAAAAAAAAAAAAAAAAAAAAA',
    ]) {
      const answer = await get(path)
      assert.equal(answer.statusCode, 404, path)
      assert.match(answer.body, /<!doctype html>/)
    }
  })

  test('speaks the browser’s language, Spanish to others, and the one in the address above all', async () => {
    const path = pathOf(await shop.session())
    const languageOf = async (url: string, accept?: string) =>
      /<html lang="(\w+)"/.exec((await get(url, accept === undefined ? {} : { 'accept-language': accept })).body)?.[1]
    assert.equal(await languageOf(path), 'es')
    assert.equal(await languageOf(path, 'de-DE,de;q=0.9'), 'es')
    assert.equal(await languageOf(path, 'de-DE, en;q=0.5, pt-BR;q=0.8'), 'pt')
    assert.equal(await languageOf(path, 'es;q=0, en-US'), 'en')
    assert.equal(await languageOf(`${path}?lang=pt`, 'en'), 'pt')
    assert.equal(await languageOf(`${path}?lang=xx`, 'en'), 'en')
  })
})

test('behind a path of a proxy every address of ours begins with it', async () => {
  const below = await startTestApp({ publicUrl: 'https://shop.example/checkout' })
  try {
    const session = await (await makeShop(below.client, ['BRL'])).session({ customer: secretive })
    const path = new URL(session.url).pathname
    assert.match(path, /^\/checkout\/pay\//)
    const inside = path.slice('/checkout'.length)
    const page = (await below.app.inject({ url: inside })).body
    const addresses = [...page.matchAll(/ (?:href|src|action|data-events)="(\/[^"]*)"/g)].map((match) => match[1])
    assert.ok(addresses.length >= 5)
    for (const address of addresses) assert.match(address ?? '', /^\/checkout\//)
    const answer = await below.app.inject({
      method: 'POST',
      url: `${inside}/pay?lang=pt`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://shop.example' },
      payload: 'method=PIX-BRL&amount=11.90',
    })
    assert.equal(answer.headers.location, `${path}?lang=pt`)
    for (const cookie of [answer.headers['set-cookie']].flat())
      assert.match(String(cookie), /; Path=\/checkout\/pay\/.*; Secure/)
  } finally {
    await below.close()
  }
})

describe('every answer', () => {
  test('is strict: policy, frames, referrer, caching', async () => {
    const { headers, body } = await get(pathOf(await shop.session()))
    const policy = String(headers['content-security-policy'])
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ]) {
      assert.ok(policy.includes(rule), rule)
    }
    assert.ok(!policy.includes('unsafe-inline'))
    assert.equal(headers['referrer-policy'], 'same-origin')
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.deepEqual(body.match(/<script(?![^>]*\bsrc=)|\son\w+=|javascript:|style="/g), null)
    assert.deepEqual(
      [...body.matchAll(/(?:src|href|action)="(https?:)?\/\//g)].map((match) => match[0]),
      [],
      'something is asked of another host',
    )
  })

  test('is compressed as the browser likes', async () => {
    const path = pathOf(await shop.session())
    assert.equal((await get(path, { 'accept-encoding': 'gzip, deflate, br' })).headers['content-encoding'], 'br')
    assert.equal((await get(path, { 'accept-encoding': 'gzip' })).headers['content-encoding'], 'gzip')
    assert.equal((await get(path)).headers['content-encoding'], undefined)
  })
})

describe('POST', () => {
  const whole = {
    method: 'PIX-BRL',
    amount: '11.90',
    'customer.firstName': 'Ana',
    'customer.lastName': 'Souza',
    'customer.email': 'ana@example.com',
    'customer.documentNumber': '529.982.247-25',
  }

  test('303 to our own page, and the payment is there', async () => {
    const session = await shop.session()
    const answer = await post(`${pathOf(session)}/pay?lang=pt`, whole)
    assert.equal(answer.statusCode, 303)
    assert.equal(answer.headers.location, `${pathOf(session)}?lang=pt`)
    assert.equal((await shop.read(session.id)).status, 'PROCESSING_PAYMENT')
  })

  test('what is wrong comes back beside its field, with what was written, to this browser alone; the session is ACTIVE', async () => {
    const session = await shop.session()
    const wrong = {
      ...whole,
      'customer.email': 'ana@',
      'customer.documentNumber': '111.111.111-11',
      'customer.lastName': '',
    }
    const answer = await post(`${pathOf(session)}/pay`, wrong)
    assert.equal(answer.headers.location, `${pathOf(session)}?method=PIX-BRL`)
    assert.equal((await shop.read(session.id)).status, 'ACTIVE')
    const cookie = String(answer.headers['set-cookie'])
    assert.match(cookie, /; HttpOnly; SameSite=Strict/)
    assert.ok(!cookie.includes('ana@') && !Buffer.from(cookie, 'base64url').toString().includes('Souza'))
    const mine = (await get(`${pathOf(session)}?method=PIX-BRL`, { cookie: cookie.split(';')[0] ?? '' })).body
    assert.match(mine, /value="ana@"/)
    assert.match(mine, /id="PIX-BRL-customer\.lastName-error"[^>]*>Falta este dato/)
    assert.match(mine, /id="PIX-BRL-customer\.email-error"/)
    const others = (await get(`${pathOf(session)}?method=PIX-BRL`)).body
    assert.ok(!others.includes('ana@') && !others.includes('-error"'))
  })

  test('the server checks documents, banks and phones again', async () => {
    const items = [{ description: 'x', preTaxAmount: '5000.00', totalAmount: '5000.00' }]
    const destinations = [
      { type: 'ACCOUNT', amount: '5000.00', account: { accountNumber: shop.accounts.COP?.accountNumber } },
    ]
    const session = await shop.session({ currency: 'COP', items, destinations, paymentMethodsAllowed: ['PSE'] })
    const form = {
      method: 'PSE-COP',
      amount: '5000.00',
      'customer.firstName': 'Ana',
      'customer.lastName': 'Rojas',
      'customer.email': 'ana@example.com',
      'customer.phoneNumberPrefix': '+57',
      'customer.phoneNumber': '12',
      'customer.documentType': 'NIT',
      'customer.documentNumber': '123',
      bankId: '1007',
    }
    const answer = await post(`${pathOf(session)}/pay`, form)
    const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? ''
    const page = (await get(String(answer.headers.location), { cookie })).body
    assert.deepEqual(
      [...page.matchAll(/id="PSE-COP-([\w.]+)-error"/g)].map((match) => match[1]),
      ['customer.phoneNumber', 'customer.documentNumber'],
    )
    const unknownBank = await post(`${pathOf(session)}/pay`, { ...form, bankId: '9999' })
    assert.match(String(unknownBank.headers.location), /method=PSE-COP/)
  })

  test('another price than the payer saw is not paid', async () => {
    const session = await shop.session()
    const answer = await post(`${pathOf(session)}/pay`, { ...whole, amount: '10.90' })
    assert.match(String(answer.headers.location), /notice=price/)
    assert.equal((await shop.read(session.id)).status, 'ATTEMPT')
  })

  test('403 from another origin, from "null" and from another site without a name; nothing happens', async () => {
    const session = await shop.session()
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'http://127.0.0.1:8080.evil.example' },
    ]
    for (const headers of foreign) {
      const answer = await post(`${pathOf(session)}/pay`, whole, headers)
      assert.equal(answer.statusCode, 403, JSON.stringify(headers))
    }
    assert.equal((await shop.read(session.id)).status, 'ATTEMPT')
    const own = await post(`${pathOf(session)}/pay`, whole, { origin: 'http://127.0.0.1:8080', host: 'elsewhere' })
    assert.equal(own.statusCode, 303)
  })

  test('the bank’s door takes GET and POST of anything from anywhere, and only looks', async () => {
    const session = await shop.session({ customer: secretive })
    const open = `${pathOf(session)}/return`
    assert.equal((await get(open)).headers.location, pathOf(session))
    assert.equal((await shop.read(session.id)).status, 'ATTEMPT')
    await post(`${pathOf(session)}/pay`, { method: 'PIX-BRL', amount: '11.90' })
    const answer = await t.app.inject({
      method: 'POST',
      url: open,
      headers: { origin: 'https://bank.example', 'content-type': 'text/xml' },
      payload: '<not really',
    })
    assert.equal(answer.statusCode, 303)
    assert.equal((await shop.read(session.id)).status, 'PROCESSING_PAYMENT')
  })

  test('a payment of before cannot be cancelled by its old form', async () => {
    const session = await shop.session({ customer: secretive, metadata: { scenario: 'silent' } })
    await post(`${pathOf(session)}/pay`, { method: 'PIX-BRL', amount: '11.90' })
    await post(`${pathOf(session)}/cancel`, { payment: 'pay_01k9v3q7zde8x9tq3p5s2w4r6c' })
    assert.equal((await shop.read(session.id)).status, 'PROCESSING_PAYMENT')
  })

  test('429 for one address on one session; others are not touched', async () => {
    const [busy, calm] = [await shop.session(), await shop.session()]
    const codes: number[] = []
    for (let i = 0; i < 25; i++) codes.push((await post(`${pathOf(busy)}/check`)).statusCode)
    assert.equal(codes.filter((code) => code === 303).length, 20)
    const refused = await post(`${pathOf(busy)}/check`)
    assert.equal(refused.statusCode, 429)
    assert.ok(Number(refused.headers['retry-after']) > 0)
    assert.equal((await post(`${pathOf(calm)}/check`)).statusCode, 303)
    await t.advance(10_000)
    assert.equal((await post(`${pathOf(busy)}/check`)).statusCode, 303)
  })
})

describe('the forms', () => {
  test('no field for a card number on any method’s form, whatever the merchant wants to know', async () => {
    const session = await shop.session({
      paymentMethodsAllowed: rails.filter((rail) => 'BRL' in rail.currencies).map((rail) => rail.type),
      customerRequirements: [
        'firstName',
        'lastName',
        'email',
        'phoneNumber',
        'documentType',
        'documentNumber',
        'address',
      ],
    })
    const page = (await get(pathOf(session))).body
    assert.match(page, /CARD-BRL/)
    assert.deepEqual(page.match(/cc-number|cc-csc|name="(token|pan|cvv|number)"/g), null)
  })

  test('what the merchant gave is not asked for; what of it the rail cannot use is', async () => {
    const page = async (customer: object) =>
      [...(await get(pathOf(await shop.session({ customer })))).body.matchAll(/name="(customer\.\w+)"/g)].map(
        (m) => m[1],
      )
    assert.deepEqual(await page(secretive), [])
    assert.deepEqual(await page({ firstName: 'Ana', email: 'ana@example.com' }), [
      'customer.lastName',
      'customer.documentNumber',
    ])
    const colombian = { ...secretive, documentType: 'CC', documentNumber: '1020304050' }
    assert.deepEqual(await page(colombian), ['customer.documentType', 'customer.documentNumber'])
  })
})
