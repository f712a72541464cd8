/** Brings a database to the newest schema: plain SQL, numbered, forwards only, one transaction each, one process at a time. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { script } from '@pasarela/sql'
import { errorCode, OperatorError } from '@pasarela/sql/operator-error'
import { ensureApplicationRole, isApplicationRoleUsable } from './application-role.ts'
import { type Executor, openPool, type Sql, transaction } from './db.ts'
import { findWrongGrants, repairGrants } from './grants.ts'

export type MigrationFile = { version: number; name: string; file: string; md5: string }

const ourMigrations = fileURLToPath(new URL('../../migrations/', import.meta.url))
/** The table of migrations that ran: version, name, checksum and time. */
export const schemaTable = 'schema_migrations'
/** Holds back every other process that wants to migrate the same database. */
const lockKey = 7_271_528
/** A migration that waits longer for a lock gives up, rather than hold up the traffic that queues behind it. */
const lockTimeoutMs = 5_000
const insufficientPrivilege = '42501'

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
 * Runs what has not run yet and resolves with the names of what ran. Safe in many processes at once. Also makes sure of the
 * application's role and rights, which a dump that is restored into another cluster has lost; `report` hears of repairs.
 * Throws an OperatorError when a migration that ran has another text now, or the database is newer than this program.
 */
export async function migrate(
  url: string,
  folder = ourMigrations,
  report: (message: string) => void = () => undefined,
): Promise<string[]> {
  const files = listMigrations(folder)
  const sql = openPool(url, {
    max: 1,
    applicationName: 'pasarela migrate',
    asApplication: false,
    statementTimeoutMs: 0,
  })
  try {
    // An up-to-date database is the common case: it costs a few queries and no lock.
    const isMigrated = isCurrent(files, await readApplied(sql))
    if (isMigrated && (await isApplicationReady(sql))) return []
    // Before the first migration, which creates the role as Postgres 15 needs it. A migration that has run is never changed.
    await ensureApplicationRole(sql)
    const ran = isMigrated ? [] : await runPending(sql, files)
    const repaired = await transaction(sql, async (tx) => {
      await lockMigrations(tx)
      return repairGrants(tx)
    })
    if (ran.length === 0 && repaired.length > 0)
      report(`Repaired the rights of pasarela_app on ${repaired.join(', ')}.`)
    return ran
  } catch (error) {
    if (errorCode(error) !== insufficientPrivilege || !(error instanceof Error)) throw error
    throw new OperatorError(
      `This database login may not migrate: ${error.message}. Run pasarela migrate with the login that owns the database.`,
    )
  } finally {
    await sql.end({ timeout: 5 })
  }
}

async function runPending(sql: Sql, files: MigrationFile[]): Promise<string[]> {
  const ran: string[] = []
  for (;;) {
    const name = await transaction(sql, (tx) => runNext(tx, files))
    if (name === undefined) return ran
    ran.push(name)
  }
}

/** Whether this login may work as the application's role, and that role has the rights it needs and no others. */
export async function isApplicationReady(sql: Executor): Promise<boolean> {
  return (await isApplicationRoleUsable(sql)) && (await findWrongGrants(sql)).length === 0
}

async function lockMigrations(tx: Executor): Promise<void> {
  // Another process may be running a long migration, so this wait has no limit. The lock ends with the transaction: a
  // session's lock would stay behind in a pooler that shares its connections between transactions.
  await tx`set local lock_timeout = 0`
  await tx`select pg_advisory_xact_lock(${lockKey})`
  await script(tx, `set local lock_timeout = ${lockTimeoutMs}; set local search_path = public`)
}

/** Runs the first migration that has not run, together with its record, and returns its name; undefined when all have run. */
async function runNext(tx: Executor, files: MigrationFile[]): Promise<string | undefined> {
  await lockMigrations(tx)
  await tx`
    create table if not exists schema_migrations (version bigint primary key, name text, md5 text, run_at timestamptz)`
  const applied = await readApplied(tx)
  checkApplied(files, applied)
  const next = files.find((file) => !applied.has(file.version))
  if (!next) return undefined
  await script(tx, readFileSync(next.file, 'utf8'))
  await tx`
    insert into public.schema_migrations (version, name, md5, run_at)
    values (${next.version}, ${next.name}, ${next.md5}, now())`
  return next.name
}

/** The state of a database: what has run, and what has not. */
export async function readMigrationState(sql: Executor): Promise<{ applied: number; pending: string[] }> {
  const files = listMigrations()
  const applied = await readApplied(sql)
  checkApplied(files, applied)
  return { applied: applied.size, pending: files.filter((file) => !applied.has(file.version)).map((file) => file.name) }
}

type Applied = Map<number, string | null>

async function readApplied(sql: Executor): Promise<Applied> {
  const [table] = await sql<{ name: string | null }[]>`
    select to_regclass('public.schema_migrations')::text as name`
  if (!table?.name) return new Map()
  const rows = await sql<{ version: number; md5: string | null }[]>`
    select version::int as version, md5 from public.schema_migrations where version > 0 order by version`
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
