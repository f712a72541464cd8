/** Brings a database to the newest schema: plain SQL, numbered, forwards only, one transaction each, one process at a time. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type Postgrator from 'postgrator'
import postgres from 'postgres'
import { OperatorError } from './operator-error.ts'

export type MigrationFile = { version: number; name: string; file: string; md5: string }

const ourMigrations = fileURLToPath(new URL('../../migrations/', import.meta.url))
/** Where postgrator keeps what ran: version, name, checksum and time. */
export const schemaTable = 'schema_migrations'
/** Holds back every other process that wants to migrate the same database. */
const lockKey = 7_271_528
/** A migration that waits longer for a lock gives up, rather than hold up the traffic that queues behind it. */
const lockTimeoutMs = 5_000

/** The migrations in a folder, `NNNN_name.sql`, in order. */
export function listMigrations(folder = ourMigrations): MigrationFile[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  return files.map((name) => {
    const match = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(name)
    if (!match?.[1] || !match[2]) throw new Error(`the migration ${name} is not called NNNN_name.sql`)
    const file = join(folder, name)
    const md5 = createHash('md5').update(readFileSync(file, 'utf8'), 'utf8').digest('hex')
    return { version: Number(match[1]), name: match[2], file, md5 }
  })
}

/**
 * Runs what has not run yet and resolves with the names of what ran. Safe in many processes at once. Throws an OperatorError
 * when a migration that ran has another text now, or the database is newer than this program.
 */
export async function migrate(url: string, folder = ourMigrations): Promise<string[]> {
  const files = listMigrations(folder)
  const sql = postgres(url, {
    max: 1,
    max_lifetime: null,
    connection: { application_name: 'pasarela migrate' },
    onnotice: () => undefined,
  })
  try {
    // Unlocked look first: nothing to do is the rule, and then postgrator need not even be loaded.
    if (isCurrent(files, await readApplied(sql))) return []
    await sql`select pg_advisory_lock(${lockKey})`
    checkApplied(files, await readApplied(sql))
    return await runPending(sql, files)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** The state of a database: what has run, and what has not. */
export async function readMigrationState(sql: postgres.Sql): Promise<{ applied: number; pending: string[] }> {
  const files = listMigrations()
  const applied = await readApplied(sql)
  checkApplied(files, applied)
  return { applied: applied.size, pending: files.filter((file) => !applied.has(file.version)).map((file) => file.name) }
}

type Applied = Map<number, string | null>

async function readApplied(sql: postgres.Sql): Promise<Applied> {
  const [table] = await sql<{ name: string | null }[]>`select to_regclass(${`public.${schemaTable}`})::text as name`
  if (!table?.name) return new Map()
  const rows = await sql<{ version: number; md5: string | null }[]>`
    select version::int as version, md5 from ${sql(schemaTable)} where version > 0 order by version`
  return new Map(rows.map((row) => [row.version, row.md5]))
}

function isCurrent(files: MigrationFile[], applied: Applied): boolean {
  return files.length === applied.size && files.every((file) => applied.get(file.version) === file.md5)
}

function checkApplied(files: MigrationFile[], applied: Applied): void {
  for (const [version, md5] of applied) {
    const file = files.find((candidate) => candidate.version === version)
    if (!file)
      throw new OperatorError(
        `The database has migration ${version}, which this Pasarela does not know: it is newer. Start the newer version.`,
      )
    if (md5 && md5 !== file.md5)
      throw new OperatorError(
        `Migration ${file.name} (${version}) was changed after it had run here. Restore its text.`,
      )
  }
  const newest = Math.max(0, ...applied.keys())
  const late = files.find((file) => file.version < newest && !applied.has(file.version))
  if (late)
    throw new OperatorError(
      `Migration ${late.name} (${late.version}) was added below ${newest}, which has run here. Give it the next number.`,
    )
}

async function runPending(sql: postgres.Sql, files: MigrationFile[]): Promise<string[]> {
  const { default: Runner } = await import('postgrator')
  // Postgrator would make its table column by column, and another process could look at it in between.
  await sql`
    create table if not exists public.${sql(schemaTable)} (version bigint primary key, name text, md5 text, run_at timestamptz)`
  const execQuery = async (query: string) => ({ rows: [...(await sql.unsafe(query))] })

  /** Postgrator with our file names, and each migration with its record in one transaction. */
  class ForwardOnly extends Runner {
    declare migrations: Postgrator.Migration[]

    override async getMigrations() {
      const all = files.map(({ version, name, file, md5 }) => ({
        version,
        action: 'do' as const,
        filename: file,
        name,
        md5,
        getSql: () => readFileSync(file, 'utf8'),
      }))
      this.migrations = all
      return all
    }

    override async runMigrations(pending: Postgrator.Migration[] = []) {
      for (const migration of pending) {
        await execQuery(`begin; set local lock_timeout = ${lockTimeoutMs}`)
        try {
          await super.runMigrations([migration])
          await execQuery('commit')
        } catch (error) {
          await execQuery('rollback')
          throw error
        }
      }
      return pending
    }
  }

  const migrations = await new ForwardOnly({ driver: 'pg', schemaTable, currentSchema: 'public', execQuery }).migrate()
  return migrations.map((migration) => migration.name)
}
