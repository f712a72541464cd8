/** The database's folder: made whole or not at all, recognised when it is only half there. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { errorCode, OperatorError } from '@pasarela/sql/operator-error'
import type { Binaries } from './binaries.ts'
import type { Identity } from './identity.ts'
import { folderError, syncFolder } from './private-files.ts'

/** The superuser of the embedded database. */
export const clusterUser = 'pasarela'
/** The major version that the binaries make and read. */
const majorVersion = '18'
const passwordFile = 'pasarela.password'
const partialPrefix = 'postgres.partial-'
/** What every complete cluster has. Made last: a rename brings them all into place at once. */
const landmarks = ['PG_VERSION', 'global/pg_control', passwordFile]

export function clusterFolder(dataDir: string): string {
  return join(dataDir, 'postgres')
}

/**
 * How the cluster's folder is called in arguments of Postgres, which runs in it. Root lends it a user who may not walk
 * through the folders above (0700, as /root is), and the link to one's own working directory needs no such walk.
 */
export function folderArgument(dir: string, identity: Identity | undefined): string {
  return identity && process.platform === 'linux' ? '/proc/self/cwd' : dir
}

/** Whether the data folder has a complete cluster. One that is half there or of another version is refused and not touched. */
export function hasCluster(dataDir: string): boolean {
  const dir = clusterFolder(dataDir)
  try {
    if (statSync(join(dataDir, 'PG_VERSION'), { throwIfNoEntry: false })) {
      throw new OperatorError(`${dataDir} is itself the folder of a Postgres database. Choose another with --data-dir.`)
    }
    if (!statSync(dir, { throwIfNoEntry: false }) || readdirSync(dir).length === 0) return false
    const missing = landmarks.filter((name) => !statSync(join(dir, name), { throwIfNoEntry: false }))
    if (missing.length > 0) {
      throw new OperatorError(
        `The database in ${dir} is incomplete (no ${missing.join(', ')}). Restore it from a backup, ` +
          'or move that folder away to begin with an empty database. Nothing was changed.',
      )
    }
    const version = readFileSync(join(dir, 'PG_VERSION'), 'utf8').trim()
    if (version !== majorVersion) {
      throw new OperatorError(
        `The database in ${dir} was made by Postgres ${version}; this Pasarela brings Postgres ${majorVersion}. ` +
          'Use the Pasarela that made it, or carry the data over with pg_dump.',
      )
    }
    return true
  } catch (error) {
    throw folderError(dataDir, error)
  }
}

/** The superuser's password, which only the folder's owner can read. */
export function readPassword(dataDir: string): string {
  try {
    return readFileSync(join(clusterFolder(dataDir), passwordFile), 'utf8').trim()
  } catch (error) {
    throw folderError(dataDir, error)
  }
}

/**
 * Makes the cluster in a folder beside its place and renames it when it is whole and on disk: a crash leaves nothing that
 * looks like a database. Two at once are safe; the slower one finds the place taken and leaves the other's.
 */
export async function createCluster(
  dataDir: string,
  binaries: Binaries,
  identity: Identity | undefined,
): Promise<void> {
  const partial = join(dataDir, `${partialPrefix}${process.pid}-${randomBytes(4).toString('hex')}`)
  const password = randomBytes(24).toString('hex')
  try {
    mkdirSync(partial, { mode: 0o700 })
    own(partial, identity)
    await runInitdb(partial, password, binaries, identity)
    const file = join(partial, passwordFile)
    writeFileSync(file, `${password}\n`, { mode: 0o600, flush: true })
    own(file, identity)
    syncFolder(partial)
    renameSync(partial, clusterFolder(dataDir))
    syncFolder(dataDir)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (hasCluster(dataDir)) return
    throw folderError(dataDir, error)
  }
}

/** Removes what an interrupted `createCluster` left. Only the holder of the folder's lock may call it. */
export function removePartialClusters(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (!name.startsWith(partialPrefix)) continue
    // An initdb whose parent was killed a moment ago may still write there; what resists now goes at a later start.
    try {
      rmSync(join(dataDir, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    } catch (error) {
      if (errorCode(error) !== 'ENOTEMPTY') throw error
    }
  }
}

async function runInitdb(
  dir: string,
  password: string,
  binaries: Binaries,
  identity: Identity | undefined,
): Promise<void> {
  const secret = join(dir, '..', `.password-${process.pid}`)
  writeFileSync(secret, `${password}\n`, { mode: 0o600 })
  own(secret, identity)
  const stdin = openSync(secret, 'r')
  rmSync(secret)
  try {
    await run(binaries.initdb, initdbArguments(folderArgument(dir, identity)), { cwd: dir, stdin, identity })
  } finally {
    closeSync(stdin)
  }
}

function initdbArguments(folder: string): string[] {
  return [
    `--pgdata=${folder}`,
    `--username=${clusterUser}`,
    '--auth=scram-sha-256',
    '--pwfile=/dev/stdin',
    '--encoding=UTF8',
    // The collation that is built in: the same order on every system and after every upgrade of it.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]
}

const unknownUser =
  `User ${process.getuid?.()} has no name on this system, which Postgres requires. ` +
  'Add a line for it to /etc/passwd, run as another user, or give --database-url.'

type Run = { cwd: string; stdin: number; identity: Identity | undefined }

/** Runs to the end; throws with the last line that the program said. */
function run(file: string, args: string[], { cwd, stdin, identity }: Run): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...identity, cwd, env: postgresEnvironment, stdio: [stdin, 'ignore', 'pipe'] })
    let said = ''
    child.stderr?.on('data', (chunk) => {
      said += chunk
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) return resolve()
      if (said.includes('could not look up effective user ID')) return reject(new OperatorError(unknownUser))
      const reason = said.split('\n').find((line) => line.includes('error')) ?? said.trim() ?? ''
      reject(
        new OperatorError(`The database could not be made in ${cwd}: ${reason || `it ended with ${code ?? signal}`}`),
      )
    })
  })
}

/** All that Postgres is given of the environment: its messages are read, so they are in English. */
export const postgresEnvironment = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' }

function own(path: string, identity: Identity | undefined): void {
  if (identity) chownSync(path, identity.uid, identity.gid)
}
