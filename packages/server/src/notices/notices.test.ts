/** Providers' notices, as they come: early, late, twice, contradicting, false. The cases are the rows of this folder's README. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, beforeEach, describe, it } from 'node:test'
import { referenceOf, signNotice } from '@pasarela/connectors/sandbox'
import { type Body, type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { funds, prove, sumOf, told } from '../../test/proof.ts'
import { makeShop, ok, pixOf, type Shop } from '../../test/shop.ts'
import { type Connection, sandboxConnection } from '../connections/connection.ts'

let t: TestApp
let client: Client
let shop: Shop
let connection: Connection
before(async () => {
  t = await startTestApp()
})
after(() => t.close())
beforeEach(async () => {
  client = await t.newMerchant()
  shop = await makeShop(client, ['BRL'])
  connection = await sandboxConnection(t.ctx, client.merchantId)
})

const minute = 60_000
const day = 24 * 60 * minute

type Said = {
  event: string
  reference: string
  paymentId?: string
  amount?: string
  currency?: string
  reason?: string
}
const money = { amount: '11.90', currency: 'BRL' }

/** Posts a notice as the provider does; `change` spoils it. */
function post(
  body: string,
  change: { secret?: string; at?: Date; path?: string; headers?: Record<string, string> } = {},
) {
  const at = change.at ?? new Date(t.ctx.clock.nowMs())
  return t.app.inject({
    method: 'POST',
    url: change.path ?? `/notifications/sandbox/${connection.id}`,
    headers: {
      'content-type': 'application/json',
      ...signNotice(body, change.secret ?? connection.secret, at),
      ...change.headers,
    },
    payload: body,
  })
}
/** A notice that is taken, and applied at once. */
async function tell(said: Said): Promise<void> {
  const answer = await post(JSON.stringify(said))
  assert.deepEqual([answer.statusCode, answer.body], [200, '{}'])
  await t.runJobs()
}
const notices = async (query = ''): Promise<Body[]> =>
  (await ok(client, 'GET', `/notices?sort=createdAt:asc${query}`)).results
const read = (payment: Body) => ok(client, 'GET', `/payments/${payment.id}`)
const paymentsOf = async (session: Body): Promise<Body[]> =>
  (await ok(client, 'GET', `/payments?checkoutSessionId=${session.id}&sort=createdAt:asc`)).results
const policy = (wanted: string) => ok(client, 'PUT', '/late-money-policies', { default: wanted, rails: [] })
/** A session and its payment, whose provider says nothing when it is asked. */
async function quiet(email = 'ana+silent@example.com') {
  const session = await shop.session()
  const payment = await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, pixOf(email))
  return { session, payment, reference: referenceOf(payment.id) }
}
/** The same, paid by a notice. */
async function paid() {
  const made = await quiet()
  await tell({ event: 'received', reference: made.reference, ...money })
  assert.equal((await read(made.payment)).status, 'RECEIVED')
  return made
}
async function statuses(session: Body): Promise<string[]> {
  return [(await shop.read(session.id)).status, ...(await paymentsOf(session)).map((p) => p.hold ?? p.status)]
}

const cases: Record<string, () => Promise<void>> = {
  'the same notice ten times': async () => {
    const { session, reference } = await quiet()
    for (let i = 0; i < 10; i++) await post(JSON.stringify({ event: 'received', reference, ...money }))
    await t.runJobs()
    const [notice, ...more] = await notices()
    assert.deepEqual([notice?.copies, notice?.effect, more.length], [10, 'applied', 0])
    assert.deepEqual(await statuses(session), ['FINISHED', 'RECEIVED'])
    assert.deepEqual(await funds(client, shop), ['11.90', '0.00'])
  },
  'the same reference and kind with another amount': async () => {
    const { session, payment, reference } = await paid()
    await tell({ event: 'received', reference, amount: '99.00', currency: 'BRL' })
    assert.deepEqual(await statuses(session), ['FINISHED', 'RECEIVED'])
    assert.match((await read(payment)).attention, /repeated a notice/)
    const [notice] = await notices('&attention=true')
    assert.match(notice?.otherBody, /99\.00/)
    assert.deepEqual(await funds(client, shop), ['11.90', '0.00'])
  },
  'a genuine body that cannot be read': async () => {
    for (const body of ['{"event":"weather"}', 'not json', '\0\xff', '']) {
      assert.equal((await post(body)).statusCode, 200)
    }
    await t.runJobs()
    const listed = await notices('&attention=true')
    assert.deepEqual(
      listed.map((notice) => [notice.kind, notice.attention]),
      Array(4).fill(['unreadable', 'Its signature is right, but what it says cannot be read.']),
    )
  },
  'a notice that matches nothing': async () => {
    await tell({ event: 'received', reference: 'unknown-1', paymentId: 'pay_none', ...money })
    assert.deepEqual([(await notices('&attention=true')).length, (await notices()).length], [0, 1])
    await t.advance(day + 2 * minute)
    const [notice] = await notices('&attention=true')
    assert.equal(notice?.attention, 'It speaks of no payment of ours.')
    const dismissed = await client.call('POST', `/notices/${notice?.id}/dismiss`, { reason: 'A test of the bank.' })
    assert.deepEqual([dismissed.status, dismissed.body.dismissedWhy], [200, 'A test of the bank.'])
    assert.equal((await client.call('POST', `/notices/${notice?.id}/dismiss`, { reason: 'Again.' })).status, 422)
    assert.deepEqual(await notices('&attention=true'), [])
  },
  'a notice whose payment appears later': async () => {
    const { session, payment, reference } = await quiet()
    await t.ctx.sql`update payments set connector_ref = null where id = ${payment.id}`
    await tell({ event: 'received', reference, ...money })
    assert.deepEqual(await statuses(session), ['PROCESSING_PAYMENT', 'CREATED'])
    await t.ctx.sql`update payments set connector_ref = ${reference} where id = ${payment.id}`
    await t.advance(minute)
    assert.deepEqual(await statuses(session), ['FINISHED', 'RECEIVED'])
    assert.equal((await notices())[0]?.paymentId, payment.id)
  },
  'a notice before the answer that began the payment': async () => {
    const session = await shop.session()
    const submitting = client.call(
      'POST',
      `/checkout-sessions/${session.id}/payments`,
      pixOf('ana+webhook_first@example.com'),
    )
    for (let looks = 0; looks < 500 && (await shop.read(session.id)).status !== 'FINISHED'; looks++) await t.runJobs()
    assert.deepEqual(await statuses(session), ['FINISHED', 'RECEIVED'])
    const submitted = await submitting
    assert.deepEqual([submitted.status, submitted.body.status], [200, 'RECEIVED'])
    assert.deepEqual(
      (await told(t, client, session.id)).filter((type) => type === 'payment.received' || type.endsWith('.finished')),
      ['payment.received', 'checkout_session.finished'],
    )
  },
  'settled before received': async () => {
    const { session, reference } = await quiet()
    await tell({ event: 'settled', reference, ...money })
    assert.deepEqual(await statuses(session), ['FINISHED', 'SETTLED'])
    await tell({ event: 'received', reference, ...money })
    assert.deepEqual(await statuses(session), ['FINISHED', 'SETTLED'])
    assert.deepEqual(await funds(client, shop), ['11.90', '11.90'])
  },
  'captured and authorized after received': async () => {
    const { session, reference } = await paid()
    const events = await told(t, client, session.id)
    await tell({ event: 'captured', reference, ...money })
    await tell({ event: 'authorized', reference, ...money })
    assert.deepEqual(await told(t, client, session.id), events)
  },
  'reversed before received': async () => {
    const { session, reference } = await quiet()
    await tell({ event: 'reversed', reference, ...money })
    assert.deepEqual(await statuses(session), ['PROCESSING_PAYMENT', 'CREATED'])
    await tell({ event: 'received', reference, ...money })
    await t.runJobs()
    assert.deepEqual(await statuses(session), ['FINISHED', 'REVERSED'])
    assert.deepEqual(await funds(client, shop), ['0.00', '0.00'])
  },
  'failed after paid': async () => {
    const { session, payment, reference } = await paid()
    await tell({ event: 'declined', reference, reason: 'No.' })
    assert.deepEqual(await statuses(session), ['FINISHED', 'RECEIVED'])
    assert.match((await read(payment)).attention, /"declined".*RECEIVED/)
  },
  'paid after failed': async () => {
    const { session, reference } = await quiet()
    await tell({ event: 'declined', reference, reason: 'No.' })
    assert.deepEqual(await statuses(session), ['ACTIVE', 'FAILED'])
    await tell({ event: 'received', reference, ...money })
    assert.deepEqual(await statuses(session), ['FINISHED', 'FAILED', 'RECEIVED'])
  },
  'paid after expired': async () => {
    const { session, reference } = await quiet()
    await tell({ event: 'expired', reference })
    assert.deepEqual(await statuses(session), ['ACTIVE', 'EXPIRED'])
    await tell({ event: 'received', reference, ...money })
    assert.deepEqual(await statuses(session), ['FINISHED', 'EXPIRED', 'RECEIVED'])
  },
  'settled for late money': async () => {
    const { session, reference } = await quiet()
    await tell({ event: 'expired', reference })
    await tell({ event: 'received', reference, ...money })
    await tell({ event: 'settled', reference, ...money })
    assert.deepEqual(await statuses(session), ['FINISHED', 'EXPIRED', 'SETTLED'])
  },
  'reversed for late money': async () => {
    const { session, reference } = await quiet()
    await tell({ event: 'expired', reference })
    await tell({ event: 'received', reference, ...money })
    await tell({ event: 'reversed', reference, ...money })
    assert.deepEqual(await statuses(session), ['FINISHED', 'EXPIRED', 'REVERSED'])
    assert.deepEqual(await funds(client, shop), ['0.00', '0.00'])
  },
  'money under another reference': async () => {
    const { session, payment, reference } = await paid()
    for (const event of ['received', 'settled', 'received'])
      await tell({ event, reference: `${reference}-2`, paymentId: payment.id, ...money })
    assert.deepEqual(await statuses(session), ['FINISHED', 'RECEIVED', 'second'])
    const second = (await paymentsOf(session))[1]
    assert.equal(second?.relatedPaymentId, payment.id)
    assert.equal(await sumOf(t, client, 'held:BRL'), 1190n)
  },
  'a refusal under another reference': async () => {
    const { session, payment, reference } = await quiet()
    await tell({ event: 'declined', reference: `${reference}-2`, paymentId: payment.id, reason: 'No.' })
    assert.deepEqual(await statuses(session), ['PROCESSING_PAYMENT', 'CREATED'])
    assert.equal((await notices())[0]?.effect, 'asked')
  },
  'a notice that names two payments': async () => {
    const [one, two] = [await quiet(), await quiet()]
    await tell({ event: 'received', reference: one.reference, paymentId: two.payment.id, ...money })
    assert.deepEqual(
      [await statuses(one.session), await statuses(two.session)],
      [
        ['PROCESSING_PAYMENT', 'CREATED'],
        ['PROCESSING_PAYMENT', 'CREATED'],
      ],
    )
    assert.equal((await notices('&attention=true')).length, 1)
  },
  'less money than was asked for': async () => {
    const { session, payment, reference } = await quiet()
    await tell({ event: 'received', reference, amount: '11.89', currency: 'BRL' })
    assert.deepEqual(await statuses(session), ['PROCESSING_PAYMENT', 'too_little'])
    assert.equal((await read(payment)).receivedAmount, '11.89')
    assert.equal(await sumOf(t, client, 'held:BRL'), 1189n)
  },
  'more money than was asked for': async () => {
    const { session, reference } = await quiet()
    await tell({ event: 'received', reference, amount: '12.00', currency: 'BRL' })
    assert.deepEqual(await statuses(session), ['FINISHED', 'RECEIVED', 'RECEIVED'])
    assert.deepEqual(await funds(client, shop), ['12.00', '0.00'])
  },
  'money under another reference for a surplus': async () => {
    const { session, reference } = await quiet()
    await tell({ event: 'received', reference, amount: '12.00', currency: 'BRL' })
    const surplus = (await paymentsOf(session))[1]
    await tell({ event: 'received', reference: 'another', paymentId: surplus?.id, ...money })
    assert.deepEqual(await statuses(session), ['FINISHED', 'RECEIVED', 'RECEIVED', 'second'])
    await tell({ event: 'reversed', reference, amount: '12.00', currency: 'BRL' })
    assert.deepEqual(await statuses(session), ['FINISHED', 'REVERSED', 'REVERSED', 'second'])
  },
  'money in another currency': async () => {
    const { session, payment, reference } = await quiet()
    await tell({ event: 'received', reference, amount: '1190', currency: 'CLP' })
    assert.deepEqual(await statuses(session), ['PROCESSING_PAYMENT', 'wrong_currency'])
    const held = await read(payment)
    assert.deepEqual([held.receivedAmount, held.receivedCurrency], ['1190', 'CLP'])
    assert.deepEqual([await sumOf(t, client, 'held:CLP'), await sumOf(t, client, 'held:BRL')], [1190n, 0n])
    const url = `/payments/${payment.id}/resolve`
    assert.equal((await client.call('POST', url, { decision: 'accept', reason: 'Yes.' })).status, 422)
    await ok(client, 'POST', url, { decision: 'refund', reason: 'Not our currency.' })
    await t.advance(5000)
    assert.deepEqual(await statuses(session), ['ACTIVE', 'REVERSED', 'SETTLED'])
    const refund = (await paymentsOf(session))[1]
    assert.deepEqual([refund?.type, refund?.purchaseAmount, refund?.purchaseCurrency], ['REFUND', '1190', 'CLP'])
    assert.equal(await sumOf(t, client, 'held:CLP'), 0n)
  },
  'two amounts for one payment in two kinds of notice': async () => {
    const { session, payment, reference } = await paid()
    await tell({ event: 'captured', reference, amount: '5.00', currency: 'BRL' })
    assert.deepEqual(await statuses(session), ['FINISHED', 'RECEIVED'])
    assert.match((await read(payment)).attention, /two different amounts/)
  },
  'reversed after settled': async () => {
    const { session, payment, reference } = await paid()
    await tell({ event: 'settled', reference, ...money })
    await tell({ event: 'reversed', reference, ...money })
    assert.deepEqual(await statuses(session), ['FINISHED', 'SETTLED'])
    assert.match((await read(payment)).attention, /took back 11\.90 BRL after settlement/)
  },
  'a notice about a refund': async () => {
    const { session, payment, reference } = await paid()
    await tell({ event: 'settled', reference, ...money })
    await ok(client, 'POST', `/payments/${payment.id}/refund`, { amount: '5.00' })
    const refund = (await paymentsOf(session))[1]
    await tell({ event: 'declined', reference: referenceOf(refund?.id), reason: 'No.' })
    assert.deepEqual(await statuses(session), ['FINISHED', 'SETTLED', 'RECEIVED'])
    await t.advance(2000)
    assert.deepEqual(await statuses(session), ['FINISHED', 'SETTLED', 'SETTLED'])
  },
  'a notice for a payment of another merchant': async () => {
    const { session, payment, reference } = await quiet()
    const other = await sandboxConnection(t.ctx, (await t.newMerchant()).merchantId)
    const body = JSON.stringify({ event: 'received', reference, paymentId: payment.id, ...money })
    const path = `/notifications/sandbox/${other.id}`
    assert.equal((await post(body, { path, secret: other.secret })).statusCode, 200)
    await t.runJobs()
    assert.deepEqual(await statuses(session), ['PROCESSING_PAYMENT', 'CREATED'])
    assert.equal((await post(body, { path })).statusCode, 401)
  },
}

describe('what we do with a notice', () => {
  it('is told in the README, row by row', () => {
    const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8')
    const rows = [...readme.matchAll(/^\| (?!what comes|---)(.+?) \|/gm)].map((match) => match[1])
    assert.deepEqual(rows, Object.keys(cases))
  })
  for (const [name, check] of Object.entries(cases))
    it(name, async () => {
      await check()
      await prove(t, client)
    })
})

describe('who may tell us something', () => {
  const body = JSON.stringify({ event: 'received', reference: 'r', ...money })
  it('401: another secret, another body, no signature, or one that is over five minutes old or ahead', async () => {
    const now = t.ctx.clock.nowMs()
    const signed = signNotice(`${body} `, connection.secret, new Date(now))
    const refused = [
      await post(body, { secret: 'guessed' }),
      await post(body, { headers: signed }),
      await post(body, { headers: { 'sandbox-signature': '' } }),
      await post(body, { headers: { 'sandbox-signature': 't=1,v1=00' } }),
      await post(body, { at: new Date(now - 5 * minute - 2000) }),
      await post(body, { at: new Date(now + 5 * minute + 2000) }),
    ]
    for (const answer of refused) assert.equal(answer.statusCode, 401)
    assert.deepEqual(await notices(), [])
  })
  it('200: within the window, as any content type, and the bytes are kept as they came', async () => {
    const now = t.ctx.clock.nowMs()
    const odd = `\t{ "event":"received","reference":"r",  "amount":"11.90","currency":"BRL" }`
    const answer = await post(odd, { at: new Date(now - 4 * minute), headers: { 'content-type': 'text/weird' } })
    assert.equal(answer.statusCode, 200)
    assert.equal((await notices())[0]?.body, odd)
  })
  it('404: a connector or a connection that does not exist', async () => {
    for (const path of [
      `/notifications/nobody/${connection.id}`,
      '/notifications/sandbox/con_x',
      '/notifications/sandbox/x',
    ])
      assert.equal((await post(body, { path })).statusCode, 404, path)
  })
  it('413: more than 64 KB', async () => {
    assert.equal((await post('x'.repeat(64 * 1024 + 1))).statusCode, 413)
    assert.equal((await post('x'.repeat(64 * 1024))).statusCode, 200)
  })
  it('the same notices are seen by their merchant alone', async () => {
    await post(body)
    const other = await t.newMerchant()
    assert.deepEqual((await ok(other, 'GET', '/notices')).results, [])
    const [notice] = await notices()
    assert.equal((await other.call('POST', `/notices/${notice?.id}/dismiss`, { reason: 'Mine.' })).status, 404)
  })
})

describe('what the sandbox tells by itself', () => {
  const submit = (session: Body, tag: string) =>
    ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, pixOf(`ana+${tag}@example.com`))
  it('storm: ten times the same, one payment', async () => {
    const session = await shop.session()
    await submit(session, 'storm')
    await t.advance(1100)
    assert.deepEqual(await statuses(session), ['FINISHED', 'RECEIVED'])
    assert.deepEqual(
      (await notices()).map((n) => n.copies),
      [10],
    )
    await prove(t, client)
  })
  it('twice: the second money is a payment of its own, held or sent back, and never accepted', async () => {
    for (const [wanted, ends] of [
      ['accept', 'second'],
      ['hold', 'second'],
      ['refund', 'REVERSED'],
    ] as const) {
      await policy(wanted)
      const session = await shop.session()
      await submit(session, 'twice')
      await t.advance(1100)
      await t.advance(5000)
      await t.advance(5000)
      const [status, first, second] = await statuses(session)
      assert.deepEqual([status, first, second], ['FINISHED', 'SETTLED', ends], wanted)
      await prove(t, client)
    }
    assert.equal(await sumOf(t, client, 'held:BRL'), 2380n)
  })
})
