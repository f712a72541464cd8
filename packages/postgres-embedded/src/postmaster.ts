/** The database's main process: started apart from ours, recognised when it outlived us, stopped without losing anything. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, linkSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode, OperatorError } from '@pasarela/sql/operator-error'
import type { Binaries } from './binaries.ts'
import { clusterFolder, folderArgument, postgresEnvironment } from './cluster.ts'
import type { Identity } from './identity.ts'
import { giveToOwner } from './private-files.ts'

/** What `postmaster.pid` says. `status` is `starting`, `ready`, `stopping` or empty while it is being written. */
export type PidFile = { pid: number; port: number; status: string; text: string }

const hasUnixSockets = process.platform !== 'win32'
/** The smallest of the systems we run on (macOS 104, Linux 108), without the zero at its end. */
const socketPathBytesMax = 103
const logSizeMax = 10 * 1024 * 1024

export function readPidFile(dataDir: string): PidFile | undefined {
  try {
    const text = readFileSync(join(clusterFolder(dataDir), 'postmaster.pid'), 'utf8')
    const lines = text.split('\n')
    return { pid: Number(lines[0]), port: Number(lines[3]), status: (lines[7] ?? '').trim(), text }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Takes away a `postmaster.pid` whose process is proven not to be this folder's database, because Postgres itself trusts any
 * live process there. A file that another start has put in its place meanwhile stays.
 */
export function discardPidFile(dataDir: string, judged: PidFile): void {
  const path = join(clusterFolder(dataDir), 'postmaster.pid')
  const aside = `${path}.stale-${process.pid}`
  try {
    renameSync(path, aside)
    if (readFileSync(aside, 'utf8') !== judged.text) linkSync(aside, path)
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes(errorCode(error) ?? '')) throw error
  }
  rmSync(aside, { force: true })
}

/** Whether the process lives and is some Postgres. Pids are used again, so being alive is not enough; a zombie is dead. */
export function isPostgresProcess(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false
  if (process.platform === 'linux') return /(?:^|\/)postgres(?::.*)?$/.test(commandOf(pid))
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/** The command line of a process, empty for one that is gone or a zombie. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? ''
  } catch {
    return ''
  }
}

/** The settings of a cluster as arguments; `port` aside they are the same at every start. */
export function postgresArguments(
  dataDir: string,
  port: number,
  settings: Record<string, string>,
  identity: Identity | undefined,
): string[] {
  const all: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    // Relative to the cluster's folder, where the server runs: no path is too long for it, and only the owner gets in.
    unix_socket_directories: hasUnixSockets ? '.' : '',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    password_encryption: 'scram-sha-256',
    max_connections: '120',
    shared_buffers: '256MB',
    jit: 'off',
    // No stalls under load (ADR 81): few checkpoints, log files that are used again and new ones that are not filled first, evicted
    // pages that the kernel writes soon instead of all at once, and vacuums that are in no hurry.
    max_wal_size: '8GB',
    min_wal_size: '2GB',
    wal_init_zero: 'off',
    backend_flush_after: '512kB',
    autovacuum_vacuum_cost_delay: '5ms',
    // What data folders lie on today reads anywhere at nearly the same cost.
    random_page_cost: '1.1',
    // Plans made on empty tables are slow on full ones and stay until the first ANALYZE: a young database gets it early.
    autovacuum_naptime: '10s',
    // Large tables keep a worker for minutes, and queues may not wait for them: what was taken out is walked over until a vacuum.
    autovacuum_max_workers: '6',
    log_checkpoints: 'off',
    timezone: 'UTC',
    // Not read by Postgres: names the folder in the process list, where the folder argument may not.
    'pasarela.data_dir': dataDir,
    ...settings,
  }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return ['-D', folderArgument(clusterFolder(dataDir), identity), ...flags, '-p', String(port)]
}

/** Where the database of the folder also listens (Unix systems): sparing TCP its work makes small statements cheaper. */
export function socketPath(dataDir: string, port: number): string {
  return join(clusterFolder(dataDir), `.s.PGSQL.${port}`)
}

/** Whether a client may connect by the socket: its whole path must fit the address, whose size the system fixes. */
export function isSocketUsable(path: string): boolean {
  return hasUnixSockets && Buffer.byteLength(path) <= socketPathBytesMax
}

/** Removes the sockets that killed servers left, each at another port. Only the holder of the folder's lock may call it. */
export function removeStaleSockets(dataDir: string, port: number): void {
  const dir = clusterFolder(dataDir)
  for (const name of readdirSync(dir)) {
    const found = /^\.s\.PGSQL\.(\d+)(?:\.lock)?$/.exec(name)
    if (found && Number(found[1]) !== port) rmSync(join(dir, name), { force: true })
  }
}

/** Whether the running one was started as we would start it: then it can be adopted as it is. */
export function startedAlike(dataDir: string, postgres: string, args: string[]): boolean {
  const withoutPort = (line: string) => line.trim().replace(/"-p" "\d+"$/, '')
  try {
    const told = readFileSync(join(clusterFolder(dataDir), 'postmaster.opts'), 'utf8')
    return withoutPort(told) === withoutPort(`${postgres} ${args.map((arg) => `"${arg}"`).join(' ')}`)
  } catch {
    return false
  }
}

/** A database's main process. */
export type Postmaster = { pid: number; port: number }

export type Launch = {
  dataDir: string
  binaries: Binaries
  args: string[]
  identity: Identity | undefined
  port: number
}

/**
 * Starts Postgres in a session of its own, so that a Ctrl-C meant for us does not stop it under our feet, with a file for
 * its log, so that it does not depend on us. Resolves when it accepts connections; undefined = another has the folder or port.
 */
export async function launchPostgres(launch: Launch): Promise<Postmaster | undefined> {
  const { dataDir, binaries, args, identity, port } = launch
  const cwd = clusterFolder(dataDir)
  const logFile = join(dataDir, 'postgres.log')
  const logStart = openLogAt(logFile)
  const log = openSync(logFile, 'a', 0o600)
  giveToOwner(logFile)
  const child = spawn(binaries.postgres, args, {
    ...identity,
    cwd,
    env: postgresEnvironment,
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code, signal) => resolve(`it ended with ${code ?? signal}`))
  })
  child.unref()
  const outcome = await Promise.race([ended, becomesReady(dataDir, child)])
  if (outcome === undefined && child.pid) return { pid: child.pid, port }
  const said = readFileSync(logFile).subarray(logStart).toString()
  if (
    /lock file "postmaster.pid" already exists|shared memory block .{0,80} still in use|Address already in use/.test(
      said,
    )
  )
    return undefined
  const reason = /(?:FATAL|PANIC): .*/.exec(said)?.[0] ?? outcome
  throw new OperatorError(
    `The embedded database does not start: ${reason}. Its log is ${logFile}. Nothing was changed.`,
  )
}

/** The size of the log now. One that grew large is put aside first, and the one before it forgotten. */
function openLogAt(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size <= logSizeMax) return size
  renameSync(file, `${file}.1`)
  return 0
}

async function becomesReady(dataDir: string, child: ChildProcess): Promise<undefined> {
  // After a crash with much to recover this takes as long as it takes: the caller races it against the end of the process.
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const file = readPidFile(dataDir)
    if (file?.pid === child.pid && file?.status === 'ready') return undefined
    await sleep(5)
  }
  return new Promise(() => undefined)
}

/** Sends a signal to the database's main process; one that is gone is no error. */
export function signalPostgres(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error
  }
}

/**
 * Stops the database: `fast` (sessions end, everything is written), after 4 s `immediate` (recovers at the next start),
 * at last by force. Resolves when the process is gone.
 */
export async function stopPostgres({ pid }: { pid: number }): Promise<void> {
  const steps = [
    ['SIGINT', 4_000],
    ['SIGQUIT', 2_000],
    ['SIGKILL', 1_000],
  ] as const
  for (const [signal, waitMs] of steps) {
    if (isPostgresProcess(pid)) signalPostgres(pid, signal)
    for (const until = Date.now() + waitMs; Date.now() < until; await sleep(10)) {
      if (!isPostgresProcess(pid)) return
    }
  }
}
