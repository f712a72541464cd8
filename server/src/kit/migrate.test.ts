/** Migrations: complete, repeatable, safe in many processes at once, and refused when history was rewritten. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import postgres from 'postgres'
import { emptyDatabase, type FreshDatabase } from '../../test/database.ts'
import { listMigrations, migrate } from './migrate.ts'

describe('migrate', () => {
  let database: FreshDatabase
  let folder: string
  let sql: postgres.Sql

  before(async () => {
    database = await emptyDatabase()
    sql = postgres(database.url, { max: 2, onnotice: () => undefined })
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
    assert.deepEqual(
      runs.filter((names) => names.length > 0),
      [['first', 'second']],
    )
    assert.equal((await sql`select * from first`).length, 1)
    assert.deepEqual(await migrate(database.url, folder), [])
  })

  it('leaves nothing of a migration that fails midway, and goes on from there once it is mended', async () => {
    writeFileSync(join(folder, '0003_third.sql'), 'create table third (id int); select 1 / 0;')
    await assert.rejects(migrate(database.url, folder), /division by zero/)
    assert.equal((await sql`select to_regclass('third') as name`)[0]?.name, null)
    writeFileSync(join(folder, '0003_third.sql'), 'create table third (id int);')
    assert.deepEqual(await migrate(database.url, folder), ['third'])
  })

  it('refuses when a migration that ran was changed afterwards', async () => {
    writeFileSync(join(folder, '0001_first.sql'), 'create table first (id bigint);')
    await assert.rejects(migrate(database.url, folder), /Migration first \(1\) was changed after it had run here/)
    writeFileSync(join(folder, '0001_first.sql'), 'create table first (id int); insert into first values (1);')
  })

  it('refuses a migration that was put in below one that ran, which would never run', async () => {
    writeFileSync(join(folder, '0005_fifth.sql'), 'create table fifth (id int);')
    assert.deepEqual(await migrate(database.url, folder), ['fifth'])
    writeFileSync(join(folder, '0004_fourth.sql'), 'create table fourth (id int);')
    await assert.rejects(migrate(database.url, folder), /Migration fourth \(4\) was added below 5/)
    rmSync(join(folder, '0004_fourth.sql'))
  })

  it('refuses a database that is newer than the program', async () => {
    rmSync(join(folder, '0005_fifth.sql'))
    await assert.rejects(migrate(database.url, folder), /has migration 5, which this Pasarela does not know/)
  })
})

it('migrations are numbered 1, 2, 3 without gaps', () => {
  const versions = listMigrations().map((migration) => migration.version)
  assert.deepEqual(
    versions,
    versions.map((_, index) => index + 1),
  )
})
