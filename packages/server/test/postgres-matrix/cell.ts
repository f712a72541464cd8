/** One cell of the matrix: start, five calls, doctor, dump, restore where the role is missing, and start again. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { versionV2 } from '../../src/access/caller.ts'
import { type Cluster, type PoolMode, password, startPooler, urlOf } from './servers.ts'
import type { Tools } from './tools.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../../bin/pasarela.js', import.meta.url))
const startMs = 90_000
const masterKey = Buffer.alloc(32, 9).toString('base64')
const database = 'shop'

export type Owner = 'superuser' | 'createrole' | 'plain'
/** How the server reaches the database. */
export type Way = { name: string; mode?: PoolMode }
export type Cell = { owner: Owner; way: Way; tools: Tools; folder: string; first: Cluster; second: Cluster }
export type Outcome = { is: 'works' | 'refuses' | 'FAILS'; says: string }

/** What a process said when it did not start. */
class NotStarted extends Error {
  override readonly name = 'NotStarted'
}

/** Tries everything. Refused in one sentence is a good outcome too; anything else that does not work is not. */
export async function tryCell(cell: Cell): Promise<Outcome> {
  const login = `owner_${cell.owner}`
  mkdirSync(cell.folder)
  const pooler = cell.way.mode
    ? await startPooler(cell.tools, join(cell.folder, 'pooler'), {
        mode: cell.way.mode,
        login,
        databases: { [database]: cell.first.port, restored: cell.second.port },
      })
    : undefined
  const url = (name: string, cluster: Cluster) => urlOf(login, pooler?.port ?? cluster.port, name)
  try {
    await makeOwner(cell.first, login, cell.owner, database)
    if (cell.owner === 'plain') await letAdministratorHelp(cell.first, login)
    const session = await tryServer(cell, url(database, cell.first), 'sandbox')
    await restore(cell, login)
    if (cell.owner === 'plain') await refuseThenHelp(cell, url('restored', cell.second), login)
    await tryServer(cell, url('restored', cell.second), session)
    return { is: 'works', says: '' }
  } catch (error) {
    const says = error instanceof Error ? error.message.trim() : String(error)
    const isRefusal = error instanceof NotStarted && /^pasarela: [^\n]+$/.test(says)
    return { is: isRefusal ? 'refuses' : 'FAILS', says: says.replace(/^pasarela: /, '') }
  } finally {
    await pooler?.stop()
    await forget(cell.first, login, database)
    await forget(cell.second, login, 'restored')
  }
}

async function makeOwner(cluster: Cluster, login: string, owner: Owner, name: string): Promise<void> {
  const option = owner === 'plain' ? '' : owner
  await cluster.sql('postgres', `create role ${login} login password '${password}' ${option}`)
  await cluster.sql('postgres', `create database ${name} owner ${login}`)
}

async function letAdministratorHelp(cluster: Cluster, login: string): Promise<void> {
  await cluster.sql('postgres', `create role pasarela_app nologin; grant pasarela_app to ${login}`)
}

/** The sentence that a plain owner gets has SQL that helps: it is run as it stands. */
async function refuseThenHelp(cell: Cell, url: string, login: string): Promise<void> {
  const refusal = await startServer(cell, url).then(
    () => undefined,
    (error: Error) => error.message,
  )
  const sql = /run once: (.+)$/m.exec(refusal ?? '')?.[1]
  if (!sql?.includes(login)) throw new Error(`no SQL for the administrator of a restored database: ${refusal}`)
  await cell.second.sql('postgres', sql)
}

async function forget(cluster: Cluster, login: string, name: string): Promise<void> {
  await cluster.sql('postgres', `drop database if exists ${name} with (force)`)
  await cluster.sql('postgres', 'drop role if exists pasarela_app')
  await cluster.sql('postgres', `drop role if exists ${login}`)
}

/** As an operator who carries a database over: what fails for the missing role is lost. */
async function restore({ tools, folder, first, second, owner }: Cell, login: string): Promise<void> {
  const dump = join(folder, 'dump')
  await run(tools.pgDump, ['-Fc', '-f', dump, '-d', urlOf(login, first.port, database)])
  await makeOwner(second, login, owner, 'restored')
  const args = ['-d', urlOf(login, second.port, 'restored'), dump]
  const said = await run(tools.pgRestore, args).then(
    () => '',
    (error: { stderr: string }) => error.stderr,
  )
  if (!said.includes('role "pasarela_app" does not exist')) throw new Error(`the restored dump lost no grants: ${said}`)
}

/** Starts the server, makes the calls, asks the doctor and stops. Resolves with the session that was paid. */
async function tryServer(cell: Cell, url: string, sessionId: string): Promise<string> {
  const server = await startServer(cell, url)
  try {
    const id = await fiveCalls(server.baseUrl, join(cell.folder, 'sandbox.json'), sessionId)
    await askDoctor(url)
    return id
  } finally {
    await stopServer(server.child)
  }
}

type Server = { child: ChildProcess; baseUrl: string }

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PASARELA_MASTER_KEY: masterKey, LOG_LEVEL: 'error', DATABASE_URL: '' }
}

async function startServer({ folder }: Cell, url: string): Promise<Server> {
  const args = ['start', '--port', '0', '--sandbox', '--data-dir', folder, '--database-url', url]
  const child = spawn(process.execPath, [program, ...args], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  for (let waitedMs = 0; waitedMs < startMs; waitedMs += 50) {
    const ready = /^Pasarela ready: (http:\S+)$/m.exec(stdout)
    if (ready?.[1]) return { child, baseUrl: ready[1] }
    if (child.exitCode !== null) throw new NotStarted(stderr)
    await pause(50)
  }
  child.kill('SIGKILL')
  throw new Error(`it neither started nor ended in ${startMs / 1_000} s: ${stderr}`)
}

async function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) throw new Error('the server ended by itself')
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
  child.kill('SIGTERM')
  const code = await Promise.race([ended, pause(15_000).then(() => undefined)])
  child.kill('SIGKILL')
  if (code !== 0) throw new Error(`the server did not stop well: ${code}`)
}

type Answer = { id: string; status: string; accessToken: string }

/** Signs in, creates a session, pays it, waits until it is finished, lists. A session that was paid before is looked up too. */
async function fiveCalls(baseUrl: string, sandboxFile: string, paidBefore: string): Promise<string> {
  const sandbox = JSON.parse(readFileSync(sandboxFile, 'utf8'))
  const headers: Record<string, string> = { 'x-api-key': sandbox.apiKey, 'content-type': 'application/json' }
  const call = async (method: string, path: string, body?: object): Promise<Answer> => {
    const answer = await fetch(baseUrl + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return JSON.parse(text)
  }
  const { clientId, clientSecret } = sandbox
  const { accessToken } = await call('POST', '/auth', { clientId, clientSecret })
  headers.authorization = `Bearer ${accessToken}`
  headers['conomyhq-api-version'] = versionV2
  const { id } = await call('POST', '/checkout-sessions', sessionOf(sandbox))
  await call('POST', `/checkout-sessions/${id}/payments`, payment)
  for (let waitedMs = 0; (await call('GET', `/checkout-sessions/${id}`)).status !== 'FINISHED'; waitedMs += 200) {
    if (waitedMs > 30_000) throw new Error('the payment was not settled')
    await pause(200)
  }
  await call('GET', '/checkout-sessions?status=FINISHED')
  if (paidBefore !== 'sandbox') {
    const { status } = await call('GET', `/checkout-sessions/${paidBefore}`)
    if (status !== 'FINISHED') throw new Error(`the session that was paid before the dump is ${status}`)
  }
  return id
}

function sessionOf(sandbox: { accounts: Record<string, string>; identityId: string }): object {
  return {
    checkoutToken: `matrix-${performance.now()}`,
    items: [{ description: 'Té', preTaxAmount: '10.00', totalAmount: '10.00' }],
    currency: 'BRL',
    paymentMethodsAllowed: ['PIX'],
    destinations: [{ type: 'ACCOUNT', amount: '10.00', account: { accountNumber: sandbox.accounts.BRL } }],
    duration: 3600,
    owner: { identityId: sandbox.identityId },
  }
}

const customer = {
  firstName: 'Ana',
  lastName: 'Souza',
  email: 'ana@example.com',
  documentType: 'CPF',
  documentNumber: '52998224725',
}
const payment = { origins: [{ type: 'PIX', currency: 'BRL', pix: { customer } }] }

async function askDoctor(url: string): Promise<void> {
  const args = [program, 'doctor', '--data-dir', '/nonexistent', '--database-url', url]
  await run(process.execPath, args, { env: environment() }).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`the doctor: ${error.stdout.match(/^BAD.*$/gm)?.join(' ') ?? error.stderr}`)
  })
}
