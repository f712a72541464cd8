/** Every kind of database owner can start: superuser, `createrole` login, plain login. Or one sentence has the SQL that helps. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { type EmbeddedPostgres, startPostgres } from '@pasarela/postgres-embedded'
import { type Sql, script } from '@pasarela/sql'
import { OperatorError } from '@pasarela/sql/operator-error'
import { openOwner } from '../../test/database.ts'
import { openPool } from './db.ts'
import { migrate } from './migrate.ts'

/** A cluster of its own: the role belongs to all databases of a cluster. */
let cluster: EmbeddedPostgres
let folder: string
let superuser: Sql
/** Databases of this test, and the logins that own them. */
const made = new Set<string>()
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

/** Each test begins on a cluster that has neither the role nor a database of ours. */
afterEach(async () => {
  for (const name of made) await script(superuser, `drop database if exists "${name}" with (force)`)
  await superuser`drop role if exists pasarela_app`
  for (const name of made) await script(superuser, `drop role if exists "${name}"`)
  made.clear()
})

function connect(url: string): Sql {
  return openOwner(url, 1)
}

/** A database with a login that owns it; both have the same name. */
async function makeDatabase(owner: string, options = ''): Promise<string> {
  await script(superuser, `create role "${owner}" login password 'x' ${options}`)
  await script(superuser, `create database "${owner}" owner "${owner}"`)
  made.add(owner)
  const url = new URL(cluster.url)
  url.username = owner
  url.password = 'x'
  url.pathname = `/${owner}`
  return url.href
}

/** Runs a statement of an administrator who is no superuser. */
async function runAs(url: string, statement: string): Promise<void> {
  const sql = connect(url)
  await script(sql, statement)
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

describe('a dump that was restored where the role did not exist', () => {
  const rights = async (url: string) => {
    const sql = connect(url)
    const rows = await sql<{ acl: string }[]>`
      select c.relname || a.privilege_type as acl from pg_class c, aclexplode(c.relacl) a
      where a.grantee = 'pasarela_app'::regrole order by 1`
    await sql.end()
    return rows.map((row) => row.acl)
  }

  test('gets the role and all its rights back at the next start, which reports it once', async () => {
    const url = await makeDatabase('restored', 'createrole')
    await migrate(url)
    const before = await rights(url)
    assert.ok(before.length > 80)
    // What pg_restore leaves: every grant to a role that is missing fails, and is lost.
    const inside = new URL(cluster.url)
    inside.pathname = '/restored'
    await runAs(inside.href, 'drop owned by pasarela_app; drop role pasarela_app')
    const reports: string[] = []
    assert.deepEqual(await migrate(url, undefined, (message) => reports.push(message)), [])
    assert.deepEqual(await rights(url), before)
    await assertWorks(url)
    await migrate(url, undefined, (message) => reports.push(message))
    assert.equal(reports.length, 1)
    assert.match(reports[0] ?? '', /^Repaired the rights of pasarela_app on accounts, api_clients, .+\.$/)
  })

  test('belongs to another login: the sentence names that login, whose start repairs it', async () => {
    const url = await makeDatabase('owning', 'createrole')
    await migrate(url)
    const visitor = new URL(await makeDatabase('visitor'))
    visitor.pathname = '/owning'
    await runAs(
      url,
      'revoke insert on payments from pasarela_app; grant pasarela_app to visitor; grant select on schema_migrations to visitor',
    )
    assert.equal(
      await refusal(visitor.href),
      'The role pasarela_app has wrong rights on payments (select, update; it needs insert, select, update), and this login ' +
        'does not own them. Run pasarela migrate once with the login of "owning".',
    )
    await migrate(url)
    assert.deepEqual(await migrate(visitor.href), [])
    await assertWorks(visitor.href)
  })
})

describe('rights that would let the application rewrite history', () => {
  test('are taken away at the next start', async () => {
    const url = await makeDatabase('lenient', 'superuser')
    await migrate(url)
    await runAs(
      url,
      'grant update, truncate on events to pasarela_app; grant update (number) on ledger_postings to pasarela_app',
    )
    await migrate(url)
    const sql = openPool(url, { max: 1, applicationName: 'owners' })
    for (const statement of [
      'update events set merchant_id = 1',
      'truncate events',
      'update ledger_postings set number = 2',
    ])
      await assert.rejects(() => script(sql, statement), /permission denied/)
    await sql.end()
  })

  test('and that no grant can take away are refused: superuser, ownership, membership, PUBLIC', async () => {
    const url = await makeDatabase('mighty', 'superuser')
    await migrate(url)
    const ways = [
      ['alter role pasarela_app superuser', 'alter role pasarela_app nosuperuser'],
      ['alter table events owner to pasarela_app', 'alter table events owner to mighty'],
      ['grant mighty to pasarela_app with inherit false', 'revoke mighty from pasarela_app'],
      ['grant pg_write_all_data to pasarela_app', 'revoke pg_write_all_data from pasarela_app'],
      ['grant delete on events to public', 'revoke delete on events from public'],
    ]
    for (const [wrong = '', right = ''] of ways) {
      await runAs(url, wrong)
      assert.match(await refusal(url), /^The role pasarela_app keeps wrong rights on .*It must be no superuser/, wrong)
      await runAs(url, right)
      await migrate(url)
      await assertWorks(url)
    }
  })
})

describe('the first start on a database whose owner', () => {
  test('is a superuser creates the role, also when two databases of one cluster do so at once', async () => {
    const urls = [await makeDatabase('super_one', 'superuser'), await makeDatabase('super_two', 'superuser')]
    await Promise.all(urls.map((url) => migrate(url)))
    for (const url of urls) await assertWorks(url)
  })

  test('is a plain login is refused with the SQL for an administrator, and works once that has run', async () => {
    const url = await makeDatabase('plain')
    const sentence = await refusal(url)
    assert.equal(
      sentence,
      'The database login "plain" may not create the role pasarela_app, which the application works as. Ask a superuser to run once: ' +
        'create role pasarela_app nologin; grant pasarela_app to "plain" with set true, inherit false;',
    )
    await script(superuser, sentence.split('run once: ')[1] ?? '')
    await migrate(url)
    await assertWorks(url)
  })

  test('may create roles, as on every managed Postgres, creates it and may work as it', async () => {
    const url = await makeDatabase('manager', 'createrole')
    await migrate(url)
    await assertWorks(url)
    assert.deepEqual(await migrate(url), [], 'the second start changes nothing')
  })

  test('did not create the role of the cluster is told who may grant it', async () => {
    const creator = await makeDatabase('first', 'createrole')
    await migrate(creator)
    const url = await makeDatabase('second', 'createrole')
    const sentence = await refusal(url)
    assert.match(sentence, /^The database login "second" may neither work as the role pasarela_app nor grant/)
    const [, who, sql] = /Ask (.+) to run once: (.+)$/.exec(sentence) ?? []
    assert.equal(who, 'a superuser or first')
    await runAs(creator, sql ?? '')
    await migrate(url)
    await assertWorks(url)
  })

  test('lost the right later, is refused in the same words and not by a failing connection', async () => {
    const url = await makeDatabase('third')
    await superuser`create role pasarela_app nologin`
    await superuser`grant pasarela_app to third`
    await migrate(url)
    await superuser`revoke pasarela_app from third`
    assert.match(await refusal(url), /^The database login "third" may neither work as the role pasarela_app/)
  })

  test('has a name that needs quotes gets SQL that can be run as it stands', async () => {
    const url = await makeDatabase('My-Shop')
    const sentence = await refusal(url)
    await script(superuser, sentence.split('run once: ')[1] ?? '')
    await migrate(url)
    await assertWorks(url)
  })
})
