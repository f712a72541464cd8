/** PostgreSQL's own benchmark as a yardstick, where it is installed: a hand-written insert of the same row, and its TPC-B-like mix. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Where pgbench is: on the PATH, or where Debian puts it; undefined where it is not installed. */
export function findPgbench(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...versions.reverse()]
  return folders.map((folder) => join(folder, 'pgbench')).find((file) => existsSync(file))
}

/** Transactions per second of a script with `clients` connections and prepared statements. */
export async function pgbenchScript(
  file: string,
  databaseUrl: string,
  script: string,
  options: { clients: number; seconds: number },
): Promise<number> {
  const path = join(tmpdir(), `pasarela-pgbench-${process.pid}.sql`)
  writeFileSync(path, script)
  try {
    return await tps(file, databaseUrl, ['-n', '-f', path], options)
  } finally {
    rmSync(path, { force: true })
  }
}

/** TPC-B-like transactions per second; its tables are made with the given scale in the same database. */
export async function pgbenchTpcb(
  file: string,
  databaseUrl: string,
  options: { clients: number; seconds: number; scale: number },
): Promise<number> {
  await run(file, ['-i', '-q', '-s', String(options.scale), databaseUrl], { maxBuffer: 2 ** 24 })
  return tps(file, databaseUrl, [], options)
}

async function tps(
  file: string,
  databaseUrl: string,
  how: string[],
  options: { clients: number; seconds: number },
): Promise<number> {
  const args = [
    ...how,
    '-M',
    'prepared',
    '-c',
    String(options.clients),
    '-j',
    '2',
    '-T',
    String(options.seconds),
    databaseUrl,
  ]
  const { stdout } = await run(file, args, { maxBuffer: 2 ** 24 })
  const match = /tps = ([\d.]+)/.exec(stdout)
  if (!match?.[1]) throw new Error(`pgbench said nothing of its speed: ${stdout}`)
  return Number(match[1])
}
