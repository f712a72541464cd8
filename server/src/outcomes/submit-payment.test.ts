/** Submitting payments, through HTTP. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { anaPix, makeShop, type Shop } from '../../test/shop.ts'

let t: TestApp
let shop: Shop
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
})
after(() => t.close())

describe('POST /checkout-sessions/{id}/payments', () => {
  it('200: a PIX payment shows a BR Code, and the session becomes FINISHED by itself', async () => {
    const session = await shop.session()
    const submitted = await t.client.call('POST', `/checkout-sessions/${session.id}/payments`, anaPix)
    assert.equal(submitted.status, 200, JSON.stringify(submitted.body))
    assert.match(submitted.body.origins[0].pix.data, /^000201.*6304[0-9A-F]{4}$/)
    assert.equal(submitted.body.status, 'CREATED')
    assert.equal((await shop.read(session.id)).status, 'PROCESSING_PAYMENT')
    await t.advance(1_500)
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    const listed = await t.client.call('GET', `/payments?checkoutSessionId=${session.id}`)
    assert.deepEqual(
      listed.body.results.map((p: Body) => p.status),
      ['RECEIVED'],
    )
    await t.advance(3_000)
    const [payment] = (await t.client.call('GET', `/payments?checkoutSessionId=${session.id}`)).body.results
    assert.equal(payment.status, 'SETTLED')
  })
})
