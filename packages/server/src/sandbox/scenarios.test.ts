/** Every scripted trouble of the sandbox, asked for in both ways, from the submit to what is left of it hours later. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type ScenarioName, scenarios } from '@pasarela/connectors/sandbox'
import { type Body, type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { prove } from '../../test/proof.ts'
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

/** The session, then its payments in order: why held, or the status; and whether somebody was told to look. */
const left: Record<ScenarioName, [session: string, payments: string[], attention: number]> = {
  normal: ['FINISHED', ['SETTLED'], 0],
  declined: ['ACTIVE', ['FAILED'], 0],
  late: ['FINISHED', ['EXPIRED', 'SETTLED'], 0],
  silent: ['PROCESSING_PAYMENT', ['CREATED'], 1],
  wrong_amount: ['PROCESSING_PAYMENT', ['too_little'], 1],
  wrong_amount_more: ['FINISHED', ['SETTLED', 'SETTLED'], 0],
  timeout: ['FINISHED', ['SETTLED'], 0],
  reversed: ['FINISHED', ['REVERSED'], 1],
  twice: ['FINISHED', ['SETTLED', 'second'], 1],
  webhook_first: ['FINISHED', ['SETTLED'], 0],
  storm: ['FINISHED', ['SETTLED'], 0],
}

describe('the scenarios of the sandbox', () => {
  it('are all here', () => assert.deepEqual(Object.keys(left).sort(), Object.keys(scenarios).sort()))

  for (const [name, [status, payments, attention]] of Object.entries(left)) {
    for (const way of ['tag', 'metadata']) {
      it(`${name}, by ${way}: ${status}, ${payments.join(', ')}`, async () => {
        const metadata = way === 'metadata' ? { scenario: name } : {}
        const session = await shop.session({ duration: 3 * 3600, metadata })
        const body = way === 'tag' ? pixOf(`ana+${name}@example.com`) : pixOf()
        let answered = false
        const submitting = ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, body).then(() => {
          answered = true
        })
        // The banks act while the payer waits for the answer.
        while (!answered) await t.runJobs()
        await submitting
        await ok(client, 'POST', '/sandbox/clock/advance', { seconds: 2 * 3600 })
        const { results } = await ok(client, 'GET', `/payments?checkoutSessionId=${session.id}&sort=createdAt:asc`)
        assert.deepEqual(
          [(await shop.read(session.id)).status, results.map((p: Body) => p.hold ?? p.status)],
          [status, payments],
        )
        assert.equal((await ok(client, 'GET', '/payments?attention=true')).results.length, attention)
        await prove(t, client)
      })
    }
  }
})
