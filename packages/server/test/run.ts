/**
 * `npm test`: one throwaway Postgres with a migrated template, the test files on it, and nothing left afterwards.
 * `npm test -- path/to/file.test.ts` runs those files alone; flags of `node --test` are passed on.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isPostgresProcess, startPostgres, stopPostgres } from '@pasarela/postgres-embedded'
import { makeTemplate, urlVariable } from './database.ts'
import { evidenceVariable, searchEvidence } from './evidence.ts'

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
  const folder = join(tmpdir(), folderPrefix + process.pid)
  let child: ChildProcess | undefined
  let interrupted = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupted = true
      child?.kill('SIGTERM')
    })
  }
  try {
    const database = await startPostgres({ dataDir: join(folder, 'cluster'), settings, holder: 'pasarela tests' })
    await makeTemplate(database.url)
    if (interrupted) return 130
    // What tests leave in the temporary folder, and databases that they start there, go with this run.
    const temporary = join(folder, 'tmp')
    mkdirSync(temporary)
    const evidence = join(folder, 'evidence')
    mkdirSync(evidence)
    const flags = ['--test', '--test-concurrency=2', `--test-timeout=${fileTimeoutMs}`]
    const tests = spawn(process.execPath, [...flags, ...withFiles(args)], {
      stdio: 'inherit',
      env: { ...process.env, [urlVariable]: database.url, TMPDIR: temporary, [evidenceVariable]: evidence },
    })
    child = tests
    const code = await new Promise<number>((resolve) => tests.on('close', (status) => resolve(status ?? 1)))
    if (interrupted) return 130
    return reportLeaks(evidence) ? code || 1 : code
  } finally {
    await removeRun(folder)
  }
}

/** Searches what the run wrote for the secrets that it was given. True when one was found. */
function reportLeaks(evidence: string): boolean {
  const { searchedBytes, plantedCount, findings } = searchEvidence(evidence)
  const megabytes = (searchedBytes / 2 ** 20).toFixed(1)
  console.log(
    `${plantedCount} planted secrets searched for in ${megabytes} MB of log, refusals and events: ${findings.length} found`,
  )
  for (const { kind, secret, around } of findings.slice(0, 10))
    console.log(`leaked into ${kind}: ${secret}\n  … ${around} …`)
  return findings.length > 0
}

function withFiles(args: string[]): string[] {
  const files = args.filter((arg) => !arg.startsWith('-'))
  // Node takes what follows the first file as that file's own arguments.
  return [...args.filter((arg) => arg.startsWith('-')), ...(files.length > 0 ? files : ['packages/**/*.test.ts'])]
}

/** Ends what killed runs of this user left behind. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(name.slice(folderPrefix.length))
    if (name.startsWith(folderPrefix) && !isAlive(pid)) await removeRun(join(tmpdir(), name))
  }
}

/** Stops every database below the run's folder and removes it. */
async function removeRun(folder: string): Promise<void> {
  for (const file of globSync('{cluster,tmp/*/*}/postgres/postmaster.pid', { cwd: folder })) {
    const pid = Number(readFileSync(join(folder, file), 'utf8').split('\n')[0])
    if (isPostgresProcess(pid)) await stopPostgres({ pid })
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
