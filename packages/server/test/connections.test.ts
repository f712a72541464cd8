/** Whatever a database, its roles or a pooler set, a connection works as Pasarela relies on, or one sentence says why it cannot. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { openPool, type Sql, script } from '@pasarela/sql'
import { OperatorError } from '@pasarela/sql/operator-error'
import { type FreshDatabase, freshDatabase, openOwner } from './database.ts'
import { startTestApp } from './harness.ts'
import { openPooler } from './pooler.ts'
import { makeShop, ok, pixOf } from './shop.ts'
import { openWire, through } from './wire.ts'

let database: FreshDatabase
beforeEach(async () => {
  database = await freshDatabase()
})
afterEach(() => database.drop())

/** Sets something for all new sessions of the database. */
async function prefer(url: string, setting: string): Promise<void> {
  const owner = openOwner(url, 1)
  await script(owner, `alter database ${new URL(url).pathname.slice(1)} set ${setting}`)
  await owner.end()
}

async function withPool<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = openPool(url, { max: 2, applicationName: 'test' })
  try {
    return await work(sql)
  } finally {
    await sql.end()
  }
}

/** What a session must be, as the server says. */
const stateOf = async (sql: Sql) =>
  sql`select current_user::text as role, current_setting('transaction_isolation') as isolation,
    current_setting('synchronous_commit') as commit, current_setting('search_path') as path,
    current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
    current_setting('idle_in_transaction_session_timeout') as idle, current_setting('client_encoding') as encoding,
    '2026-03-04 05:06:07+00'::timestamptz::text as date, '\\x00ff'::bytea::text as bytes, 'a\\b' as backslash`

const expected = [
  {
    role: 'pasarela_app',
    isolation: 'read committed',
    commit: 'on',
    path: 'public',
    statement: '20s',
    lock: '10s',
    idle: '30s',
    encoding: 'UTF8',
    date: '2026-03-04 05:06:07+00',
    bytes: '\\x00ff',
    backslash: 'a\\b',
  },
]

const settings = [
  "default_transaction_isolation = 'serializable'",
  "datestyle = 'SQL, DMY'",
  "bytea_output = 'escape'",
  'synchronous_commit = off',
  'search_path = pg_catalog',
  "timezone = 'America/Lima'",
  "client_encoding = 'LATIN1'",
  'standard_conforming_strings = off',
  'statement_timeout = 0',
  'lock_timeout = 0',
  'idle_in_transaction_session_timeout = 0',
]
for (const setting of settings) {
  test(`a database with ${setting} does not change what a session is`, async () => {
    await prefer(database.url, setting)
    assert.deepEqual(await withPool(database.url, stateOf), expected)
  })
}

test('the product works on a database with all of these at once', async () => {
  const t = await startTestApp()
  try {
    for (const setting of settings.slice(0, 8)) await prefer(t.databaseUrl, setting)
    await t.ctx
      .sql`select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()`.catch(
      () => undefined,
    )
    const shop = await makeShop(t.client)
    const session = await shop.session()
    await ok(t.client, 'POST', `/checkout-sessions/${session.id}/payments`, pixOf())
    await t.advance(10_000)
    assert.equal((await ok(t.client, 'GET', `/checkout-sessions/${session.id}`)).status, 'FINISHED')
  } finally {
    await t.close()
  }
})

describe('a connection that cannot be set up is refused in one sentence', () => {
  const refused = (work: Promise<unknown>, reason: RegExp) =>
    assert.rejects(
      work,
      (error) => error instanceof OperatorError && reason.test(error.message) && !/\n/.test(error.message),
    )

  test('where the login may not work as the application', async () => {
    const owner = openOwner(database.url, 1)
    const login = `nobody_${process.pid}`
    await script(owner, `create role ${login} login password 'x'`)
    const url = new URL(database.url)
    url.username = login
    url.password = 'x'
    await refused(withPool(url.href, stateOf), /does not let a connection be set up.*permission denied to set role/)
    await script(owner, `drop role ${login}`)
    await owner.end()
  })

  test('where something on the way drops what it is set to', async () => {
    // The same length, and a setting that nothing depends on.
    const wire = await openWire(Number(new URL(database.url).port), {
      sent: replace('set synchronous_commit', 'set pasarela.ignored     '),
    })
    await prefer(database.url, 'synchronous_commit = off')
    await refused(withPool(through(wire, database.url), stateOf), /synchronous_commit = on and has off.*drops SET/)
    await wire.close()
  })

  test('where a pooler gives each transaction another session, with one connection or several', async () => {
    const pooler = await openPooler(Number(new URL(database.url).port))
    await refused(withPool(through(pooler, database.url), stateOf), /transaction mode.*session mode/)
    await pooler.close()
  })
})

function replace(from: string, to: string) {
  return (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace(from, to.slice(0, from.length)), 'latin1')
}
