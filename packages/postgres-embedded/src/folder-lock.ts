/**
 * Who has a data folder: whoever holds an advisory lock in its database. A pid file cannot tell a live owner from a dead one
 * (pids are used again); a session's lock ends with the process that held it, however it ended.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Executor, openPool, type Session, type Sql } from '@pasarela/sql'
import { errorCode, OperatorError } from '@pasarela/sql/operator-error'

export type FolderLock = {
  sql: Executor
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
  const sql = openPool(options.url, {
    max: 1,
    applicationName: `${options.holder}, process ${process.pid}`,
    asApplication: false,
  })
  let session: Session | undefined

  /** Holds the lock in this session, and takes it again in another one when this one is lost. */
  function hold(locked: Session): void {
    session = locked
    void locked.lost.then(() => {
      if (!released) void retake()
    })
  }

  async function retake(): Promise<void> {
    session?.release()
    session = undefined
    for (const until = Date.now() + recoveryMs; Date.now() < until && !released; await sleep(200)) {
      try {
        const next = await openLocked(sql)
        if (next) return hold(next)
      } catch (error) {
        // A database that recovers from a crash of its own still listens, and says to wait.
        if (errorCode(error) === 'ECONNREFUSED') break
      }
    }
    if (!released) lost.resolve('the embedded database has stopped')
  }

  async function release(): Promise<void> {
    released = true
    session?.release()
    await sql.end({ timeout: 1 })
  }

  try {
    hold(await waitForLock(sql, dataDir, options.patienceMs))
  } catch (error) {
    await release()
    throw error
  }
  return {
    get sql() {
      return session ?? sql
    },
    lost: lost.promise,
    expectEnd: () => {
      released = true
    },
    release,
  }
}

/** A session that holds the lock, or undefined where another one has it. */
async function openLocked(sql: Sql): Promise<Session | undefined> {
  const session = await sql.reserve()
  try {
    if (await tryLock(session)) return session
  } catch (error) {
    session.release()
    throw error
  }
  session.release()
  return undefined
}

async function tryLock(sql: Executor): Promise<boolean> {
  const [row] = await sql<{ locked: boolean }[]>`select pg_try_advisory_lock(${lockKey}) as locked`
  return row?.locked === true
}

async function waitForLock(sql: Sql, dataDir: string, patienceMs: number): Promise<Session> {
  const started = Date.now()
  for (;;) {
    const session = await openLocked(sql)
    if (session) return session
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

async function findHolder(sql: Executor): Promise<string | undefined> {
  const [row] = await sql<{ name: string }[]>`
    select a.application_name as name from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.granted and l.objid = ${lockKey} and a.datname = current_database()`
  return row?.name
}
