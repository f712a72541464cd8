/**
 * Who has a data folder: whoever holds an advisory lock in its database. A pid file cannot tell a live owner from a dead one
 * (pids are used again); a session's lock ends with the process that held it, however it ended.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { errorCode, OperatorError } from '../operator-error.ts'

export type FolderLock = {
  sql: postgres.Sql
  /** Resolves with a reason when the lock was lost for good: the database is gone, or somebody else has the folder. */
  lost: Promise<string>
  /** From now on it is no surprise when the lock's session ends: the database is about to be stopped. */
  expectEnd(): void
  release(): Promise<void>
}

/** The lock's key, in the database `postgres` of the embedded cluster, where nothing else takes locks. */
const lockKey = 7_271_527
/** How long the sessions of a killed process may take to end. */
const staleSessionsMs = 500
/** How long the lock's session may be gone while the database recovers from a crash of its own. */
const recoveryMs = 20_000

export type LockOptions = {
  /** URL of the database `postgres` of the cluster. */
  url: string
  /** Shown to whoever comes second, such as `pasarela start`. */
  holder: string
  /** How long to wait for a command that is at work in the folder; a server that runs is not waited for. */
  patienceMs: number
}

/** Takes the lock, or throws an OperatorError that names who has it. */
export async function takeFolderLock(dataDir: string, options: LockOptions): Promise<FolderLock> {
  const lost = Promise.withResolvers<string>()
  let released = false
  const sql = postgres(options.url, {
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 10,
    onnotice: () => undefined,
    connection: { application_name: `${options.holder}, process ${process.pid}` },
    onclose: () => {
      if (!released && held) void retake()
    },
  })
  let held = false

  async function retake(): Promise<void> {
    held = false
    let gone = false
    for (const until = Date.now() + recoveryMs; Date.now() < until && !gone && !released; await sleep(200)) {
      held = await tryLock(sql).catch((error) => {
        // A database that recovers from a crash of its own still listens, and says to wait.
        gone = errorCode(error) === 'ECONNREFUSED'
        return false
      })
      if (held) return
    }
    if (!released) lost.resolve('the embedded database has stopped')
  }

  try {
    await waitForLock(sql, dataDir, options.patienceMs)
    held = true
  } catch (error) {
    released = true
    await sql.end({ timeout: 1 })
    throw error
  }
  return {
    sql,
    lost: lost.promise,
    expectEnd: () => {
      released = true
    },
    release: async () => {
      released = true
      await sql.end({ timeout: 1 })
    },
  }
}

async function tryLock(sql: postgres.Sql): Promise<boolean> {
  const [row] = await sql<{ locked: boolean }[]>`select pg_try_advisory_lock(${lockKey}) as locked`
  return row?.locked === true
}

async function waitForLock(sql: postgres.Sql, dataDir: string, patienceMs: number): Promise<void> {
  const started = Date.now()
  for (;;) {
    if (await tryLock(sql)) return
    const holder = await findHolder(sql)
    const patience = holder?.startsWith('pasarela start') ? staleSessionsMs : Math.max(patienceMs, staleSessionsMs)
    if (Date.now() - started > patience) {
      throw new OperatorError(
        `The data folder ${dataDir} is in use by another Pasarela (${holder ?? 'unknown'}). ` +
          'Stop that one, or choose another folder with --data-dir.',
      )
    }
    await sleep(50)
  }
}

async function findHolder(sql: postgres.Sql): Promise<string | undefined> {
  const [row] = await sql<{ name: string }[]>`
    select a.application_name as name from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.granted and l.objid = ${lockKey} and a.datname = current_database()`
  return row?.name
}
