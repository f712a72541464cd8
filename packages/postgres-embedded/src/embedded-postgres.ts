/** A real Postgres of our own under the data folder, from the binaries that came with npm: made, started, adopted, stopped. */
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openPool, script } from '@pasarela/sql'
import { errorCode, OperatorError } from '@pasarela/sql/operator-error'
import { freePort } from '@pasarela/sql/ports'
import { findBinaries } from './binaries.ts'
import {
  clusterFolder,
  clusterUser,
  createCluster,
  hasCluster,
  readPassword,
  removePartialClusters,
} from './cluster.ts'
import { startFlushing } from './flush.ts'
import { type FolderLock, takeFolderLock } from './folder-lock.ts'
import { databaseIdentity } from './identity.ts'
import {
  discardPidFile,
  isPostgresProcess,
  isSocketUsable,
  launchPostgres,
  type PidFile,
  type Postmaster,
  postgresArguments,
  readPidFile,
  removeStaleSockets,
  signalPostgres,
  socketPath,
  startedAlike,
  stopPostgres,
} from './postmaster.ts'
import { makePrivateFolder } from './private-files.ts'

export type EmbeddedOptions = {
  /** The folder that holds the cluster (in `postgres/`) and its log. Made when it is missing. */
  dataDir: string
  /** Told of what an operator may want to know: an orphan adopted, a recovery waited for. */
  log?: (message: string) => void
  /** Settings of Postgres besides ours, for tests. */
  settings?: Record<string, string>
  /** Named to whoever wants the same folder meanwhile. */
  holder?: string
  /** How long to wait for a command that is at work in the folder. */
  patienceMs?: number
}

export type EmbeddedPostgres = {
  /** URL of the database `pasarela`, with the superuser's generated password. */
  url: string
  /** The same by its Unix socket where that can be used (see openPool): faster, and understood by openPool and libpq alone. */
  socketUrl: string
  /** Whether the database ran already, left over from a process that was killed. */
  adopted: boolean
  /** Resolves with a reason when the database is gone for good although nobody stopped it. */
  lost: Promise<string>
  /** Stops the database (fast shutdown) and waits for its end. */
  stop(): Promise<void>
  /** Makes the database end at once; it recovers at the next start. For a process that may not wait. */
  stopSoon(): void
}

const databaseName = 'pasarela'
/** How long another process may take to start or stop the database while we wait for its outcome. */
const settleMs = 15_000
/** How long a live Postgres process may refuse us before it is taken for another database that got an old pid. */
const silenceMs = 2_000

/**
 * Starts the database of a data folder and takes the folder for this process. What a killed process left running is proven to
 * be this folder's database (its port takes our password and shows us our own pid file) and then adopted.
 */
export async function startPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir)
  const begun = Date.now()
  for (;;) {
    const running = await tryStart(dataDir, options, Date.now() - begun > silenceMs)
    if (running) return running
    await sleep(50)
    if (Date.now() - begun > settleMs) {
      throw new OperatorError(
        `The database in ${clusterFolder(dataDir)} neither starts nor stops. See postgres.log beside it.`,
      )
    }
  }
}

/** The URL of the folder's database if it runs at this moment, for a process that only wants to use it. */
export async function findRunningPostgres(dataDir: string): Promise<string | undefined> {
  const folder = resolve(dataDir)
  if (!hasCluster(folder)) return undefined
  const file = readPidFile(folder)
  if (!file || (await judge(folder, file)) !== 'ours') return undefined
  return urlOf(folder, file.port, databaseName)
}

/** Throws an OperatorError when a live process has the folder. */
export async function refuseTakenFolder(dataDir: string): Promise<void> {
  const folder = resolve(dataDir)
  const file = hasCluster(folder) ? readPidFile(folder) : undefined
  if (!file || (await judge(folder, file)) !== 'ours') return
  const url = urlOf(folder, file.port, 'postgres')
  const lock = await takeFolderLock(folder, { url, holder: 'pasarela', patienceMs: 0 })
  await lock.release()
}

/** One attempt: undefined = the folder's database is on its way up or down; look again. */
async function tryStart(
  dataDir: string,
  options: EmbeddedOptions,
  waitedLong: boolean,
): Promise<EmbeddedPostgres | undefined> {
  makePrivateFolder(dataDir)
  const identity = databaseIdentity(clusterFolder(dataDir))
  const binaries = await findBinaries(identity)
  if (!hasCluster(dataDir)) await createCluster(dataDir, binaries, identity)

  const found = readPidFile(dataDir)
  const verdict = found ? await judge(dataDir, found) : 'stale'
  if (verdict === 'unsettled' || (verdict === 'silent' && !waitedLong)) return undefined
  const adopting = found !== undefined && verdict === 'ours'
  const port = adopting ? found.port : await freePort()
  const args = postgresArguments(dataDir, port, options.settings ?? {}, identity)
  if (found && !adopting) discardPidFile(dataDir, found)
  const server = adopting ? found : await launchPostgres({ dataDir, binaries, args, identity, port })
  if (!server) return undefined

  const lock = await lockOrLeave(dataDir, server, options)
  if (!lock) return undefined
  if (adopting && !startedAlike(dataDir, binaries.postgres, args)) {
    options.log?.('The database that was left running has other settings: starting it anew.')
    await lock.release()
    await stopPostgres(server)
    return undefined
  }
  if (adopting) options.log?.(`Took over the database that was left running (process ${server.pid}).`)
  const url = urlOf(dataDir, port, databaseName)
  // Linux alone waits so long; and what need not be on the disk is left in the cache.
  const isFlushed = process.platform === 'linux' && options.settings?.fsync !== 'off'
  const refused = Promise.withResolvers<string>()
  const { pid } = server
  const flushing = isFlushed
    ? startFlushing(dataDir, (reason) => {
        refused.resolve(`the disk refused a page of the embedded database, which recovers at its next start: ${reason}`)
        signalPostgres(pid, 'SIGQUIT')
      })
    : undefined
  return {
    url,
    socketUrl: socketUrlOf(dataDir, port, url),
    adopted: adopting,
    lost: Promise.race([lock.lost, refused.promise]),
    stop: async () => {
      // The lock is held to the end: who waits for the folder must not adopt a database that is about to stop.
      lock.expectEnd()
      await flushing?.stop()
      await stopPostgres(server)
      await lock.release()
    },
    stopSoon: () => {
      lock.expectEnd()
      signalPostgres(server.pid, 'SIGQUIT')
    },
  }
}

/** Takes the folder for us and tidies it. Somebody else's database is left running; one that is nobody's is stopped. */
async function lockOrLeave(
  dataDir: string,
  server: Postmaster,
  options: EmbeddedOptions,
): Promise<FolderLock | undefined> {
  let lock: FolderLock | undefined
  try {
    lock = await takeFolderLock(dataDir, {
      url: urlOf(dataDir, server.port, 'postgres'),
      holder: options.holder ?? 'pasarela',
      patienceMs: options.patienceMs ?? 0,
    })
    removePartialClusters(dataDir)
    removeStaleSockets(dataDir, server.port)
    await ensureDatabase(lock)
    return lock
  } catch (error) {
    await lock?.release()
    // Its owner stopped it while we waited in line.
    if (!lock && isDatabaseGone(error)) return undefined
    if (lock || !(error instanceof OperatorError)) await stopPostgres(server)
    throw error
  }
}

/**
 * What a pid file means: `ours` = this folder's database accepts connections; `unsettled` = it is starting or stopping;
 * `silent` = its Postgres does not know us; `stale` = its process is dead, or is something else that got the same pid.
 */
async function judge(dataDir: string, file: PidFile): Promise<'ours' | 'unsettled' | 'silent' | 'stale'> {
  if (!isPostgresProcess(file.pid)) return 'stale'
  if (file.status !== 'ready') return 'unsettled'
  const sql = openPool(urlOf(dataDir, file.port, 'postgres'), {
    max: 1,
    applicationName: 'pasarela',
    asApplication: false,
  })
  try {
    const [row] = await sql<{ text: string }[]>`select pg_read_file('postmaster.pid') as text`
    return row?.text === file.text ? 'ours' : 'silent'
  } catch (error) {
    const code = errorCode(error) ?? ''
    if (code === 'ECONNREFUSED' || code.startsWith('28')) return 'silent'
    if (isDatabaseGone(error)) return 'unsettled'
    if (code.startsWith('53'))
      throw new OperatorError(`The database of ${dataDir} runs but has no room for us: ${code}.`)
    throw error
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Whether the database went down under a session, or does not let anyone in because it is going down or coming up. */
function isDatabaseGone(error: unknown): boolean {
  return /^(57|CONNECT|ECONN)/.test(errorCode(error) ?? '')
}

function urlOf(dataDir: string, port: number, database: string): string {
  return `postgres://${clusterUser}:${readPassword(dataDir)}@127.0.0.1:${port}/${database}`
}

function socketUrlOf(dataDir: string, port: number, url: string): string {
  const path = socketPath(dataDir, port)
  return isSocketUsable(path) ? `${url}?host=${encodeURIComponent(dirname(path))}` : url
}

async function ensureDatabase(lock: FolderLock): Promise<void> {
  const [row] = await lock.sql`select 1 from pg_database where datname = ${databaseName}`
  if (!row) await script(lock.sql, `create database ${databaseName}`)
}
