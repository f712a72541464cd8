/** Several real processes on one Postgres: those that answer, those that work, and one that is killed in the middle. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Sql } from '@pasarela/sql'
import { versionV2 } from '../src/access/caller.ts'
import { type FreshDatabase, freshDatabase, openOwner } from './database.ts'
import { type Receiver, startReceiver } from './receiver.ts'

const program = fileURLToPath(new URL('../bin/pasarela.js', import.meta.url))
const env = {
  ...process.env,
  PASARELA_MASTER_KEY: randomBytes(32).toString('base64'),
  LOG_LEVEL: 'error',
  DATABASE_URL: '',
}
const children = new Set<ChildProcess>()
let folder: string
let database: FreshDatabase
let sql: Sql
let receiver: Receiver
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pasarela-roles-'))
  database = await freshDatabase()
  sql = openOwner(database.url, 2)
  receiver = await startReceiver()
})
after(async () => {
  for (const child of children) child.kill('SIGKILL')
  await receiver.close()
  await sql.end()
  await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

type Running = { child: ChildProcess; url: string; ended: Promise<number | null> }

async function start(role: string, args: string[] = []): Promise<Running> {
  const options = ['--role', role, '--port', '0', '--data-dir', folder, '--database-url', database.url]
  const child = spawn(process.execPath, [program, 'start', ...options, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const ready = new Promise<string>((resolve) => {
    let said = ''
    child.stdout.on('data', (chunk) => {
      said += chunk
      const line = /^Pasarela (?:ready: (http:\S+)|worker ready)$/m.exec(said)
      if (line) resolve(line[1] ?? '')
    })
  })
  const url = await Promise.race([ready, ended])
  assert.equal(typeof url, 'string', `${role} did not start`)
  return { child, url: String(url), ended }
}

type Sandbox = {
  apiKey: string
  clientId: string
  clientSecret: string
  accounts: Record<string, string>
  identityId: string
}

/** Calls one of the processes as the seeded client. */
async function callerOf(url: string, sandbox: Sandbox) {
  const base = { 'x-api-key': sandbox.apiKey, 'content-type': 'application/json', 'conomyhq-api-version': versionV2 }
  const { clientId, clientSecret } = sandbox
  const signIn = await fetch(`${url}/auth`, {
    method: 'POST',
    headers: base,
    body: JSON.stringify({ clientId, clientSecret }),
  })
  const { accessToken } = (await signIn.json()) as { accessToken: string }
  return async (method: string, path: string, body?: object) => {
    const headers = { ...base, authorization: `Bearer ${accessToken}` }
    const answer = await fetch(url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
    const text = await answer.text()
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${text}`)
    return JSON.parse(text)
  }
}

/** Waits for something that other processes bring about; fails when they do not. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const startedMs = performance.now(); performance.now() - startedMs < 20_000; await pause(25)) {
    if (await holds()) return
  }
  assert.fail(`did not happen: ${what}`)
}

const streamsOf = (got: Receiver['got']) => new Set(got.map(({ headers }) => String(headers['pasarela-stream'])))

test('api and worker apart, two of each; a worker killed in the middle loses nothing', {
  timeout: 90_000,
}, async () => {
  const api = [await start('api', ['--sandbox']), await start('api')]
  const sandbox = JSON.parse(readFileSync(join(folder, 'sandbox.json'), 'utf8')) as Sandbox
  const calls = await Promise.all(api.map(({ url }) => callerOf(url, sandbox)))
  const call = (n: number) => calls[n % calls.length] ?? assert.fail()
  await call(0)('POST', '/webhook-endpoints', { url: receiver.url, eventTypes: ['checkout_session.*'] })
  const body = (n: number) => ({
    checkoutToken: `roles-${n}`,
    items: [{ description: 'Té', preTaxAmount: '10.00', totalAmount: '10.00' }],
    currency: 'BRL',
    paymentMethodsAllowed: ['PIX'],
    destinations: [{ type: 'ACCOUNT', amount: '10.00', account: { accountNumber: sandbox.accounts.BRL } }],
    duration: 3600,
    owner: { identityId: sandbox.identityId },
  })
  const ids: string[] = []
  for (let n = 0; n < 30; n++) {
    ids.push((await call(n)('POST', '/checkout-sessions', body(n))).id)
    await call(n + 1)('POST', `/checkout-sessions/token/roles-${n}/refresh`, {})
  }
  const [waiting] = await sql<{ events: number }[]>`select count(*)::int as events from event_outbox`
  assert.ok(waiting && waiting.events >= 60, 'the api role does none of the work')
  assert.equal(receiver.got.length, 0)

  receiver.behave(() => new Promise(() => undefined))
  const doomed = await start('worker')
  await until('the first worker holds every stream', () => streamsOf(receiver.got).size === ids.length)
  doomed.child.kill('SIGKILL')
  await doomed.ended
  receiver.got.length = 0
  receiver.behave(() => 200)
  const workers = [await start('worker'), await start('worker')]
  await call(0)('POST', '/checkout-sessions', body(100))
  await until('a new stream is told at once, although the dead worker has leases', () => receiver.got.length === 1)
  // What would happen by itself 30 seconds later.
  await sql`update webhook_queues set leased_until = now() where leased_until is not null`
  await until('everything arrived', () => receiver.got.length >= 2 * ids.length + 1)
  for (const id of ids) {
    const numbers = receiver.got
      .filter(({ headers }) => headers['pasarela-stream'] === id)
      .map((got) => got.body.sequence)
    assert.deepEqual(numbers, [1, 2])
  }
  await until('all of it is on record', async () => {
    const [row] = await sql`select count(*)::int as waiting from webhook_deliveries where status <> 'DELIVERED'`
    return row?.waiting === 0
  })
  for (const { child } of [...api, ...workers]) child.kill('SIGTERM')
  for (const { ended } of [...api, ...workers]) assert.equal(await ended, 0)
})

test('a role that there is not is refused by name', async () => {
  const child = spawn(process.execPath, [program, 'start', '--role', 'boss'], { env })
  children.add(child)
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  assert.equal(await new Promise((resolve) => child.on('close', resolve)), 1)
  assert.equal(said, 'pasarela: --role (PASARELA_ROLE) is "boss"; give one of both, api, worker.\n')
})
