/** The test clock of a sandbox merchant, through HTTP. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { funds, pointers, prove, told } from '../../test/proof.ts'
import { makeShop, ok, pixOf, type Shop } from '../../test/shop.ts'

let t: TestApp
let client: Client
let shop: Shop
before(async () => {
  t = await startTestApp()
})
after(() => t.close())
beforeEach(async () => {
  client = await t.newMerchant()
  shop = await makeShop(client, ['BRL'])
})

const advance = (body: unknown, path = '/sandbox/clock/advance', as = client) => as.call('POST', path, body)

describe('GET /sandbox/connection', () => {
  it("200: whoever has it plays the merchant's bank; 404 to live merchants", async () => {
    const session = await shop.session()
    const url = `/checkout-sessions/${session.id}/payments`
    const payment = await ok(client, 'POST', url, pixOf('ana+silent@example.com'))
    const bank = await ok(client, 'GET', '/sandbox/connection')
    assert.deepEqual(await ok(client, 'GET', '/connection'), bank)
    const post = async (said: object) => {
      const body = JSON.stringify({
        event: 'received',
        paymentId: payment.id,
        amount: '11.90',
        currency: 'BRL',
        ...said,
      })
      const seconds = Math.floor(t.ctx.clock.nowMs() / 1000)
      const signature = createHmac('sha256', bank.secret).update(`${seconds}.${body}`).digest('hex')
      const headers = { 'sandbox-signature': `t=${seconds},v1=${signature}`, 'content-type': 'application/json' }
      const answer = await t.app.inject({ method: 'POST', url: new URL(bank.url).pathname, headers, payload: body })
      assert.equal(answer.statusCode, 200)
      await t.runJobs()
    }
    await post({})
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    await post({ reference: 'another-1' })
    const { results } = await ok(client, 'GET', `/payments?checkoutSessionId=${session.id}&sort=createdAt:asc`)
    assert.deepEqual(
      [results[0].status, results[1].relatedPaymentId, results[1].hold],
      ['RECEIVED', payment.id, 'second'],
    )
    const live = await t.newMerchant('live')
    assert.equal((await live.call('GET', '/connection')).status, 404)
  })
})

describe('POST /sandbox/clock/advance', () => {
  it('200: what is due happens on the way, in its order, before the answer', async () => {
    const session = await shop.session()
    await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, pixOf())
    const answer = await advance({ seconds: 60 })
    assert.equal(answer.status, 200)
    assert.equal(Date.parse(answer.body.now), t.ctx.clock.nowMs() + 60_000)
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    const [payment] = (await ok(client, 'GET', `/payments?checkoutSessionId=${session.id}`)).results
    assert.equal(payment.status, 'SETTLED')
    const secondsAfter = (moment: string) => (Date.parse(moment) - Date.parse(payment.createdAt)) / 1000
    assert.deepEqual([secondsAfter(payment.receivedAt), secondsAfter(payment.settledAt)], [1, 3])
    assert.deepEqual(await funds(client, shop), ['11.90', '11.90'])
    await prove(t, client)
  })

  it('200: late money comes after the end, in one jump over both', async () => {
    const session = await shop.session({ duration: 7200 })
    await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, pixOf('ana+late@example.com'))
    assert.equal((await advance({ seconds: 3 * 3600 })).status, 200)
    const types = await told(t, client, session.id)
    assert.ok(types.indexOf('payment.expired') < types.indexOf('checkout_session.paid_late'), types.join())
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    await prove(t, client)
  })

  it('200: sessions and links of this merchant alone; also by /clock/advance, and until a moment', async () => {
    const other = await t.newMerchant()
    const otherShop = await makeShop(other, ['BRL'])
    const [mine, theirs] = [await shop.session(), await otherShop.session()]
    const link = await ok(client, 'POST', '/payment-links', { ...shop.body(), active: true })
    const until = new Date(t.ctx.clock.nowMs() + 3_600_000).toISOString()
    const answer = await advance({ until }, '/clock/advance')
    assert.deepEqual([answer.status, answer.body], [200, { now: until }])
    assert.equal((await shop.read(mine.id)).status, 'EXPIRED')
    assert.equal((await ok(client, 'GET', `/payment-links/${link.id}`)).status, 'EXPIRED')
    assert.equal((await otherShop.read(theirs.id)).status, 'ATTEMPT')
    const next = await shop.session()
    assert.equal(next.createdAt, until)
  })

  it('200: a quiet payment is asked about until its deadline, once more after it, and then listed', async () => {
    const session = await shop.session()
    await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, pixOf('ana+silent@example.com'))
    const attention = async () => (await ok(client, 'GET', '/payments?attention=true')).results.length
    await advance({ seconds: 30 * 60 + 29 })
    assert.equal(await attention(), 0)
    await advance({ seconds: 2 })
    assert.equal(await attention(), 1)
    assert.equal((await shop.read(session.id)).status, 'PROCESSING_PAYMENT')
    await prove(t, client)
  })

  it('400: neither or both, not ahead, more than a year, a misspelt field', async () => {
    const now = t.ctx.clock.nowMs()
    const bad: [unknown, string][] = [
      [{}, '/seconds'],
      [{ seconds: 1, until: new Date(now + 1000).toISOString() }, '/until'],
      [{ seconds: 0 }, '/seconds'],
      [{ seconds: 1.5 }, '/seconds'],
      [{ seconds: '10' }, '/seconds'],
      [{ until: new Date(now).toISOString() }, '/until'],
      [{ until: new Date(now + 367 * 86_400_000).toISOString() }, '/until'],
      [{ until: 'tomorrow' }, '/until'],
      [{ minutes: 1 }, '/minutes'],
    ]
    for (const [body, pointer] of bad) {
      const answer = await advance(body)
      assert.deepEqual([answer.status, pointers(answer.body)], [400, [pointer]], JSON.stringify(body))
    }
  })

  it('404: a live merchant has no test clock', async () => {
    const live = await t.newMerchant('live')
    assert.equal((await advance({ seconds: 1 }, '/clock/advance', live)).status, 404)
  })
})
