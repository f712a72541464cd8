/** Databases for tests: each test file works on its own clone of a migrated template. */
import { randomBytes } from 'node:crypto'
import { openPool, type Sql, script } from '@pasarela/sql'
import { migrate } from '../src/kit/migrate.ts'

/** Where `npm test` tells its files the URL of the cluster. */
export const urlVariable = 'PASARELA_TEST_DATABASE_URL'
const template = 'pasarela_template'

export type FreshDatabase = { url: string; drop(): Promise<void> }

/** Migrates the template that every file's database is a clone of. */
export async function makeTemplate(clusterUrl: string): Promise<void> {
  await withSession(clusterUrl, (sql) => script(sql, `create database ${template}`))
  await migrate(inDatabase(clusterUrl, template))
  // Cloning needs a template that nobody is connected to.
  await withSession(clusterUrl, (sql) =>
    script(sql, `alter database ${template} with is_template true allow_connections false`),
  )
}

/** A database of one's own with the newest schema and nothing in it; drop it when the file is done. */
export async function freshDatabase(): Promise<FreshDatabase> {
  return createDatabase(`template ${template}`)
}

/** A database without any schema, for tests of the migrations themselves. */
export async function emptyDatabase(): Promise<FreshDatabase> {
  return createDatabase('')
}

/** URL of the cluster of this run. */
export function clusterUrl(): string {
  const url = process.env[urlVariable]
  if (!url) throw new Error('No test database: run the file with npm test -- path/to/file.test.ts')
  return url
}

async function createDatabase(how: string): Promise<FreshDatabase> {
  const cluster = clusterUrl()
  const name = `test_${randomBytes(8).toString('hex')}`
  await withSession(cluster, (sql) => script(sql, `create database ${name} ${how}`))
  return {
    url: inDatabase(cluster, name),
    drop: () => withSession(cluster, (sql) => script(sql, `drop database if exists ${name} with (force)`)),
  }
}

function inDatabase(clusterUrl: string, name: string): string {
  const url = new URL(clusterUrl)
  url.pathname = `/${name}`
  return url.href
}

/** A pool that works as the database's owner, without a limit of time. */
export function openOwner(url: string, max = 2): Sql {
  return openPool(url, { max, applicationName: 'test', asApplication: false, statementTimeoutMs: 0 })
}

async function withSession(url: string, work: (sql: Sql) => PromiseLike<unknown>): Promise<void> {
  const sql = openOwner(url, 1)
  try {
    await work(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}
