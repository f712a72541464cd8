/** Retention: what is old and over goes, what is young, under way, refundable or waited for stays, and the ledger keeps every posting. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { funds } from '../../test/proof.ts'
import { makeShop, ok, pixOf, type Shop } from '../../test/shop.ts'
import type { Call } from '../commands/command.ts'
import { run } from '../commands/retention.ts'
import { openPool, type Sql } from '../kit/db.ts'
import { idFloor } from '../kit/id.ts'
import { ledgerFaults } from '../ledger/balances.ts'
import { forgetSlice, fromTheStart } from './forget-sessions.ts'
import { findCandidates, lockUnchanged } from './store.ts'

const dayMs = 24 * 3_600_000

let t: TestApp
let shop: Shop
let owner: Sql
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client, ['BRL'])
  owner = openPool(t.databaseUrl, { max: 4, applicationName: 'retention', asApplication: false })
})
after(async () => {
  await owner?.end()
  await t.close()
})

async function paid(tag = '', change: Record<string, unknown> = {}): Promise<Body> {
  const session = await shop.session(change)
  const payment = await ok(
    t.client,
    'POST',
    `/checkout-sessions/${session.id}/payments`,
    pixOf(`ana${tag}@example.com`),
  )
  return { session, payment }
}

function rule(days: number, refundableDays = days, slice = 3) {
  const now = t.ctx.clock.nowMs()
  return {
    merchantId: t.client.merchantId,
    before: new Date(now - days * dayMs),
    refundableSince: new Date(now - refundableDays * dayMs),
    slice,
  }
}

/** All slices, one after the other. */
async function forget(given = rule(60), dry = false): Promise<{ sessions: number; payments: number; stayed: number }> {
  const sum = { sessions: 0, payments: 0, stayed: 0 }
  for (let from: string | undefined = fromTheStart; from !== undefined; ) {
    const done = await forgetSlice(owner, given, from, dry)
    for (const what of ['sessions', 'payments', 'stayed'] as const) sum[what] += done[what]
    from = done.after
  }
  return sum
}

/** Lets the banks settle and short sessions expire, each at its own time, and then days go by. */
async function grow(days: number): Promise<void> {
  for (const ms of [2_000, 4_000, 10_000, 60_000, 60_000, 3_600_000, 3_600_000]) await t.advance(ms)
  await t.advance(days * dayMs)
}

const isThere = async (id: string) => (await t.client.call('GET', `/checkout-sessions/${id}`)).status === 200
const total = async () => (await t.client.call('GET', '/checkout-sessions')).body.pagination.total

const postings = () =>
  owner`select * from ledger_postings where merchant_id = ${t.client.merchantId} order by entry_id, number`

test('old sessions go with their payments and accounts; young ones, and all postings and balances, stay', async () => {
  const finished = await paid()
  const declined = await paid('+declined', { duration: 60 })
  const abandoned = await shop.session({ duration: 60 })
  const deleted = await shop.session()
  await t.client.call('DELETE', `/checkout-sessions/${deleted.id}`)
  await grow(61)
  const young = await shop.session({ duration: 60 })
  const youngPaid = await paid()
  await t.advance(10_000)
  const [before, sums, shown] = [await postings(), await funds(t.client, shop), await total()]

  assert.deepEqual(await forget(rule(60), true), { sessions: 4, payments: 0, stayed: 0 })
  assert.equal(await total(), shown, 'a dry run changes nothing')
  assert.deepEqual(await forget(), { sessions: 4, payments: 2, stayed: 0 })

  for (const id of [finished.session.id, declined.session.id, abandoned.id, deleted.id]) assert.ok(!(await isThere(id)))
  for (const id of [young.id, youngPaid.session.id]) assert.ok(await isThere(id))
  assert.equal(await total(), shown - 3)
  assert.equal((await t.client.call('GET', `/payments/${finished.payment.id}`)).status, 404)
  assert.equal((await t.client.call('POST', `/payments/${finished.payment.id}/refund`, {})).status, 404)
  assert.equal((await t.app.inject({ method: 'GET', url: new URL(finished.session.url).pathname })).statusCode, 404)
  const [accounts] = await owner`
    select count(*)::int as rows from checkout_session_accounts where merchant_id = ${t.client.merchantId}`
  assert.equal(accounts?.rows, 2)
  assert.deepEqual([...(await postings())], [...before])
  assert.deepEqual(await funds(t.client, shop), sums)
  assert.deepEqual(await ledgerFaults(t.ctx.sql), [])
  assert.deepEqual(await forget(), { sessions: 0, payments: 0, stayed: 0 }, 'again: nothing is left')
})

test('the reference of a forgotten session may be used again, and names the new one', async () => {
  const first = await shop.session({ checkoutToken: 'invoice-1', duration: 60 })
  await grow(61)
  assert.equal(
    (await t.client.call('POST', '/checkout-sessions', shop.body({ checkoutToken: 'invoice-1' }))).status,
    409,
  )
  await forget()
  const second = await shop.session({ checkoutToken: 'invoice-1' })
  assert.notEqual(second.id, first.id)
})

describe('what something still waits for stays', () => {
  test('a payment that may be refunded, until its time is over or it was refunded', async () => {
    const kept = await paid()
    const refunded = await paid()
    for (const ms of [2_000, 4_000]) await t.advance(ms)
    await ok(t.client, 'POST', `/payments/${refunded.payment.id}/refund`, {})
    await grow(61)
    await forget(rule(60, 90))
    assert.ok(await isThere(kept.session.id))
    assert.ok(!(await isThere(refunded.session.id)), 'the refund went with its payment')
    await t.advance(30 * dayMs)
    await forget(rule(60, 90))
    assert.ok(!(await isThere(kept.session.id)))
    assert.deepEqual(await ledgerFaults(t.ctx.sql), [])
  })

  test('money that is held, and money that a person decided on', async () => {
    await ok(t.client, 'PUT', '/late-money-policies', { default: 'hold', rails: [] })
    const decided = await paid('+late', { duration: 60 })
    const held = await paid('+late', { duration: 60 })
    await grow(0)
    const { body } = await t.client.call('GET', `/payments?checkoutSessionId=${decided.session.id}&attention=true`)
    const decision = { decision: 'accept', reason: 'Shipped.' }
    await ok(t.client, 'POST', `/payments/${body.results[0].id}/resolve`, decision)
    await grow(61)
    await forget()
    assert.ok(await isThere(decided.session.id))
    assert.ok(await isThere(held.session.id))
    await ok(t.client, 'PUT', '/late-money-policies', { default: 'accept', rails: [] })
  })

  test('a session whose event waits for an endpoint, with that event; an older session of a chain while a newer one stays', async () => {
    const endpoint = await ok(t.client, 'POST', '/webhook-endpoints', {
      url: 'http://127.0.0.1:9/hook',
      format: 'standard',
      eventTypes: ['*'],
    })
    const told = await shop.session({ duration: 60 })
    await t.runJobs()
    await ok(t.client, 'PATCH', `/webhook-endpoints/${endpoint.id}`, { status: 'PAUSED' })
    const first = await shop.session({ duration: 60 })
    await t.advance(61_000)
    await owner`delete from webhook_deliveries where stream_id = ${first.id}`
    await t.advance(50 * dayMs)
    const second = await ok(t.client, 'POST', `/checkout-sessions/token/${first.checkoutToken}/refresh`, {})
    await t.advance(50 * dayMs)
    await forget()
    assert.ok(await isThere(told.id))
    const events = await owner`select 1 from events where stream_id = ${told.id}`
    assert.ok(events.length > 0)
    assert.ok(await isThere(first.id))
    assert.ok(await isThere(second.id))
    await ok(t.client, 'DELETE', `/webhook-endpoints/${endpoint.id}`)
    await t.advance(2 * 3_600_000)
  })

  test('a session that is changed between being found and being locked', async () => {
    const session = await shop.session({ duration: 60 })
    await grow(200)
    const given = rule(60)
    const window = {
      ...given,
      after: fromTheStart,
      madeBefore: idFloor('checkoutSession', given.before.getTime()),
      most: 100,
    }
    const found = (await findCandidates(owner, t.client.merchantId, window)).filter((one) => one.id === session.id)
    assert.equal(found[0]?.goes, true)
    await ok(t.client, 'POST', `/checkout-sessions/token/${session.checkoutToken}/refresh`, {})
    assert.deepEqual(await lockUnchanged(owner, t.client.merchantId, found), [])
  })
})

test('several at once forget each session once', async () => {
  await grow(61)
  // A chain of sessions takes a run for each of them.
  while ((await forget()).sessions > 0);
  for (let n = 0; n < 20; n++) await shop.session({ duration: 60 })
  await grow(61)
  const given = rule(60, 60, 4)
  const done = await Promise.all([forget(given), forget(given), forget(given), forget(given)])
  assert.equal(
    done.reduce((sum, one) => sum + one.sessions, 0),
    20,
  )
})

describe('the command', () => {
  const call = (values: Record<string, string | true>) =>
    run({ config: { databaseUrl: t.databaseUrl }, values, words: [], name: 'retention' } as unknown as Call)

  test('counts only, unless it is told --yes; then it archives what goes', async () => {
    // The command goes by real time, and the sessions of this file were made by a clock that is ahead.
    await owner`update merchants set clock_offset_ms = ${t.ctx.clock.nowMs() - Date.now()}::bigint where mode = 'sandbox'`
    const session = await shop.session({ duration: 60 })
    await owner`
      update checkout_sessions set id = ${idFloor('checkoutSession', Date.now())}, updated_at = now() - interval '1 year',
        status = 'EXPIRED', expires_at = created_at where id = ${session.id}`
    const folder = mkdtempSync(join(tmpdir(), 'archive-'))
    const values = {
      'sessions-older-than-days': '60',
      'events-older-than-days': '60',
      'archive-to': folder,
      'pause-ms': '1',
    }
    const shown = await total()
    await call(values)
    assert.equal(await total(), shown)
    assert.deepEqual(readdirSync(folder), [])
    await call({ ...values, yes: true })
    assert.ok((await total()) < shown)
    const [file = ''] = readdirSync(folder)
    const lines = readFileSync(join(folder, file), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const archived = lines.find(
      (line) => line.table === 'checkout_sessions' && line.row.checkout_token === session.checkoutToken,
    )
    assert.equal(archived.row.total_minor, 1190)
    assert.deepEqual(await ledgerFaults(t.ctx.sql), [])
  })

  test('asks what is old, and keeps at least 30 days', async () => {
    await assert.rejects(call({}), /Say what is old/)
    await assert.rejects(call({ 'sessions-older-than-days': '29' }), /at least 30 days are kept/)
    await assert.rejects(call({ 'sessions-older-than-days': 'x' }), /whole number above zero/)
  })
})
