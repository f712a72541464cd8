/** Expiry: what its events say is what the sessions say, whatever the sessions are like. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { texts } from '@pasarela/sql'
import { startTestApp, type TestApp } from '../../test/harness.ts'
import { prove } from '../../test/proof.ts'
import { makeShop, ok, pixOf, type Shop } from '../../test/shop.ts'
import { openPool } from '../kit/db.ts'
import { findSession } from './find.ts'
import { toSnapshot } from './schema.ts'

let t: TestApp
let shop: Shop
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
})
after(() => t.close())

async function expiredEvent(id: string) {
  const rows = await t.ctx.sql<{ sequence: number; data: string }[]>`
    select sequence, data::text as data from events
    where merchant_id = ${t.client.merchantId} and stream_id = ${id} and type = 'checkout_session.expired'`
  assert.equal(rows.length, 1)
  return rows[0]
}

async function checkTold(id: string): Promise<void> {
  const session = await findSession(t.ctx.sql, t.client.merchantId, id)
  assert.ok(session)
  assert.equal(session.status, 'EXPIRED')
  const event = await expiredEvent(id)
  assert.equal(event?.sequence, session.eventSequence)
  assert.equal(event?.data, JSON.stringify(toSnapshot(session)))
}

test('plain, converted, with a payer, from a link, without urls, opened, refreshed, and after a payment that failed', async () => {
  await ok(t.client, 'PUT', '/exchange-rates', { rates: [{ product: 'BRL:CLP', exchangeRate: '170.5' }] })
  const customer = { firstName: 'Ana', lastName: 'Souza', email: 'ana@example.com' }
  const link = await ok(t.client, 'POST', '/payment-links', { ...shop.body(), active: true, duration: 60 })
  const sessions = [
    await shop.session({ duration: 60 }),
    await shop.session({ duration: 60, customer, metadata: { orderReference: 'ü "1"', note: '1e3' } }),
    await shop.session({
      duration: 60,
      checkoutToken: `"status":"ATTEMPT","destinations":[${Math.random()}`,
      metadata: {
        status: 'ATTEMPT',
        redirectUrl: 'https://shop.example/ok',
        destinations: '[',
        updatedAt: '"}',
        'é"status":"': 'ü',
      },
    }),
    await shop.session({ duration: 60, successUrl: undefined, failedUrl: undefined }).catch(() => undefined),
    await ok(t.client, 'POST', `/payment-links/token/${link.checkoutToken}/checkout-sessions`, {}),
    await shop.session({ duration: 60 }),
    await shop.session({ duration: 60 }),
    await shop.session({ duration: 600 }),
  ].filter((session) => session !== undefined)
  const [opened, refreshed, tried] = sessions.slice(-3)
  await t.app.inject({ method: 'POST', url: `${new URL(opened.url).pathname}/open` })
  await ok(t.client, 'POST', `/checkout-sessions/token/${refreshed.checkoutToken}/refresh`, {})
  await ok(t.client, 'POST', `/checkout-sessions/${tried.id}/payments`, pixOf('ana+declined@example.com'))
  await t.advance(5_000)
  await t.advance(700_000)
  for (const session of sessions) await checkTold(session.id)
  await prove(t, t.client)
})

test('also a session that outlived its events', async () => {
  const session = await shop.session({ duration: 100 * 24 * 3600 })
  const owner = openPool(t.databaseUrl, { max: 1, applicationName: 'forgetting', asApplication: false })
  await owner`delete from events where stream_id = ${session.id}`
  await owner.end()
  await t.advance(101 * 24 * 3_600_000)
  await checkTold(session.id)
})

test('an expiry is not earlier than the last event of its session, whatever clock that was written by', async () => {
  const session = await shop.session({ duration: 60 })
  const [row] = await t.ctx.sql<{ lastEventAt: Date }[]>`
    update checkout_sessions set last_event_at = expires_at + interval '1 hour'
    where merchant_id = ${t.client.merchantId} and id = ${session.id} returning last_event_at`
  await t.advance(70_000)
  await checkTold(session.id)
  const [event] = await t.ctx.sql<{ createdAt: Date }[]>`
    select created_at from events
    where merchant_id = ${t.client.merchantId} and stream_id = ${session.id} and type = 'checkout_session.expired'`
  assert.deepEqual(event?.createdAt, row?.lastEventAt)
})

test('more than a slice, of several merchants and clocks, each once', async () => {
  const other = await t.newMerchant()
  const theirs = await makeShop(other)
  const all = await Promise.all(
    Array.from({ length: 450 }, (_, n) => (n % 3 === 0 ? theirs : shop).session({ duration: 60 + (n % 5) })),
  )
  await t.advance(70_000)
  const rows = await t.ctx.sql<{ streamId: string }[]>`
    select stream_id from events where type = 'checkout_session.expired' and stream_id = any (${texts(all.map((s) => s.id))})`
  assert.deepEqual(rows.map((row) => row.streamId).sort(), all.map((s) => s.id).sort())
  for (const session of all.slice(0, 3)) {
    const [row] = await t.ctx.sql`select status from checkout_sessions where id = ${session.id}`
    assert.equal(row?.status, 'EXPIRED')
  }
})
