/** Starting and ending as real processes: what an operator does, and what power cuts and impatience do. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isPostgresProcess, readPidFile, stopPostgres } from '@pasarela/postgres-embedded'
import { whyNotListen } from '@pasarela/sql/ports'
import { clusterUrl, emptyDatabase, freshDatabase, openOwner } from './database.ts'
import { openWire, through } from './wire.ts'

const program = fileURLToPath(new URL('../bin/pasarela.js', import.meta.url))
const children = new Set<ChildProcess>()
const folders = new Set<string>()

type Ended = { code: number | null; stdout: string; stderr: string }
type Running = { child: ChildProcess; url: string; stdout: () => string; ended: Promise<Ended> }

/** Runs `pasarela` with these arguments, away from this machine's own settings. */
function pasarela(
  args: string[],
  env: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<Ended>; stdout: () => string } {
  const unset = {
    PORT: '',
    HOST: '',
    DATABASE_URL: '',
    PASARELA_DATA_DIR: '',
    PASARELA_PUBLIC_URL: '',
    PASARELA_MASTER_KEY: '',
    PASARELA_ROLE: '',
  }
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...unset, LOG_LEVEL: 'error', ...env },
  })
  children.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
  return { child, ended, stdout: () => stdout }
}

async function start(dataDir: string, args: string[] = [], env: Record<string, string> = {}): Promise<Running> {
  const { child, ended, stdout } = pasarela(['start', '--port', '0', '--data-dir', dataDir, ...args], env)
  const ready = new Promise<string>((resolve) => {
    child.stdout?.on('data', () => {
      const line = /^Pasarela ready: (http:\S+)$/m.exec(stdout())
      if (line?.[1]) resolve(line[1])
    })
  })
  const url = await Promise.race([ready, ended])
  assert.equal(typeof url, 'string', `it did not start: ${JSON.stringify(url)}`)
  return { child, url: String(url), stdout, ended }
}

/** One line that says what is wrong, nothing on stdout, exit code 1, no stack. */
async function assertRefused(ended: Promise<Ended>, reason: RegExp): Promise<void> {
  const { code, stdout, stderr } = await ended
  assert.match(stderr, reason)
  assert.match(stderr, /^pasarela: [^\n]+\n$/)
  assert.equal(stdout, '')
  assert.equal(code, 1)
}

async function assertServes(running: Running): Promise<void> {
  const answer = await fetch(`${running.url}/openapi.json`)
  assert.equal(answer.status, 200)
  await answer.arrayBuffer()
}

type Secrets = { apiKey: string; clientId: string; clientSecret: string }

/** The status that these credentials are answered with. */
async function signIn(running: Running, { apiKey, clientId, clientSecret }: Secrets): Promise<number> {
  const answer = await fetch(`${running.url}/auth`, {
    method: 'POST',
    headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ clientId, clientSecret }),
  })
  await answer.arrayBuffer()
  return answer.status
}

function readSandbox(dataDir: string) {
  return JSON.parse(readFileSync(join(dataDir, 'sandbox.json'), 'utf8')) as Secrets & {
    baseUrl: string
    accounts: Record<string, string>
  }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pasarela-start-'))
  folders.add(folder)
  return join(folder, 'data')
}

function databasePid(dataDir: string): number {
  const pid = readPidFile(dataDir)?.pid ?? 0
  assert.ok(isPostgresProcess(pid), 'the database runs')
  return pid
}

/** As a SIGTERM ends it. */
async function stop({ child, ended }: Running): Promise<void> {
  child.kill('SIGTERM')
  assert.equal((await ended).code, 0)
}

/** What a kill -9 of this process alone leaves. */
async function killNode({ child, ended }: Running): Promise<void> {
  child.kill('SIGKILL')
  await ended
}

after(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const folder of folders) {
    const pid = readPidFile(join(folder, 'data'))?.pid
    if (pid) await stopPostgres({ pid })
    rmSync(folder, { recursive: true, force: true })
  }
})

describe('start on an empty folder', () => {
  const dataDir = newFolder()
  let first: Running

  before(async () => {
    first = await start(dataDir)
  })

  it('serves, and says so in exactly one line', async () => {
    await assertServes(first)
    assert.equal(first.stdout().match(/Pasarela ready/g)?.length, 1)
  })

  it('prints a checkout to try that works when it is pasted', async () => {
    const script = first.stdout().slice(first.stdout().indexOf('\nKEY='))
    const { stdout } = await promisify(execFile)('sh', ['-c', script])
    const session = JSON.parse(stdout)
    assert.equal(session.status, 'ATTEMPT')
    assert.ok(session.url.startsWith(first.url))
  })

  it('leaves the credentials of a seeded sandbox merchant in sandbox.json', async () => {
    const box = readSandbox(dataDir)
    assert.equal(box.baseUrl, first.url)
    assert.deepEqual(Object.keys(box.accounts), ['CLP', 'BRL', 'MXN', 'COP', 'ARS', 'PEN', 'BOB', 'USD'])
    assert.equal(await signIn(first, box), 200)
  })

  it('keeps everything it made from other users', () => {
    assert.equal(statSync(dataDir).mode & 0o777, 0o700)
    for (const name of readdirSync(dataDir)) assert.equal(statSync(join(dataDir, name)).mode & 0o077, 0, name)
  })

  it('a second start on the same folder is refused, also on the same port, and harms nothing', async () => {
    await assertRefused(
      pasarela(['start', '--port', '0', '--data-dir', dataDir]).ended,
      /in use by another Pasarela \(pasarela start, process \d+\)/,
    )
    const { port } = new URL(first.url)
    await assertRefused(pasarela(['start', '--port', port, '--data-dir', dataDir]).ended, /in use by another Pasarela/)
    await assertServes(first)
  })

  it('commands work on the database of the running server', async () => {
    const made = await pasarela(['merchants', 'create', '--name', 'Tienda', '--mode', 'live', '--data-dir', dataDir])
      .ended
    assert.equal(made.code, 0, made.stderr)
    const merchant = JSON.parse(made.stdout)
    const keys = await pasarela([
      'clients',
      'create',
      '--merchant',
      `${merchant.id}`,
      '--name',
      'shop',
      '--data-dir',
      dataDir,
    ]).ended
    const client = JSON.parse(keys.stdout)
    assert.equal(await signIn(first, client), 200)
    const rotated = JSON.parse(
      (await pasarela(['clients', 'rotate', client.clientId, '--data-dir', dataDir]).ended).stdout,
    )
    assert.equal(rotated.clientId, client.clientId)
    assert.equal(await signIn(first, rotated), 200)
    await pasarela(['clients', 'revoke', client.clientId, '--data-dir', dataDir]).ended
    const list = await pasarela(['clients', 'list', '--merchant', `${merchant.id}`, '--json', '--data-dir', dataDir])
      .ended
    assert.ok(JSON.parse(list.stdout)[0].revokedAt)
    await assertRefused(pasarela(['clients', 'rotate', client.clientId, '--data-dir', dataDir]).ended, /is revoked/)
  })

  it('the doctor finds nothing wrong', async () => {
    const doctor = await pasarela(['doctor', '--data-dir', dataDir]).ended
    assert.equal(doctor.code, 0, doctor.stdout)
    assert.match(doctor.stdout, /fsync=on, full_page_writes=on, synchronous_commit=on/)
  })

  it('SIGTERM, twice at once as npm passes it on, ends the server and its database and nothing is lost', async () => {
    const pid = databasePid(dataDir)
    first.child.kill('SIGTERM')
    first.child.kill('SIGTERM')
    const { code, stderr } = await first.ended
    assert.equal(code, 0, stderr)
    assert.equal(isPostgresProcess(pid), false)
    const log = readFileSync(join(dataDir, 'postgres.log'), 'utf8')
    assert.match(log, /database system is shut down\s*$/)
    const list = await pasarela(['merchants', 'list', '--data-dir', dataDir]).ended
    assert.match(list.stdout, /Tienda/)
  })

  it('the database that a command started is stopped with it', () => {
    assert.equal(readPidFile(dataDir), undefined)
  })
})

describe('after a crash', () => {
  const dataDir = newFolder()
  let running: Running

  before(async () => {
    running = await start(dataDir)
  })
  afterEach(() => assertServes(running))
  after(() => stop(running))

  it('of Node alone, the next start takes over the database that was left running', async () => {
    const pid = databasePid(dataDir)
    await killNode(running)
    assert.equal(databasePid(dataDir), pid)
    running = await start(dataDir)
    assert.equal(databasePid(dataDir), pid)
  })

  it('of everything, the next start recovers', async () => {
    const pid = databasePid(dataDir)
    await killNode(running)
    process.kill(pid, 'SIGKILL')
    running = await start(dataDir)
    assert.notEqual(databasePid(dataDir), pid)
  })

  it('between the seed and its file, the next start gives new credentials; a whole file is kept', async () => {
    const before = readSandbox(dataDir)
    await killNode(running)
    running = await start(dataDir)
    const kept = readSandbox(dataDir)
    assert.deepEqual({ ...kept, baseUrl: '' }, { ...before, baseUrl: '' })
    assert.equal(kept.baseUrl, running.url)
    await killNode(running)
    rmSync(join(dataDir, 'sandbox.json'))
    running = await start(dataDir)
    const repaired = readSandbox(dataDir)
    assert.equal(repaired.clientId, before.clientId)
    assert.equal(await signIn(running, repaired), 200)
    assert.equal(await signIn(running, before), 401)
  })

  it('a pid that now belongs to another program is not taken for the database', async () => {
    const pid = databasePid(dataDir)
    await killNode(running)
    process.kill(pid, 'SIGKILL')
    const file = join(dataDir, 'postgres', 'postmaster.pid')
    writeFileSync(file, readFileSync(file, 'utf8').replace(String(pid), String(process.pid)))
    running = await start(dataDir)
  })

  it('of the database alone, the server ends and says why', async () => {
    process.kill(databasePid(dataDir), 'SIGKILL')
    const { code, stderr } = await running.ended
    assert.equal(code, 1)
    assert.match(stderr, /the embedded database has stopped/)
    running = await start(dataDir)
  })

  it('of a disk that refuses a page, the database ends too and recovers from its log', {
    skip: process.platform !== 'linux',
  }, async () => {
    const pid = databasePid(dataDir)
    const base = join(dataDir, 'postgres', 'base')
    const database = readdirSync(base).find((name) => Number(name) >= 16_384)
    // What cannot be brought to a disk says so, as a broken disk does.
    const broken = join(base, `${database}`, 'broken')
    symlinkSync('/dev/null', broken)
    const { code, stderr } = await running.ended
    assert.equal(code, 1)
    assert.match(stderr, /the disk refused a page of the embedded database/)
    assert.equal(isPostgresProcess(pid), false)
    rmSync(broken)
    running = await start(dataDir)
  })
})

describe('at the end', () => {
  const dataDir = newFolder()

  it('a request under way is answered, and new ones are not let in', async () => {
    const running = await start(dataDir)
    const box = readSandbox(dataDir)
    const request = await openRequest(running, box)
    running.child.kill('SIGTERM')
    await until(async () => (await whyNotListen('127.0.0.1', Number(new URL(running.url).port))) === undefined)
    assert.match(await request.finish(), /^HTTP\/1.1 200 OK/)
    assert.equal((await running.ended).code, 0)
    assert.equal(readPidFile(dataDir), undefined)
  })

  it('a request that hangs is not waited for once the signal comes again', async () => {
    const running = await start(dataDir)
    const pid = databasePid(dataDir)
    await openRequest(running, readSandbox(dataDir))
    let ended = false
    void running.ended.then(() => {
      ended = true
    })
    await until(async () => ended || !running.child.kill('SIGTERM'))
    assert.equal((await running.ended).code, 1)
    await until(async () => !isPostgresProcess(pid))
  })
})

/** Tries again until it is so; the time limit of the tests ends it otherwise. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Begins a POST /auth whose body is still to come; the server has read its head. */
async function openRequest({ url }: Running, { apiKey, clientId, clientSecret }: Secrets) {
  const body = JSON.stringify({ clientId, clientSecret })
  const head = [
    'POST /auth HTTP/1.1',
    'host: test',
    `x-api-key: ${apiKey}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    'expect: 100-continue',
  ]
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('error', () => undefined)
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  await new Promise((resolve) => socket.once('data', resolve))
  socket.on('data', (chunk) => {
    answer += chunk
  })
  const closed = new Promise((resolve) => socket.on('close', resolve))
  return {
    finish: async () => {
      socket.write(body)
      await closed
      return answer
    },
  }
}

describe('what is half there or wrong', () => {
  it('two first starts at the same moment: one serves, the other is refused', async () => {
    const dataDir = newFolder()
    const twins = await Promise.allSettled([start(dataDir), start(dataDir)])
    const [winner, ...more] = twins.filter((twin) => twin.status === 'fulfilled')
    assert.ok(winner)
    assert.equal(more.length, 0)
    await assertServes(winner.value)
    await stop(winner.value)
    assert.deepEqual(
      readdirSync(dataDir).filter((name) => name.includes('partial')),
      [],
    )
  })

  it('what an interrupted first start left is cleared away', async () => {
    const dataDir = newFolder()
    mkdirSync(join(dataDir, 'postgres.partial-1-abc', 'base'), { recursive: true })
    writeFileSync(join(dataDir, 'postgres.partial-1-abc', 'PG_VERSION'), '18\n')
    await stop(await start(dataDir))
    assert.equal(existsSync(join(dataDir, 'postgres.partial-1-abc')), false)
  })

  it('an incomplete database is refused and left as it is', async () => {
    const dataDir = newFolder()
    mkdirSync(join(dataDir, 'postgres', 'base'), { recursive: true })
    writeFileSync(join(dataDir, 'postgres', 'base', '1'), 'precious')
    await assertRefused(pasarela(['start', '--port', '0', '--data-dir', dataDir]).ended, /incomplete \(no PG_VERSION/)
    assert.equal(readFileSync(join(dataDir, 'postgres', 'base', '1'), 'utf8'), 'precious')
  })

  it('a lost or a wrong master key is refused', async () => {
    const dataDir = newFolder()
    await killNode(await start(dataDir))
    const file = join(dataDir, 'master.key')
    const key = readFileSync(file, 'utf8')
    rmSync(file)
    const again = ['start', '--port', '0', '--data-dir', dataDir]
    await assertRefused(pasarela(again).ended, /master.key is gone/)
    const other = { PASARELA_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') }
    await assertRefused(pasarela(again, other).ended, /not the one that this database was made with/)
    writeFileSync(file, key, { mode: 0o600 })
    await stop(await start(dataDir))
  })

  it('a taken port is refused before anything is made', async () => {
    const dataDir = newFolder()
    const blocker = await new Promise<Server>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => resolve(server))
    })
    const address = blocker.address()
    const port = String(address && typeof address === 'object' ? address.port : 0)
    await assertRefused(
      pasarela(['start', '--port', port, '--data-dir', dataDir]).ended,
      /is taken by another program.* --port/,
    )
    assert.equal(existsSync(join(dataDir, 'postgres')), false)
    blocker.close()
  })

  it('bad options are refused by name', async () => {
    await assertRefused(pasarela(['start', '--port', '80a']).ended, /--port \(PORT\) is "80a"/)
    await assertRefused(
      pasarela(['start'], { PASARELA_MASTER_KEY: 'short' }).ended,
      /PASARELA_MASTER_KEY is not 32 bytes/,
    )
    await assertRefused(pasarela(['start', '--prot', '1']).ended, /Unknown option '--prot'/)
    await assertRefused(pasarela(['begin']).ended, /no command "begin"/)
  })
})

describe('start with a database of the operator', () => {
  const env = { PASARELA_MASTER_KEY: Buffer.alloc(32, 1).toString('base64') }
  const startOn = (url: string) => pasarela(['start', '--port', '0', '--database-url', url], env).ended

  it('refuses one that is unreachable, unknown, or closed to us', async () => {
    await assertRefused(
      startOn('postgres://x:y@127.0.0.1:1/z'),
      /127.0.0.1:1\/z cannot be reached: nothing listens there/,
    )
    const wrong = new URL(clusterUrl())
    wrong.pathname = '/nowhere'
    await assertRefused(startOn(wrong.href), /it has no database of that name/)
    wrong.password = 'wrong'
    await assertRefused(startOn(wrong.href), /it refuses this user and password/)
  })

  it('refuses one that is too old', async () => {
    const database = await emptyDatabase()
    // A real server whose version is changed on the way.
    const older = (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace(/18(?=\.\d|00\d\d)/g, '14'), 'latin1')
    const wire = await openWire(Number(new URL(database.url).port), { received: older })
    await assertRefused(startOn(through(wire, database.url)), /is Postgres 14\.\d+; Pasarela needs 15 or newer/)
    await wire.close()
    await database.drop()
  })

  it('the doctor names what is wrong with it', async () => {
    const database = await freshDatabase()
    const sql = openOwner(database.url, 1)
    await sql`insert into balance_totals (merchant_id, code, amount_minor) values (1, 'available:acc_1:CLP', 5)`
    await sql`insert into idempotency_keys (merchant_id, client_id, key, request_hash, seed, leased_until, created_at)
      values (1, 'client_01h455vb4pex5vsknk084sn02q', 'k', ${Buffer.alloc(32)}, ${Buffer.alloc(16)}, now(), now() - interval '2 days')`
    await sql`grant update on ledger_postings to pasarela_app`
    await sql`revoke insert on payments from pasarela_app`
    await sql`delete from schema_migrations where version = 7`
    await sql.end()
    const { code, stdout } = await pasarela(['doctor', '--database-url', database.url], env).ended
    assert.equal(code, 1)
    // The databases of tests are fast rather than safe, which is a finding too.
    assert.deepEqual(
      [...stdout.matchAll(/^BAD {3}(\w+)/gm)].map((match) => match[1]),
      ['durability', 'migrations', 'grants', 'stuck', 'ledger'],
    )
    assert.match(
      stdout,
      /ledger_postings \(insert, select, update; it needs insert, select\), payments \(select, update; it/,
    )
    await database.drop()
  })

  it('refuses to start without a master key', async () => {
    const keyless = pasarela(['start', '--port', '0', '--database-url', clusterUrl()])
    await assertRefused(keyless.ended, /PASARELA_MASTER_KEY is missing/)
  })

  it('serves from it, seeds it where that is asked for, and leaves it running', async () => {
    const database = await emptyDatabase()
    const dataDir = newFolder()
    const plain = await start(dataDir, ['--database-url', database.url], env)
    assert.equal(existsSync(dataDir), false)
    await stop(plain)
    const seeded = await start(dataDir, ['--database-url', database.url, '--sandbox'], env)
    assert.equal(await signIn(seeded, readSandbox(dataDir)), 200)
    assert.equal(existsSync(join(dataDir, 'postgres')), false)
    seeded.child.kill('SIGINT')
    assert.equal((await seeded.ended).code, 0)
    await database.drop()
  })
})
