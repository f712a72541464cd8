/** Migrations: complete, repeatable, safe in many processes at once, and refused when history was rewritten. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Sql, script } from '@pasarela/sql'
import { emptyDatabase, type FreshDatabase, openOwner } from '../../test/database.ts'
import { listMigrations, migrate } from './migrate.ts'

describe('migrate', () => {
  let database: FreshDatabase
  let folder: string
  let sql: Sql

  before(async () => {
    database = await emptyDatabase()
    sql = openOwner(database.url, 2)
    folder = mkdtempSync(join(tmpdir(), 'pasarela-migrations-'))
  })
  after(async () => {
    await sql.end()
    await database.drop()
    rmSync(folder, { recursive: true })
  })

  it('does nothing where there are no migrations yet', async () => {
    assert.deepEqual(await migrate(database.url, folder), [])
  })

  it('runs each file once, although eight processes start at the same moment', async () => {
    writeFileSync(join(folder, '0001_first.sql'), 'create table first (id int); insert into first values (1);')
    writeFileSync(join(folder, '0002_second.sql'), 'create table second (id int);')
    const runs = await Promise.all(Array.from({ length: 8 }, () => migrate(database.url, folder)))
    assert.deepEqual(runs.flat().sort(), ['first', 'second'])
    assert.equal((await sql`select * from first`).length, 1)
    assert.deepEqual(await migrate(database.url, folder), [])
  })

  it('records the version, name, checksum and time of what ran', async () => {
    const rows = await sql`select version::int, name, md5, now() - run_at < '1 minute' as recent from schema_migrations`
    const expected = listMigrations(folder).map(({ version, name, md5 }) => ({ version, name, md5, recent: true }))
    assert.deepEqual([...rows], expected)
  })

  it('goes on in a database that the earlier runner migrated', async () => {
    await sql`insert into schema_migrations (version) values (0)`
    assert.deepEqual(await migrate(database.url, folder), [])
  })

  it('leaves nothing of a migration that fails midway, and goes on from there once it is corrected', async () => {
    writeFileSync(join(folder, '0003_third.sql'), 'create table third (id int); select 1 / 0;')
    await assert.rejects(migrate(database.url, folder), /division by zero/)
    assert.equal((await sql`select to_regclass('third') as name`)[0]?.name, null)
    writeFileSync(join(folder, '0003_third.sql'), 'create table third (id int);')
    assert.deepEqual(await migrate(database.url, folder), ['third'])
  })

  it('gives up on a table that stays locked, while others wait for their turn as long as it takes', async () => {
    writeFileSync(join(folder, '0004_fourth.sql'), 'alter table first add column more int;')
    const ended: string[] = []
    const record = (end: string) => ended.push(end)
    const runs = await sql.begin(async (tx) => {
      await tx`lock table first in access exclusive mode`
      const both = [0, 1].map(() =>
        migrate(database.url, folder).then(
          (names) => record(names.join()),
          (error) => record(error.message),
        ),
      )
      await Promise.race(both)
      return { both }
    })
    await Promise.all(runs.both)
    assert.deepEqual(ended, ['canceling statement due to lock timeout', 'fourth'])
  })

  it('migrates the schema public, whatever search_path the database prefers', async () => {
    await script(
      sql,
      `create schema elsewhere; alter database ${new URL(database.url).pathname.slice(1)} set search_path = elsewhere`,
    )
    writeFileSync(join(folder, '0005_fifth.sql'), 'create table fifth (id int);')
    assert.deepEqual(await migrate(database.url, folder), ['fifth'])
    assert.equal((await sql`select to_regclass('public.fifth')::text as name`)[0]?.name, 'fifth')
  })

  it('refuses when a migration that ran was changed afterwards', async () => {
    writeFileSync(join(folder, '0001_first.sql'), 'create table first (id bigint);')
    await assert.rejects(migrate(database.url, folder), /Migration first \(1\) was changed after it had run here/)
    writeFileSync(join(folder, '0001_first.sql'), 'create table first (id int); insert into first values (1);')
  })

  it('refuses a migration that was put in below one that ran, which would never run', async () => {
    writeFileSync(join(folder, '0007_seventh.sql'), 'create table seventh (id int);')
    assert.deepEqual(await migrate(database.url, folder), ['seventh'])
    writeFileSync(join(folder, '0006_sixth.sql'), 'create table sixth (id int);')
    await assert.rejects(migrate(database.url, folder), /Migration sixth \(6\) was added below 7/)
    rmSync(join(folder, '0006_sixth.sql'))
  })

  it('refuses a database that is newer than the program', async () => {
    rmSync(join(folder, '0007_seventh.sql'))
    await assert.rejects(migrate(database.url, folder), /has migration 7, which this Pasarela does not know/)
  })
})

it('migrations are numbered 1, 2, 3 without gaps', () => {
  const versions = listMigrations().map((migration) => migration.version)
  assert.deepEqual(
    versions,
    versions.map((_, index) => index + 1),
  )
})
