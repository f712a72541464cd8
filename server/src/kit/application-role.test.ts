/** Every kind of database owner can start: superuser, `createrole` login, plain login. Or one sentence has the SQL that helps. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import postgres from 'postgres'
import { openPool } from './db.ts'
import { type EmbeddedPostgres, startPostgres } from './embedded-postgres.ts'
import { migrate } from './migrate.ts'
import { OperatorError } from './operator-error.ts'

/** A cluster of its own: the role belongs to all databases of a cluster. */
let cluster: EmbeddedPostgres
let folder: string
let superuser: postgres.Sql
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pasarela-owners-'))
  cluster = await startPostgres({ dataDir: join(folder, 'data'), settings: { fsync: 'off', autovacuum: 'off' } })
  superuser = connect(cluster.url)
})
after(async () => {
  await superuser.end()
  await cluster.stop()
  rmSync(folder, { recursive: true, force: true })
})

function connect(url: string): postgres.Sql {
  return postgres(url, { max: 1, onnotice: () => undefined })
}

/** A database with a login that owns it; both have the same name. */
async function makeDatabase(owner: string, options = ''): Promise<string> {
  await superuser.unsafe(`create role "${owner}" login password 'x' ${options}`)
  await superuser.unsafe(`create database "${owner}" owner "${owner}"`)
  const url = new URL(cluster.url)
  url.username = owner
  url.password = 'x'
  url.pathname = `/${owner}`
  return url.href
}

async function dropDatabase(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1)
  await superuser.unsafe(`drop database ${name} with (force)`)
  await superuser.unsafe(`drop role ${name}`)
}

/** Runs a statement of an administrator who is no superuser. */
async function runAs(url: string, statement: string): Promise<void> {
  const sql = connect(url)
  await sql.unsafe(statement)
  await sql.end()
}

async function refusal(url: string): Promise<string> {
  const error = await migrate(url).then(
    () => assert.fail('it was not refused'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof OperatorError, String(error))
  assert.doesNotMatch(error.message, /\n/)
  return error.message
}

/** Whether the application works, as its own role, on what was migrated. */
async function assertWorks(url: string): Promise<void> {
  const sql = openPool(url, { max: 1, applicationName: 'owners' })
  const [row] = await sql`select current_user::text as name, (select count(*)::int from merchants) as merchants`
  assert.deepEqual({ ...row }, { name: 'pasarela_app', merchants: 0 })
  await sql.end()
}

describe('the first start on a database whose owner', () => {
  test('is a superuser creates the role, also when two databases of one cluster do so at once', async () => {
    const urls = [await makeDatabase('super_one', 'superuser'), await makeDatabase('super_two', 'superuser')]
    await Promise.all(urls.map((url) => migrate(url)))
    for (const url of urls) await assertWorks(url)
    for (const url of urls) await dropDatabase(url)
    await superuser`drop role pasarela_app`
  })

  test('is a plain login is refused with the SQL for an administrator, and works once that has run', async () => {
    const url = await makeDatabase('plain')
    const sentence = await refusal(url)
    assert.equal(
      sentence,
      'The database login "plain" may not create the role pasarela_app, which the application works as. Ask a superuser to run once: ' +
        'create role pasarela_app nologin; grant pasarela_app to "plain" with set true, inherit false;',
    )
    await superuser.unsafe(sentence.split('run once: ')[1] ?? '')
    await migrate(url)
    await assertWorks(url)
    await dropDatabase(url)
    await superuser`drop role pasarela_app`
  })

  test('may create roles, as on every managed Postgres, creates it and may work as it', async () => {
    const url = await makeDatabase('first', 'createrole')
    await migrate(url)
    await assertWorks(url)
    assert.deepEqual(await migrate(url), [], 'the second start changes nothing')
  })

  test('did not create the role of the cluster is told who may grant it', async () => {
    const url = await makeDatabase('second', 'createrole')
    const sentence = await refusal(url)
    assert.match(sentence, /^The database login "second" may neither work as the role pasarela_app nor grant/)
    const [, who, sql] = /Ask (.+) to run once: (.+)$/.exec(sentence) ?? []
    assert.equal(who, 'a superuser or first')
    const creator = new URL(url)
    creator.username = 'first'
    creator.pathname = '/first'
    await runAs(creator.href, sql ?? '')
    await migrate(url)
    await assertWorks(url)
  })

  test('lost the right later, is refused in the same words and not by a failing connection', async () => {
    const url = await makeDatabase('third')
    await superuser`grant pasarela_app to third`
    await migrate(url)
    await superuser`revoke pasarela_app from third`
    assert.match(await refusal(url), /^The database login "third" may neither work as the role pasarela_app/)
  })

  test('has a name that needs quotes gets SQL that can be run as it stands', async () => {
    const url = await makeDatabase('My-Shop')
    const sentence = await refusal(url)
    await superuser.unsafe(sentence.split('run once: ')[1] ?? '')
    await migrate(url)
    await assertWorks(url)
  })
})
