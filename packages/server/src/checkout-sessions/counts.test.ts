/** The counters of sessions: exact by every dimension, whatever was folded, whatever commits out of order. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { anaPix, makeShop, ok, type Shop } from '../../test/shop.ts'
import { openPool, type Sql } from '../kit/db.ts'
import { changeTimeZone } from './change-time-zone.ts'
import { findWrongAccountRows, findWrongCounts } from './checks.ts'
import { countSessions, foldSessionDeltas } from './counts-store.ts'
import { createdDayOf, type SessionStatus, sessionMachine } from './session.ts'

let t: TestApp
let client: Client
let shop: Shop
let other: Sql
before(async () => {
  t = await startTestApp()
  client = t.client
  shop = await makeShop(client)
  other = openPool(t.databaseUrl, { max: 1, applicationName: 'another' })
})
after(async () => {
  await other?.end()
  await t.close()
})

const count = (filter: { owners?: string[]; accounts?: string[]; statuses?: SessionStatus[] } = {}, sql = t.ctx.sql) =>
  countSessions(sql, {
    merchantId: client.merchantId,
    owners: filter.owners,
    accounts: filter.accounts,
    statuses: filter.statuses ?? sessionMachine.statuses,
    fromDay: undefined,
    untilDay: undefined,
  })
const deltas = async () => {
  const [row] = await t.ctx.sql<{ rows: number }[]>`select count(*)::int as rows from checkout_session_deltas`
  return row?.rows
}
async function assertExact(): Promise<void> {
  assert.deepEqual([...(await findWrongCounts(t.ctx.sql, null))], [])
  assert.deepEqual([...(await findWrongAccountRows(t.ctx.sql, null))], [])
}
/** A session that pays these accounts, an equal part to each. */
async function split(numbers: string[]) {
  const amount = (numbers.length * 100).toString()
  return shop.session({
    currency: 'CLP',
    items: [{ description: 'x', preTaxAmount: amount, totalAmount: amount }],
    destinations: numbers.map((accountNumber) => ({ type: 'ACCOUNT', amount: '100', account: { accountNumber } })),
    paymentMethodsAllowed: ['WEBPAY'],
  })
}

describe('counters', () => {
  it('follow every change, folded or not', async () => {
    const paid = await shop.session()
    const left = await shop.session()
    const gone = await shop.session()
    await ok(client, 'POST', `/checkout-sessions/${paid.id}/payments`, anaPix)
    await assertExact()
    assert.equal(await count({ statuses: ['PROCESSING_PAYMENT'] }), 1)
    await ok(client, 'DELETE', `/checkout-sessions/${gone.id}`)
    await ok(client, 'POST', `/checkout-sessions/token/${left.checkoutToken}/refresh`, {})
    await assertExact()
    assert.equal(await count(), 2)
    await t.advance(10 * 86_400_000)
    await ok(client, 'POST', `/checkout-sessions/token/${left.checkoutToken}/refresh`, {})
    await assertExact()
    assert.notEqual(await deltas(), 0)
    assert.equal(await count({ owners: [shop.identityId] }), 3)
    await t.runJobs()
    assert.equal(await deltas(), 0)
    assert.equal(await count({ owners: [shop.identityId] }), 3)
    await assertExact()
  })

  it('a session that pays several accounts counts once in a list of them', async () => {
    const accounts: string[] = []
    for (const name of ['one', 'two', 'three', 'four']) {
      const account = await ok(client, 'POST', '/accounts', {
        ...{ identityId: shop.identityId, type: 'CHECKING', custody: 'BANK_ACCOUNT', currency: 'CLP', name },
      })
      accounts.push(account.accountNumber)
    }
    const [a = '', b = '', c = '', d = ''] = accounts
    for (const numbers of [[a], [a, b], [b, a], [a, b, c], [c, a, d], [d], [b, c, d, a]]) await split(numbers)
    const cases: [string[], number][] = [
      [[a], 6],
      [[a, b], 6],
      [[b, c], 5],
      [[b, d], 6],
      [[c, d], 4],
      [[b, c, d], 6],
      [[a, c, d], 7],
      [[a, b, c, d], 7],
      [[a, 'nobody'], 6],
      [['nobody'], 0],
    ]
    for (const folded of [false, true]) {
      if (folded) await t.runJobs()
      for (const [filter, expected] of cases) {
        assert.equal(await count({ accounts: filter }), expected, `${filter} folded ${folded}`)
        assert.equal(await count({ accounts: filter, owners: [shop.identityId] }), expected)
        assert.equal(await count({ accounts: filter, owners: ['idn_01k9v3m5x8e2wvq0c7d4n6t1ab'] }), 0)
        const { body } = await client.call(
          'GET',
          `/checkout-sessions?accountNumber=${filter}&limit=100&sort=totalAmount:asc`,
        )
        assert.equal(body.pagination.total, expected)
        assert.equal(new Set(body.results.map((found: { id: string }) => found.id)).size, expected, `${filter}`)
        assert.equal(body.results.length, expected)
      }
      await assertExact()
    }
  })

  it('what commits after a fold that began later is not lost', async () => {
    await t.runJobs()
    const total = await count()
    const [held, written] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    // Draws the earlier number and commits last.
    const open = other.begin(async (tx) => {
      await tx`
        insert into checkout_session_deltas (merchant_id, created_day, owner_identity_id, account_numbers, status, change)
        values (${client.merchantId}, 20000, ${shop.identityId}, '{}', 'FAILED', 5)`
      written.resolve()
      await held.promise
    })
    await written.promise
    await shop.session()
    assert.ok((await foldSessionDeltas(t.ctx.sql, 100)) > 0)
    assert.equal(await count(), total + 1)
    held.resolve()
    await open
    assert.equal(await count(), total + 6)
    assert.equal(await foldSessionDeltas(t.ctx.sql, 100), 1)
    assert.equal(await count(), total + 6)
    await t.ctx.sql`
      insert into checkout_session_deltas (merchant_id, created_day, owner_identity_id, account_numbers, status, change)
      values (${client.merchantId}, 20000, ${shop.identityId}, '{}', 'FAILED', -5)`
  })

  it('folds at once and writes at once count everything once', async () => {
    const folding = Array.from({ length: 3 }, async () => {
      for (let round = 0; round < 20; round++) await foldSessionDeltas(t.ctx.sql, 7)
    })
    const writing = Array.from({ length: 4 }, async () => {
      for (let round = 0; round < 8; round++) {
        const session = await shop.session()
        if (round % 2 === 0) await ok(client, 'DELETE', `/checkout-sessions/${session.id}`)
        else await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, anaPix)
      }
    })
    await Promise.all([...folding, ...writing])
    await assertExact()
    await t.runJobs()
    await assertExact()
  })

  it('another time zone moves every session to its day, while others are made and changed', async () => {
    // 25 hours apart: it is never the same day in both. The merchant's zone before may share its day with either.
    const zones = ['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Pacific/Kiritimati']
    const merchantId = client.merchantId
    await changeTimeZone(t.ctx.sql, { merchantId, timeZone: 'Pacific/Pago_Pago', settleMs: 0 })
    t.ctx.auth.forget(merchantId)
    let done = false
    const writing = Array.from({ length: 2 }, async () => {
      while (!done) {
        const session = await shop.session()
        await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, anaPix)
      }
    })
    for (const timeZone of zones) {
      // Remembered merchants are forgotten all the time: this test does not wait until they expire.
      const forgetting = setInterval(() => t.ctx.auth.forget(merchantId), 20)
      assert.ok((await changeTimeZone(t.ctx.sql, { merchantId, timeZone, settleMs: 500 })) > 0, timeZone)
      clearInterval(forgetting)
    }
    done = true
    await Promise.all(writing)
    const rows = await t.ctx.sql<{ id: string; createdDay: number }[]>`
      select id, created_day from checkout_sessions where merchant_id = ${merchantId} and deleted_at is null`
    assert.ok(rows.length > 10)
    for (const row of rows) assert.equal(row.createdDay, createdDayOf(row.id, 'Pacific/Kiritimati'))
    await assertExact()
    await t.runJobs()
    await assertExact()
  })
})
