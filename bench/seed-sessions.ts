/**
 * Fills a database with sessions by COPY: millions in minutes. The tables are emptied first, in the transaction that copies, so
 * that the rows are frozen as they are written; secondary indexes are dropped before and built after, two at a time.
 */
import { finished } from 'node:stream/promises'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { from as copyFrom } from 'pg-copy-streams'
import { openPool, type Sql, script, texts } from '../packages/sql/src/sql.ts'
import { type Sample, type Sink, sessionColumns, writeSessions } from './seed-sessions-rows.ts'

const tables = {
  sessions: { table: 'checkout_sessions', columns: sessionColumns },
  accounts: {
    table: 'checkout_session_accounts',
    columns: ['merchant_id', 'account_number', 'session_id'],
  },
  totals: {
    table: 'checkout_session_totals',
    columns: ['merchant_id', 'owner_identity_id', 'account_number', 'status', 'created_day', 'sessions'],
  },
} satisfies Record<keyof Sink, { table: string; columns: string[] }>
type Stream = keyof Sink

export type Filled = { copySeconds: number; indexSeconds: number; vacuumSeconds: number; gigabytes: number }

/** Fills the tables with `count` sessions like the one that is there, which goes with all others. Nobody else may be at work. */
export async function seedSessions(databaseUrl: string, count: number): Promise<Filled> {
  const sql = openPool(databaseUrl, { max: 6, applicationName: 'bench', asApplication: false, statementTimeoutMs: 0 })
  try {
    const sample = await readSample(sql)
    await sql`alter system set max_wal_size = '8GB'`
    await sql`select pg_reload_conf()`
    const times = [performance.now()]
    const indexes = await dropIndexes(sql)
    await copy(sql, sample, count)
    times.push(performance.now())
    await buildIndexes(sql, indexes)
    times.push(performance.now())
    // What the rows were frozen for: index-only walks from the first request on, and statistics for the planner.
    await Promise.all(Object.values(tables).map(({ table }) => script(sql, `vacuum (analyze, parallel 0) ${table}`)))
    times.push(performance.now())
    const [size] = await sql<{ bytes: string }[]>`select pg_database_size(current_database()) as bytes`
    const seconds = times.slice(1).map((time, index) => (time - (times[index] ?? time)) / 1000)
    const [copySeconds = 0, indexSeconds = 0, vacuumSeconds = 0] = seconds
    return { copySeconds, indexSeconds, vacuumSeconds, gigabytes: Number(size?.bytes) / 1e9 }
  } finally {
    await sql`alter system reset max_wal_size`
    await sql`select pg_reload_conf()`
    await sql.end()
  }
}

async function readSample(sql: Sql): Promise<Sample> {
  const [row] = await sql<Sample[]>`
    select s.merchant_id as "merchantId", m.time_zone as "timeZone", s.owner_identity_id as "ownerIdentityId", s.items::text, s.quote::text,
      s.destinations -> 0 -> 'account' ->> 'accountNumber' as "accountNumber"
    from checkout_sessions s join merchants m on m.id = s.merchant_id limit 1`
  if (!row) throw new Error('there is no session to make others like it')
  return { ...row, items: escaped(row.items), quote: escaped(row.quote) }
}

/** Text as COPY reads it. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

/** Drops what can be built again: every index but those of primary keys, which rows in the order of their ids extend cheaply. */
async function dropIndexes(sql: Sql): Promise<string[]> {
  const names = Object.values(tables).map(({ table }) => table)
  const rows = await sql<{ name: string; definition: string }[]>`
    select c.relname as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = any (${texts(names)}::regclass[]) and not i.indisprimary
      and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
    order by pg_relation_size(i.indrelid)`
  for (const { name } of rows) await sql`drop index ${sql(name)}`
  return rows.map((row) => row.definition)
}

/** Two at a time, as there are two processors; each sorts in memory as far as it can. */
async function buildIndexes(sql: Sql, definitions: readonly string[]): Promise<void> {
  const waiting = [...definitions]
  const build = async () => {
    const own = await sql.reserve()
    await own`set maintenance_work_mem = '1GB'`
    await own`set max_parallel_maintenance_workers = 0`
    for (let next = waiting.pop(); next; next = waiting.pop()) await script(own, next)
    own.release()
  }
  await Promise.all([build(), build()])
}

/** A stream of COPY per table, each in the transaction that has emptied it. */
async function copy(sql: Sql, sample: Sample, count: number): Promise<void> {
  await sql`truncate checkout_session_deltas`
  const opened = await Promise.all((Object.keys(tables) as Stream[]).map((name) => openCopy(sql, name)))
  const streams = new Map(opened.map((stream) => [stream.name, stream]))
  const put = (name: Stream) => (line: string) => streams.get(name)?.put(line)
  const sink = { sessions: put('sessions'), accounts: put('accounts'), totals: put('totals') }
  let rows = 0
  // The sockets are fed between the rows: without a pause they would starve while rows are made, and the other way round.
  const pause = () => (++rows % rowsPerTurn === 0 ? breathe(opened) : undefined)
  // A minute ago: the year's last day is not over, as in life.
  await writeSessions(sample, { count, untilMs: Date.now() - 60_000, pause }, sink)
  await Promise.all(opened.map((stream) => stream.end()))
}

const rowsPerTurn = 200
const chunkLength = 64 * 1024
/** Bytes that may wait for the database before the making of rows waits for it. */
const backlogMax = 16 * 1024 * 1024

async function breathe(streams: readonly { backlog(): number }[]): Promise<void> {
  await setImmediate()
  while (streams.some((stream) => stream.backlog() > backlogMax)) await sleep(2)
}

async function openCopy(sql: Sql, name: Stream) {
  const { table, columns } = tables[name]
  const own = await sql.reserve()
  await own`begin`
  await script(own, `truncate ${table} cascade`)
  const stream = own.connection.client.query(copyFrom(`copy ${table} (${columns.join(', ')}) from stdin with (freeze)`))
  let text = ''
  const flush = () => {
    stream.write(text)
    text = ''
  }
  return {
    name,
    put: (line: string) => {
      text += line
      if (text.length > chunkLength) flush()
    },
    backlog: () => stream.writableLength,
    end: async () => {
      flush()
      stream.end()
      await finished(stream)
      await own`commit`
      own.release()
    },
  }
}
