/** One run: load on several servers and one Postgres, each killed without warning at random moments, and a reckoning at the end. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { buildContext } from '../packages/server/src/context.ts'
import { openPool, type Sql } from '../packages/server/src/kit/db.ts'
import { migrate } from '../packages/server/src/kit/migrate.ts'
import { seedSandbox } from '../packages/server/src/seed.ts'
import { freePort } from '../packages/sql/src/ports.ts'
import { type Client, openClient } from './client.ts'
import { type Database, openDatabase } from './database.ts'
import { type Random, random } from './random.ts'
import { followEvents, type Reader } from './reader.ts'
import { countTaken, openReceiver, orderFaults, type Receiver } from './receiver.ts'
import { runServer, type Server } from './server.ts'
import { type Intents, shopUntilEnd } from './shopper.ts'
import { type Findings, verify } from './verify.ts'

export type ChaosOptions = {
  seconds: number
  seed: number
  /** For everything that the run writes; the caller removes it. */
  folder: string
  shoppers?: number
  /** Between two kills: at least and at most. */
  pauseMs?: readonly [number, number]
  /** Ends leases that killed processes left by moving the merchant's clock instead of waiting for them. */
  hurry?: boolean
  say?: (line: string) => void
}

export type ChaosReport = Findings & {
  seed: number
  kills: Record<string, number>
  requests: number
  unanswered: number
  answeredWrites: number
  statuses: Record<number, number>
  sessions: number
  acceptedPayments: number
  refunds: number
  /** From a kill until the next write that was sent after it was answered; `atSeconds` of the run. */
  recoveries: { victim: string; atSeconds: number; ms: number }[]
  /** From the start of a server until it served. */
  startMs: number[]
  quietSeconds: number
  eventsRead: number
  /** Different messages that the webhook receiver took, and how many it took in all. */
  webhooks: number
  webhooksTaken: number
}

type Kill = { victim: string; atMs: number; backMs: number | undefined }

/** What `killEverything` ends when the process itself is told to end. */
const living: { database: Database | undefined; servers: Server[] } = { database: undefined, servers: [] }

/** kill -9 of all that a run has started, for a process that ends now. */
export function killEverything(): void {
  for (const server of living.servers) server.killNow()
  living.database?.killNow()
}

/** Runs load and kills for `seconds`, waits until all is quiet, and says what it found. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { folder, say = () => undefined } = options
  const choices = random(options.seed)
  const database = await openDatabase(join(folder, 'data'))
  living.database = database
  try {
    await migrate(database.url)
    const masterKey = randomBytes(32)
    const seed = await seedMerchant(database.url, masterKey)
    const { servers, addresses } = await startServers(database.url, masterKey, folder)
    living.servers = servers
    await Promise.all(servers.map((server) => server.ready()))
    say(`${servers.length} servers and Postgres run; the ledger of answers is ${join(folder, 'answers.jsonl')}`)
    const kills: Kill[] = []
    const client = openClient({
      addresses,
      seed,
      random: choices.branch(1),
      ledgerFile: join(folder, 'answers.jsonl'),
      onWrite: (begunMs) => {
        for (const kill of kills) if (kill.backMs === undefined && begunMs > kill.atMs) kill.backMs = performance.now()
      },
    })
    const run = { ...options, say, choices, database, servers, client, kills }
    const result = await live(run, seed)
    client.close()
    const codes = await Promise.all(servers.map((server) => server.stop()))
    result.wrong.push(...codes.flatMap((code, i) => (code === 0 ? [] : [`${servers[i]?.name} ended with ${code}`])))
    await database.stop()
    return result
  } finally {
    killEverything()
    if (database.isUp()) await database.kill()
    living.servers = []
    living.database = undefined
  }
}

async function seedMerchant(databaseUrl: string, masterKey: Uint8Array) {
  const log = pino({ level: 'silent' })
  const ctx = await buildContext({ databaseUrl, publicUrl: 'http://127.0.0.1', masterKey, log, poolSize: 4 })
  try {
    return await seedSandbox(ctx)
  } finally {
    await ctx.close()
  }
}

async function startServers(databaseUrl: string, masterKey: Uint8Array, folder: string) {
  const addresses: URL[] = []
  const servers: Server[] = []
  const roles = { 'server 1': 'both', 'server 2': 'api', worker: 'worker' }
  for (const [name, role] of Object.entries(roles)) {
    const port = await freePort('127.0.0.1')
    const place = ['--port', String(port), '--database-url', databaseUrl, '--data-dir', join(folder, name)]
    const args = ['--role', role, ...place]
    const logFile = join(folder, `${name.replace(' ', '-')}.log`)
    servers.push(runServer({ name, args, masterKey: Buffer.from(masterKey).toString('base64'), logFile }))
    if (role !== 'worker') addresses.push(new URL(`http://127.0.0.1:${port}`))
  }
  return { servers, addresses }
}

type Run = ChaosOptions & {
  say: (line: string) => void
  choices: Random
  database: Database
  servers: Server[]
  client: Client
  kills: Kill[]
}

async function live(run: Run, seed: Awaited<ReturnType<typeof seedMerchant>>): Promise<ChaosReport> {
  const { client, choices, servers, kills, say } = run
  const untilMs = performance.now() + run.seconds * 1000
  await client.signIn(untilMs)
  const intents: Intents = { sessions: [], minted: [], payments: [], refunds: [] }
  const receiver = await openReceiver(choices.branch(3))
  const hook = { url: receiver.url, format: 'standard', eventTypes: ['*'] }
  const made = await client.insist({ method: 'POST', path: '/webhook-endpoints', body: hook }, untilMs)
  if (made?.status !== 201) throw new Error(`no webhook endpoint: ${JSON.stringify(made)}`)
  receiver.secret = made.body.secret
  const reader = followEvents(client)
  // A killed process keeps an Idempotency-Key for 30 s: time enough to wait for, unless in a hurry.
  const patienceMs = run.hurry ? 2_000 : 45_000
  const shoppers = Array.from({ length: run.shoppers ?? 8 }, (_, index) =>
    shopUntilEnd({ client, seed, random: choices.branch(10 + index), intents, untilMs, patienceMs }, `s${index}`),
  )
  await killUntil(run, untilMs)
  await Promise.all(shoppers)
  say('the load is over; waiting until all is quiet')
  if (!run.database.isUp()) await run.database.start()
  await Promise.all(servers.map((server) => server.ready()))
  const sql = openPool(run.database.url, { max: 2, applicationName: 'pasarela chaos', statementTimeoutMs: 120_000 })
  try {
    const quietSeconds = await waitForQuiet(run, sql)
    await reader.stop(performance.now() + 30_000)
    const findings = await verify(sql, client.answers, intents)
    findings.wrong.push(...readerFaults(reader, findings.events), ...servers.flatMap((server) => server.unasked))
    findings.wrong.push(...lastKillFaults(kills))
    findings.wrong.push(...orderFaults(receiver), ...missing(run, receiver, findings.events))
    const webhooks = { webhooks: countTaken(receiver), webhooksTaken: receiver.taken.length }
    return { ...findings, ...(await figures(sql)), ...reportOf(run, reader), ...webhooks, quietSeconds }
  } finally {
    await receiver.close()
    await sql.end({ timeout: 2 })
  }
}

/** Kills something every now and then, also what is just coming back; what is killed is started again a moment later. */
async function killUntil(run: Run, untilMs: number): Promise<void> {
  const { choices, database, servers, kills, say } = run
  const [from, to] = run.pauseMs ?? [300, 4_000]
  const weights = { postgres: 3, everything: 1, ...Object.fromEntries(servers.map((server) => [server.name, 2])) }
  const dice = choices.branch(2)
  let restart = Promise.resolve()
  for (;;) {
    await sleep(dice.between(from, to))
    if (performance.now() > untilMs - 1_000) return restart
    const wanted = dice.weighed(weights)
    const victim = database.isUp() || !['postgres', 'everything'].includes(wanted) ? wanted : dice.pick(servers).name
    const pauseMs = dice.between(0, 800)
    kills.push({ victim, atMs: performance.now(), backMs: undefined })
    say(`kill -9 ${victim}`)
    for (const server of servers) if (victim === 'everything' || victim === server.name) server.kill(pauseMs)
    if (victim !== 'everything' && victim !== 'postgres') continue
    await database.kill()
    restart = sleep(pauseMs).then(() => database.start())
    restart.catch(() => undefined)
  }
}

/** Waits until nothing is left that a job would do by itself. Returns how many seconds that took. */
async function waitForQuiet({ client, hurry }: Run, sql: Sql): Promise<number> {
  const begunMs = performance.now()
  const patienceMs = 120_000
  if (hurry) {
    const jump = { method: 'POST', path: '/clock/advance', body: { seconds: 120 } } as const
    await client.insist(jump, begunMs + patienceMs)
  }
  for (;;) {
    const [row] = await sql<{ busy: number }[]>`
      select (select count(*) from event_outbox) + (select count(*) from sandbox_notices)
        + (select count(*) from notices where next_at is not null and effect is null and attention is null and payment_id is not null)
        + (select count(*) from payments where hold is null and related_payment_id is null and (status in ('CAPTURED', 'RECEIVED')
            or (status = 'CREATED' and origin::text not like '%+silent%')))
        + (select count(*) from webhook_queues where due_at is not null and ${!hurry}) as busy`
    if (Number(row?.busy) === 0) return (performance.now() - begunMs) / 1000
    if (performance.now() - begunMs > patienceMs)
      throw new Error(`not quiet after ${patienceMs / 1000} s: ${row?.busy} left`)
    await sleep(200)
  }
}

function readerFaults({ places }: Reader, events: number): string[] {
  const wrong = places.findIndex((place, index) => place !== index + 1)
  if (wrong !== -1) return [`a reader of /events met place ${places[wrong]} where ${wrong + 1} was due`]
  return places.length === events ? [] : [`a reader of /events saw ${places.length} of ${events} events`]
}

/** Every event has come, unless there was no time to wait for the leases of killed workers. */
function missing({ hurry }: Run, receiver: Receiver, events: number): string[] {
  const count = countTaken(receiver)
  return hurry || count === events ? [] : [`a webhook receiver was told of ${count} of ${events} events`]
}

/** A kill after which nothing was ever written is only right at the very end. */
function lastKillFaults(kills: readonly Kill[]): string[] {
  const answeredLater = kills.findLastIndex((kill) => kill.backMs !== undefined)
  return kills
    .slice(0, answeredLater)
    .flatMap((kill) => (kill.backMs === undefined ? [`never back after ${kill.victim}`] : []))
}

async function figures(sql: Sql) {
  const [row] = await sql<{ sessions: number; acceptedPayments: number; refunds: number }[]>`
    select (select count(*)::int from checkout_sessions) as sessions,
      (select count(*)::int from payments where accepted_at is not null) as accepted_payments,
      (select count(*)::int from payments where type = 'REFUND') as refunds`
  if (!row) throw new Error('no figures')
  return row
}

function reportOf({ seed, client, kills, servers }: Run, reader: Reader) {
  const counted: Record<string, number> = {}
  for (const { victim } of kills) counted[victim] = (counted[victim] ?? 0) + 1
  return {
    seed,
    kills: counted,
    requests: client.counts.requests,
    unanswered: client.counts.unanswered,
    answeredWrites: client.counts.writes,
    statuses: client.counts.statuses,
    recoveries: kills.flatMap(({ victim, atMs, backMs }) =>
      backMs === undefined ? [] : [{ victim, atSeconds: atMs / 1000, ms: backMs - atMs }],
    ),
    startMs: servers.flatMap((server) => server.startMs),
    eventsRead: reader.places.length,
  }
}
