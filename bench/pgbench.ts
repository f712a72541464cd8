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

/** A script that inserts what one create writes: the session, its account row, its event and the event's place in the outbox, in one transaction. */
export function createScript(sample: {
  session: Record<string, unknown>
  account: Record<string, unknown>
  event: Record<string, unknown>
}): string {
  const { merchant_id: merchantId, stream_id: streamId, sequence, type, created_at: at } = sample.event
  const id = "('cs_' || lpad(to_hex(:n::bigint), 26, '0'))"
  const own: Record<string, string> = {
    id,
    root_session_id: id,
    order_key: id,
    session_id: id,
    stream_id: id,
    checkout_token: "lpad(to_hex(:n::bigint), 22, '0')",
    page_token: "lpad(to_hex(:n::bigint), 22, '0')",
  }
  const insert = (table: string, row: Record<string, unknown>, eventId?: string) => {
    const entries = Object.entries(row).filter(([, value]) => value !== null)
    const values = entries.map(([column, value]) =>
      column === 'id' && eventId ? eventId : (own[column] ?? literal(value)),
    )
    return `insert into ${table} (${entries.map(([column]) => column).join(', ')}) values (${values.join(', ')});`
  }
  return [
    '\\set n random(1, 900000000000000000)',
    'begin;',
    insert('checkout_sessions', sample.session),
    insert('checkout_session_accounts', sample.account),
    insert('events', sample.event, "('evt_' || lpad(to_hex(:n::bigint), 26, '0'))"),
    insert('event_outbox', { merchant_id: merchantId, stream_id: streamId, sequence, type, created_at: at }),
    'commit;',
  ].join('\n')
}

/** A value as a literal. pgbench takes a colon before a word for a variable, so the two are parted: JSON does not mind. */
function literal(value: unknown): string {
  if (value instanceof Date) return `to_timestamp(${value.getTime() / 1000})`
  const list = Array.isArray(value) && value.every((part) => typeof part === 'string')
  const plain = typeof value === 'object' ? JSON.stringify(value) : String(value)
  const text = list ? `{${(value as string[]).map((part) => `"${part}"`).join(',')}}` : plain
  return `'${text.replaceAll("'", "''").replaceAll(/:(?=\w)/g, ': ')}'`
}
