/** Many sessions due at once while others are created at half the rate that the machine can take. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openPool, type Sql, script } from '../../packages/sql/src/sql.ts'
import { type ApiClient, idOf, openClient, sessionBody } from '../client.ts'
import { measure, percentiles } from '../measure.ts'
import { type Bench, type Row, type Scenario, shown, type Target } from '../scenario.ts'

const connections = 64
const secondsMax = 900
/** What creates may take meanwhile at most, 99 of 100. */
const p99MaxMs = 100
/** Rows of one statement of the filling. */
const fillSlice = 20_000

export const scenario: Scenario = {
  name: 'expiry',
  about: 'expiry of due sessions beside creates at half the full rate',
  run: async (bench) => {
    const count = Number(bench.options['expire-sessions'] ?? 20_000)
    const target = await bench.openTarget()
    const sql = openPool(bench.databaseUrl, {
      max: 2,
      applicationName: 'bench',
      asApplication: false,
      statementTimeoutMs: 0,
    })
    const client = await openClient(target.address, target.seed, connections)
    try {
      return await measureExpiry(bench, { target, sql, client, count })
    } finally {
      client.close()
      await target.stop()
      await sql.end()
    }
  },
}

type Stage = { target: Target; sql: Sql; client: ApiClient; count: number }

async function measureExpiry(bench: Bench, stage: Stage): Promise<Row[]> {
  const { target, sql, client, count } = stage
  const create = async () => {
    idOf(await client.call('POST', '/checkout-sessions', sessionBody(target.seed)), 201)
  }
  const full = await measure(connections, bench.seconds, create)
  // As long as what comes in rounds needs: the kernel writes every 30 s what lies in its cache, the garbage collector every 20 s.
  const baselineMs = Math.max(20, Math.min(100, count / 10_000)) * 1000
  const dueAt = await fill(stage, baselineMs + 5_000)
  const alone = await createAtRate(create, full.perSecond / 2, async () => Date.now() > dueAt - 1_000, baselineMs)
  await sleep(dueAt - Date.now())
  const began = Date.now()
  const beside = await createAtRate(create, full.perSecond / 2, async () => !(await isWaiting(stage, dueAt)))
  const seconds = (Date.now() - began) / 1000
  const told = await waitForLog(sql, began)
  const ratio = beside.p99Ms / alone.p99Ms
  const rate = shown(full.perSecond / 2, '/s')
  bench.note(
    `${count} sessions were expired in ${shown(seconds, 's')} (${shown(count / seconds, '/s')}); their events had their places ${shown(told, 's')} after the first was due; p50 of creates ${shown(beside.p50Ms)} ms beside, ${shown(alone.p50Ms)} ms alone; p99 beside, minute by minute: ${beside.p99MsByMinute.map((ms) => shown(ms)).join(', ')} ms; full rate ${shown(full.perSecond, '/s')}`,
  )
  return [
    {
      what: `creates at half the full rate (${rate}) while ${count} sessions expire, p99`,
      figure: shown(beside.p99Ms, 'ms'),
      yardstick: 'the same without expiry',
      its: shown(alone.p99Ms, 'ms'),
      ratio,
      target: `<= ${p99MaxMs} ms`,
      met: beside.p99Ms <= p99MaxMs,
    },
    {
      what: `expiry of ${count} due sessions beside them`,
      figure: shown(seconds, 's'),
      yardstick: 'the pace of 1,000,000 in 15 minutes',
      its: shown((count / 1_000_000) * secondsMax, 's'),
      target: `${shown(1_000_000 / secondsMax, '/s')} and all within ${secondsMax} s`,
      met: seconds <= Math.max(2, (count / 1_000_000) * secondsMax),
    },
  ]
}

/**
 * Copies one session that was created over HTTP until there are `count`, all due within a second at a moment that is
 * `aheadMs` after the filling; returns that moment.
 */
async function fill({ sql, client, target, count }: Stage, aheadMs: number): Promise<number> {
  const id = idOf(await client.call('POST', '/checkout-sessions', sessionBody(target.seed)), 201)
  const columns = await columnsOf(sql, 'checkout_sessions')
  const trial = Math.min(count, fillSlice)
  const began = Date.now()
  // A far moment for the trial: how long the rest takes is not known before it.
  await copySessions(sql, { id, columns, from: 0, to: trial, count, dueAt: began + 3_600_000 })
  const perRowMs = (Date.now() - began) / trial
  const dueAt = Date.now() + aheadMs + 2 * perRowMs * count
  await sql`
    update checkout_sessions set expires_at = to_timestamp(${dueAt / 1000 - 1}) where checkout_token like 'due-%'`
  for (let from = trial; from < count; from += fillSlice) {
    await copySessions(sql, { id, columns, from, to: Math.min(count, from + fillSlice), count, dueAt })
  }
  await sql`vacuum analyze checkout_sessions`
  await sql`vacuum analyze events`
  await sql`checkpoint`
  if (Date.now() > dueAt - aheadMs + 5_000) throw new Error('filling took longer than was reckoned')
  return dueAt
}

type Copies = { id: string; columns: string[]; from: number; to: number; count: number; dueAt: number }

/** Sessions with their accounts and the event of their creation, as a create leaves them. */
async function copySessions(sql: Sql, { id, columns, from, to, count, dueAt }: Copies): Promise<void> {
  const numbered = (prefix: string) => `'${prefix}_0' || lpad(n::text, 25, '0')`
  const own: Record<string, string> = {
    id: numbered('cs'),
    root_session_id: numbered('cs'),
    order_key: numbered('cs'),
    checkout_token: "'due-' || n",
    page_token: 'left(md5(n::text), 22)',
    // As in life: who came first is due first, and all of them within a second.
    expires_at: `to_timestamp(${dueAt / 1000} - 1 + n / ${count}.0)`,
  }
  const values = columns.map((column) => own[column] ?? `o.${column}`)
  const series = `generate_series(${from + 1}, ${to}) n`
  await script(
    sql,
    `
    insert into checkout_sessions (${columns.join(', ')})
    select ${values.join(', ')} from checkout_sessions o, ${series} where o.id = '${id}'`,
  )
  await script(
    sql,
    `
    insert into checkout_session_accounts (merchant_id, account_number, session_id)
    select o.merchant_id, o.account_number, ${numbered('cs')}
    from checkout_session_accounts o, ${series} where o.session_id = '${id}'`,
  )
  await script(
    sql,
    `
    insert into checkout_session_deltas (merchant_id, created_day, owner_identity_id, account_numbers, status, change)
    select merchant_id, created_day, owner_identity_id,
      array(select account_number from checkout_session_accounts where session_id = '${id}'), status, ${to - from}
    from checkout_sessions where id = '${id}'`,
  )
  await script(
    sql,
    `
    insert into events (merchant_id, stream_id, sequence, id, type, data, created_at)
    select o.merchant_id, ${numbered('cs')}, 1, ${numbered('evt')}, o.type, o.data, o.created_at
    from events o, ${series} where o.stream_id = '${id}' and o.sequence = 1`,
  )
}

async function columnsOf(sql: Sql, table: string): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select attname as name from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`
  return rows.map((row) => row.name)
}

/** Whether any is left. As long as the last of them waits, the index is not asked: it is full of what has expired. */
async function isWaiting({ sql, count }: Stage, dueAt: number): Promise<boolean> {
  const id = `cs_0${String(count).padStart(25, '0')}`
  const [last] = await sql<{ status: string }[]>`select status from checkout_sessions where id = ${id}`
  if (last?.status !== 'EXPIRED') return true
  const rows = await sql`
    select 1 from checkout_sessions
    where status in ('ATTEMPT', 'ACTIVE') and deleted_at is null and expires_at <= to_timestamp(${dueAt / 1000}) limit 1`
  return rows.length > 0
}

/** Waits until every event has its place in the log; seconds since `began`. */
async function waitForLog(sql: Sql, began: number): Promise<number> {
  for (;;) {
    const rows = await sql`select 1 from event_outbox limit 1`
    if (rows.length === 0) return (Date.now() - began) / 1000
    await sleep(50)
  }
}

/**
 * Starts a create every 1/rate seconds, whether those before it were answered or not, until `isOver`; the times count from
 * the moment a create should have started, so that a server that stands still shows.
 */
async function createAtRate(
  create: () => Promise<void>,
  perSecond: number,
  isOver: () => Promise<boolean>,
  mostMs = secondsMax * 2_000,
): Promise<{ p50Ms: number; p99Ms: number; p99MsByMinute: number[] }> {
  const byMinute: number[][] = []
  const running = new Set<Promise<void>>()
  let failure: unknown
  const began = performance.now()
  let started = 0
  let askedAt = began
  let over = false
  while (!over && performance.now() - began < mostMs) {
    for (const due = ((performance.now() - began) / 1000) * perSecond; started < due; started++) {
      const planned = began + (started / perSecond) * 1000
      const one = create()
        .then(() => {
          const ms = performance.now() - planned
          const minute = Math.floor((planned - began) / 60_000)
          byMinute[minute] ??= []
          byMinute[minute].push(ms)
        })
        .catch((error: unknown) => {
          failure = error
        })
        .finally(() => running.delete(one))
      running.add(one)
    }
    if (failure) throw failure
    await sleep(1)
    if (performance.now() - askedAt > 200) {
      askedAt = performance.now()
      over = await isOver()
    }
  }
  await Promise.all(running)
  return { ...percentiles(byMinute.flat()), p99MsByMinute: byMinute.map((times) => percentiles(times).p99Ms) }
}
