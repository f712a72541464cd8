/** One clock for all processes: the database's, whatever the computer's own says. */
import assert from 'node:assert/strict'
import { after, before, describe, it, mock } from 'node:test'
import { type FreshDatabase, freshDatabase } from '../../test/database.ts'
import { startTestApp, type TestApp } from '../../test/harness.ts'
import { makeShop, ok, pixOf } from '../../test/shop.ts'
import { betterOf, databaseClock } from './clock.ts'
import { openPool, type Sql } from './db.ts'

const hour = 3_600_000
const minute = 60_000

/** Lets the computer's clock be wrong by so much while `work` runs; timers go on as they were. */
async function withWrongClock<T>(byMs: number, work: () => Promise<T>): Promise<T> {
  mock.timers.enable({ apis: ['Date'], now: Date.now() + byMs })
  try {
    return await work()
  } finally {
    mock.timers.reset()
  }
}

describe('the clock of a process', () => {
  let database: FreshDatabase
  let sql: Sql
  before(async () => {
    database = await freshDatabase()
    sql = openPool(database.url, { max: 1, applicationName: 'test' })
  })
  after(async () => {
    await sql.end()
    await database.drop()
  })

  it("is the database's to within a round trip, though the computer's is an hour wrong", async () => {
    for (const wrongBy of [hour, -hour]) {
      await withWrongClock(wrongBy, async () => {
        const clock = await databaseClock(sql, (error) => assert.fail(String(error)))
        const earliest = await databaseMs(sql)
        const nowMs = clock.nowMs()
        const latest = await databaseMs(sql)
        clock.close?.()
        // A busy machine answers late; an hour is what must not be seen.
        assert.ok(Math.abs(Date.now() - earliest) > hour - minute, 'the test does not make the clock wrong')
        assert.ok(nowMs > earliest - 1000 && nowMs < latest + 1000, `${nowMs} is not in ${earliest}..${latest}`)
      })
    }
  })

  it('takes a newer reading unless it is less exact, and always when the clock was set', () => {
    const known = { timerMs: 1000, databaseMs: 1_000_000, errorMs: 1 }
    const exact = { timerMs: 6000, databaseMs: 1_005_002, errorMs: 2 }
    const slow = { timerMs: 6000, databaseMs: 1_005_300, errorMs: 400 }
    const set = { timerMs: 6000, databaseMs: 1_005_000 - hour, errorMs: 400 }
    assert.equal(betterOf(known, exact), exact)
    assert.equal(betterOf(known, slow), known)
    assert.equal(betterOf(known, set), set)
    assert.equal(betterOf({ ...known, timerMs: -1_000_000, databaseMs: -1000 }, slow), slow, 'an old reading wears out')
  })
})

describe("a process whose computer's clock is wrong", () => {
  const apps: TestApp[] = []
  after(async () => {
    for (const app of apps) await app.close()
  })

  for (const wrongBy of [hour, -hour]) {
    it(`by ${wrongBy / minute} minutes leaves no time on record that is wrong: nothing waits for it to be right`, async () => {
      const t = await withWrongClock(wrongBy, async () => {
        const app = await startTestApp({ ownClock: false })
        apps.push(app)
        const { client } = app
        const shop = await makeShop(client, ['BRL'])
        // Nobody listens: each try fails and is put off.
        await ok(client, 'POST', '/webhook-endpoints', { url: 'http://127.0.0.1:9/hook', eventTypes: ['*'] })
        const session = await shop.session({ duration: 1200 })
        const headers = { 'idempotency-key': 'one' }
        await client.call('POST', `/checkout-sessions/${session.id}/payments`, pixOf('ana+silent@example.com'), {
          headers,
        })
        const link = await ok(client, 'POST', '/payment-links', shop.body({ active: true, duration: 1200 }))
        await ok(client, 'POST', `/payment-links/${link.id}/deactivate`)
        await app.runJobs()
        return app
      })
      const queues = await t.ctx.sql<{ waitsMs: number }[]>`
        select extract(epoch from due_at - clock_timestamp())::float8 * 1000 as waits_ms from webhook_queues where due_at is not null`
      assert.ok(queues.length > 0)
      for (const { waitsMs } of queues) assert.ok(waitsMs < minute, `a webhook waits ${waitsMs} ms`)
      assert.deepEqual(await wrongTimes(t.ctx.sql), [])
    })
  }
})

async function databaseMs(sql: Sql): Promise<number> {
  const [row] = await sql<{ ms: number }[]>`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`
  return row?.ms ?? 0
}

/** Every time in the database that is more than half an hour from now, as `table.column`. */
async function wrongTimes(sql: Sql): Promise<string[]> {
  const columns = await sql<{ name: string; column: string }[]>`
    select table_name as name, column_name as column from information_schema.columns
    where table_schema = 'public' and data_type = 'timestamp with time zone' and table_name <> 'schema_migrations'`
  assert.ok(columns.length > 50)
  const wrong: string[] = []
  for (const { name, column } of columns) {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count from ${sql(name)}
      where isfinite(${sql(column)}) and abs(extract(epoch from ${sql(column)} - clock_timestamp())) > 1800`
    if (row?.count) wrong.push(`${name}.${column}`)
  }
  return wrong
}
