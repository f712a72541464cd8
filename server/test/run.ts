/**
 * `npm test`: one throwaway Postgres with a migrated template, the test files on it, and nothing left afterwards.
 * `npm test -- path/to/file.test.ts` runs those files alone; flags of `node --test` are passed on.
 */
import { spawn } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../src/kit/embedded-postgres.ts'
import { isPostgresProcess, readPidFile, stopPostgres } from '../src/kit/postgres/postmaster.ts'
import { makeTemplate, urlVariable } from './database.ts'

const folderPrefix = `pasarela-test-${process.getuid?.() ?? 0}-`
/** Real Postgres, but what a power cut would do to it does not matter. */
const settings = {
  fsync: 'off',
  full_page_writes: 'off',
  max_wal_size: '4GB',
  autovacuum: 'off',
  max_connections: '300',
}
/** A test file that hangs fails, rather than hold up everything for ever. */
const fileTimeoutMs = 300_000

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  await removeLeftovers()
  const dataDir = join(tmpdir(), folderPrefix + process.pid)
  let child: ReturnType<typeof spawn> | undefined
  let interrupted: NodeJS.Signals | undefined
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupted = signal
      child?.kill('SIGTERM')
    })
  }
  const database = await startPostgres({ dataDir, settings, holder: 'pasarela tests' })
  try {
    await makeTemplate(database.url)
    if (interrupted) return 130
    child = spawn(
      process.execPath,
      ['--test', '--test-concurrency=2', `--test-timeout=${fileTimeoutMs}`, ...withFiles(args)],
      {
        stdio: 'inherit',
        env: { ...process.env, [urlVariable]: database.url },
      },
    )
    const code = await new Promise<number>((resolve) => child?.on('close', (status) => resolve(status ?? 1)))
    return interrupted ? 130 : code
  } finally {
    await database.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

function withFiles(args: string[]): string[] {
  return args.some((arg) => !arg.startsWith('-')) ? args : [...args, 'server/**/*.test.ts']
}

/** Ends what a killed run of this user left behind: its database and its folder. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(folderPrefix) || isAlive(Number(name.slice(folderPrefix.length)))) continue
    const dataDir = join(tmpdir(), name)
    const file = readPidFile(dataDir)
    if (file && isPostgresProcess(file.pid)) await stopPostgres(file)
    rmSync(dataDir, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
