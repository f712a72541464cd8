/**
 * `npm run bench`: what the server does per second, beside a bare loop of the same work on the same Postgres in the same run.
 * Options: --seconds N (per figure, default 5), --connections 1,8,64.
 */
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import postgres from 'postgres'
import { startPostgres } from '../server/src/kit/embedded-postgres.ts'
import { migrate } from '../server/src/kit/migrate.ts'
import type { SandboxSeed } from '../server/src/seed.ts'
import { openBare } from './bare.ts'
import { openClient, pixBody, sessionBody } from './client.ts'
import { type Figures, measure } from './measure.ts'
import { createScript, findPgbench, pgbenchScript, pgbenchTpcb } from './pgbench.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '1,8,64' },
    'pgbench-clients': { type: 'string', default: '32' },
  },
})
const seconds = Number(values.seconds)
const connections = values.connections.split(',').map(Number)
const pgbenchClients = Number(values['pgbench-clients'])

const dataDir = join(tmpdir(), `pasarela-bench-${process.pid}`)
const database = await startPostgres({ dataDir, holder: 'pasarela bench' })
try {
  await migrate(database.url)
  await bench(database.url)
} finally {
  await database.stop()
  rmSync(dataDir, { recursive: true, force: true })
}

async function bench(databaseUrl: string): Promise<void> {
  const masterKey = randomBytes(32)
  const child = fork(new URL('target.ts', import.meta.url), [databaseUrl, masterKey.toString('base64')], {
    execArgv: [],
  })
  const { address, seed } = await message<{ address: string; seed: SandboxSeed }>(child)
  const bare = await openBare(databaseUrl, masterKey, seed)
  const fastest = { creates: 0, flows: 0 }
  console.log('| what | connections | per second | p50 ms | p99 ms | bare loop per second | ratio |')
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |')
  for (const count of connections) {
    const client = await openClient(address, seed, count)
    const expect = async (status: number, method: string, path: string, body?: unknown) => {
      const answer = await client.call(method, path, body)
      if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`)
      return JSON.parse(answer.text)
    }
    const creates = await measure(
      count,
      seconds,
      async () => void (await expect(201, 'POST', '/checkout-sessions', sessionBody(seed))),
    )
    const bareCreates = await measure(count, seconds, bare.create)
    print('create a session', count, creates, bareCreates)
    fastest.creates = creates.perSecond
    const flows = await measure(count, seconds, async () => {
      const session = await expect(201, 'POST', '/checkout-sessions', sessionBody(seed))
      const payment = await expect(200, 'POST', `/checkout-sessions/${session.id}/payments`, pixBody)
      await expect(200, 'POST', '/payments/received', { transactionId: payment.id })
      const read = await expect(200, 'GET', `/checkout-sessions/${session.id}`)
      if (read.status !== 'FINISHED') throw new Error(`the paid session is ${read.status}`)
    })
    const bareFlows = await measure(count, seconds, bare.flow)
    print('whole paid flow', count, flows, bareFlows)
    fastest.flows = flows.perSecond
    client.close()
  }
  if (pgbenchClients > 0) await compare(databaseUrl, fastest)
  child.send('memory')
  const { residentMb } = await message<{ residentMb: number }>(child)
  console.log(`\nResident memory of the server after this: ${residentMb.toFixed(0)} MB.`)
  console.log(
    '"create": the bare loop is the one INSERT statement of a create, without HTTP, checks, look-ups or quote.',
  )
  console.log('"whole paid flow": the bare loop is the same statements without HTTP: create, submit, receipt, read.')
  await bare.close()
  child.send('stop')
  await new Promise((resolve) => child.once('exit', resolve))
}

/** The figures at the last number of connections beside PostgreSQL's own benchmark with 32 clients on the same server. */
async function compare(databaseUrl: string, ours: { creates: number; flows: number }): Promise<void> {
  const pgbench = findPgbench()
  if (!pgbench) {
    console.log('\npgbench is not installed: not comparable.')
    return
  }
  const options = { clients: pgbenchClients, seconds }
  const inserts = await pgbenchScript(pgbench, databaseUrl, createScript(await sampleRows(databaseUrl)), options)
  const tpcb = await pgbenchTpcb(pgbench, databaseUrl, { ...options, scale: 50 })
  console.log('\n| what | per second | yardstick | its rate | ratio |\n| --- | ---: | --- | ---: | ---: |')
  const row = (what: string, rate: number, yardstick: string, its: number) =>
    console.log(`| ${what} | ${rate.toFixed(0)} | ${yardstick} | ${its.toFixed(0)} | ${(rate / its).toFixed(2)} |`)
  row('create a session', ours.creates, `pgbench, the same rows, ${pgbenchClients} clients`, inserts)
  row('whole paid flow', ours.flows, `pgbench TPC-B-like, ${pgbenchClients} clients, scale 50`, tpcb)
}

/** Rows as one create left them. */
async function sampleRows(databaseUrl: string) {
  const sql = postgres(databaseUrl, { max: 1 })
  const [session] = await sql`select * from checkout_sessions where status = 'ATTEMPT' limit 1`
  const [account] = await sql`select * from checkout_session_accounts where session_id = ${session?.id}`
  const [event] = await sql`select * from events where stream_id = ${session?.id} and sequence = 1`
  await sql.end()
  if (!session || !account || !event) throw new Error('no create left its rows')
  return { session, account, event }
}

function print(what: string, count: number, figures: Figures, yardstick: Figures): void {
  const cells = [
    what,
    count,
    figures.perSecond.toFixed(0),
    figures.p50Ms.toFixed(1),
    figures.p99Ms.toFixed(1),
    yardstick.perSecond.toFixed(0),
    (figures.perSecond / yardstick.perSecond).toFixed(2),
  ]
  console.log(`| ${cells.join(' | ')} |`)
}

function message<T>(child: ReturnType<typeof fork>): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (value) => resolve(value as T))
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
}
