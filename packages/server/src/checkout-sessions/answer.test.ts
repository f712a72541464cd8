/** The remembered answer: it is the one of this moment, whoever changed the session, and nobody's but its merchant's. */
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { makeShop, ok, pixOf, type Shop } from '../../test/shop.ts'
import { transaction } from '../kit/db.ts'
import { answerSession } from './answer.ts'
import { expireSessions } from './expire.ts'
import { readSession } from './find.ts'
import { lockSession } from './move.ts'
import { toWire } from './schema.ts'

let t: TestApp
let shop: Shop
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
})
after(() => t.close())

const get = (id: string) => t.client.call('GET', `/checkout-sessions/${id}`)
const onRecord = async (id: string) => {
  const session = await readSession(t.ctx.sql, t.client.merchantId, id)
  return session && JSON.parse(JSON.stringify(toWire(session, t.ctx.publicUrl)))
}

/** What changes a session that was answered before, and the status that the next answer has. */
const changes: Record<string, { status: string; change: (session: Body) => Promise<unknown> }> = {
  'the payer submits': {
    status: 'PROCESSING_PAYMENT',
    change: ({ id }) => ok(t.client, 'POST', `/checkout-sessions/${id}/payments`, pixOf('ana+silent@example.com')),
  },
  'money comes': {
    status: 'FINISHED',
    change: async ({ id }) => {
      const payment = await ok(t.client, 'POST', `/checkout-sessions/${id}/payments`, pixOf('ana+silent@example.com'))
      await ok(t.client, 'POST', '/payments/received', { transactionId: payment.id })
    },
  },
  'the merchant refreshes': {
    status: 'ATTEMPT',
    change: async ({ checkoutToken }) => {
      t.passTime(5_000)
      await ok(t.client, 'POST', `/checkout-sessions/token/${checkoutToken}/refresh`, {})
    },
  },
  'another process opens it': {
    status: 'ACTIVE',
    change: ({ id }) =>
      transaction(t.ctx.sql, async (tx) => {
        const locked = await lockSession(tx, t.client.merchantId, id, new Date(t.ctx.clock.nowMs()))
        locked?.move('open')
        await locked?.save()
      }),
  },
  'its time is over': {
    status: 'EXPIRED',
    change: async () => {
      t.passTime(3_601_000)
      while (await expireSessions(t.ctx));
    },
  },
}

for (const [what, { status, change }] of Object.entries(changes)) {
  it(`is new when ${what}`, async () => {
    const session = await shop.session()
    const before = (await get(session.id)).body
    assert.deepEqual((await get(session.id)).body, before)
    await change(session)
    const { body } = await get(session.id)
    assert.equal(body.status, status)
    assert.notEqual(body.updatedAt, undefined)
    assert.notDeepEqual(body, before)
    assert.deepEqual(body, await onRecord(session.id))
  })
}

it('is made once for each version', async () => {
  const { id } = await shop.session()
  const first = await answerSession(t.ctx, t.client.merchantId, id)
  // Nothing of ours writes a row without moving its counter; what does so all the same shows where the answer comes from.
  await t.ctx.sql`update checkout_sessions set updated_at = updated_at + interval '1 s' where id = ${id}`
  assert.equal(await answerSession(t.ctx, t.client.merchantId, id), first)
  await t.ctx.sql`update checkout_sessions set event_sequence = event_sequence + 1 where id = ${id}`
  assert.notEqual(await answerSession(t.ctx, t.client.merchantId, id), first)
})

it('404 once the session is deleted, however often it was read', async () => {
  const { id } = await shop.session()
  for (let i = 0; i < 2; i++) assert.equal((await get(id)).status, 200)
  await ok(t.client, 'DELETE', `/checkout-sessions/${id}`)
  for (let i = 0; i < 2; i++) assert.equal((await get(id)).status, 404)
})

it('404 for another merchant, although it is remembered', async () => {
  const { id } = await shop.session()
  assert.equal((await get(id)).status, 200)
  const other = await t.newMerchant()
  assert.equal((await other.call('GET', `/checkout-sessions/${id}`)).status, 404)
  assert.equal((await get(id)).status, 200)
})
