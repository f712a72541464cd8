/** Clusters and poolers of the matrix: real processes, with one superuser, ended with the command. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { databaseIdentity } from '@pasarela/postgres-embedded'
import { freePort, whyNotListen } from '@pasarela/sql/ports'
import type { Tools } from './tools.ts'

const run = promisify(execFile)
const startMs = 30_000
const superuser = 'postgres'
/** Of every login; nothing but loopback reaches these servers. */
export const password = 'matrix'

const running = new Set<ChildProcess>()

export type Cluster = {
  port: number
  /** Runs SQL as the superuser. */
  sql(database: string, text: string): Promise<void>
}

export type PoolMode = 'session' | 'transaction'

/** Neither Postgres nor PgBouncer runs as root; files that they read belong to the user that they run as. */
function identityOf(folder: string): { uid: number; gid: number } | undefined {
  return databaseIdentity(folder)
}

export function urlOf(login: string, port: number, database: string): string {
  return `postgres://${login}:${password}@127.0.0.1:${port}/${database}`
}

export async function startCluster(tools: Tools, major: string, folder: string): Promise<Cluster> {
  const bin = tools.serverOf(major)
  mkdirSync(folder)
  const identity = identityOf(folder)
  if (identity) chownSync(folder, identity.uid, identity.gid)
  const secret = `${folder}.password`
  writeFileSync(secret, password)
  chmodSync(secret, 0o644)
  const init = [`--pgdata=${folder}`, `--username=${superuser}`, '--auth=scram-sha-256', `--pwfile=${secret}`]
  await run(join(bin, 'initdb'), [...init, '--encoding=UTF8', '--locale=C'], { ...identity, cwd: folder })
  const port = await freePort('127.0.0.1')
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`, 'max_connections=200']
  const args = ['-D', folder, ...settings.flatMap((setting) => ['-c', setting])]
  await launch(spawn(join(bin, 'postgres'), args, { ...identity, cwd: folder, stdio: 'ignore' }), port)
  const sql = async (database: string, text: string) => {
    await run(tools.psql, ['-qX', '-v', 'ON_ERROR_STOP=1', '-d', urlOf(superuser, port, database), '-c', text])
  }
  for (let tries = 0; ; tries++) {
    const error = await sql('postgres', 'select 1').then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (!error) return { port, sql }
    if (tries * 100 > startMs) throw error
    await pause(100)
  }
}

export type Pooler = { port: number; stop(): Promise<void> }

type PoolerOptions = { mode: PoolMode; login: string; databases: Record<string, number> }

/** PgBouncer as Debian installs it, but for the pool mode, the port and the start-up parameters that it drops. */
export async function startPooler(tools: Tools, folder: string, options: PoolerOptions): Promise<Pooler> {
  mkdirSync(folder)
  const port = await freePort('127.0.0.1')
  const lines = [
    '[databases]',
    ...Object.entries(options.databases).map(([name, at]) => `${name} = host=127.0.0.1 port=${at}`),
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = plain',
    `auth_file = ${join(folder, 'users')}`,
    `pool_mode = ${options.mode}`,
  ]
  const config = join(folder, 'pgbouncer.ini')
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o644 })
  writeFileSync(join(folder, 'users'), `"${options.login}" "${password}"\n`, { mode: 0o644 })
  chmodSync(folder, 0o755)
  const identity = identityOf(folder)
  const child = spawn(tools.pgbouncer, ['-q', config], { ...identity, cwd: '/', stdio: 'ignore' })
  await launch(child, port)
  return { port, stop: () => end(child) }
}

async function launch(child: ChildProcess, port: number): Promise<void> {
  running.add(child)
  for (let waitedMs = 0; (await whyNotListen('127.0.0.1', port)) === undefined; waitedMs += 50) {
    if (child.exitCode !== null || waitedMs > startMs) throw new Error(`${child.spawnfile} did not start`)
    await pause(50)
  }
}

async function end(child: ChildProcess): Promise<void> {
  running.delete(child)
  if (child.exitCode !== null) return
  const ended = new Promise((resolve) => child.on('exit', resolve))
  child.kill('SIGINT')
  await Promise.race([ended, pause(3_000)])
  child.kill('SIGKILL')
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(end))
}
