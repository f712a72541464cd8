/** The database that a command works on: the one given, the embedded one that runs, or the embedded one for this moment. */

import { findRunningPostgres, startPostgres } from '@pasarela/postgres-embedded'
import { OperatorError } from '@pasarela/sql/operator-error'
import { openPool, type Sql } from '../kit/db.ts'
import { isApplicationReady, migrate, readMigrationState } from '../kit/migrate.ts'
import { reachDatabase } from '../kit/reach-database.ts'
import type { Config } from '../platform/config.ts'
import { openLifetime } from '../platform/lifetime.ts'

export type OpenDatabase = {
  url: string
  /** Whether the database was started for this command alone, so that no server works on it. */
  ours: boolean
}

/** How long a command waits for another that has the folder's database at this moment. */
const patienceMs = 15_000
/** How long a command that started the database leaves it to others who found it running. */
const othersMs = 5_000

/** Calls `work` with the database, which is stopped afterwards if it was started for this. */
export async function withDatabase<T>(
  config: Config,
  name: string,
  work: (db: OpenDatabase) => Promise<T>,
): Promise<T> {
  if (config.databaseUrl) {
    await reachDatabase(config.databaseUrl)
    return work({ url: config.databaseUrl, ours: false })
  }
  const running = await findRunningPostgres(config.dataDir)
  if (running) return work({ url: running, ours: false })

  const lifetime = openLifetime((error) => console.error(error), 130)
  const options = { dataDir: config.dataDir, holder: `pasarela ${name}`, patienceMs }
  const embedded = await lifetime.during(() => startPostgres(options))
  lifetime.onForce(embedded.stopSoon)
  lifetime.onEnd(embedded.stop)
  try {
    return await work({ url: embedded.url, ours: true })
  } finally {
    await othersLeft(embedded.url)
    await embedded.stop()
    lifetime.close()
  }
}

/** As withDatabase, with the newest schema and a small pool that works as the application. */
export function withPool<T>(config: Config, name: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  return withDatabase(config, name, async ({ url, ours }) => {
    if (ours) await migrate(url)
    else await refuseOldSchema(url)
    const sql = openPool(url, { max: 2, applicationName: `pasarela ${name}` })
    try {
      return await work(sql)
    } finally {
      await sql.end({ timeout: 5 })
    }
  })
}

/** A database that others serve from is migrated only by who asks for that. */
export async function refuseOldSchema(url: string): Promise<void> {
  const sql = openPool(url, { max: 1, applicationName: 'pasarela', asApplication: false })
  try {
    const { pending } = await readMigrationState(sql)
    if (pending.length > 0)
      throw new OperatorError(`The database lacks ${pending.length} migrations. Run pasarela migrate first.`)
    if (!(await isApplicationReady(sql)))
      throw new OperatorError('The role pasarela_app or its rights are not in order. Run pasarela migrate first.')
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Waits until nobody else works on the database, or long enough. */
async function othersLeft(url: string): Promise<void> {
  const sql = openPool(url, { max: 1, applicationName: 'pasarela', asApplication: false })
  try {
    for (const until = Date.now() + othersMs; Date.now() < until; await new Promise((wake) => setTimeout(wake, 50))) {
      const others = await sql`
        select 1 from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid() limit 1`
      if (others.length === 0) return
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}
