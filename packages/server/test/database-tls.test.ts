/** What DATABASE_URL promises of a connection holds on a real server: encrypted or not, verified or not, by TCP or Unix socket. */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type EmbeddedPostgres, startPostgres } from '@pasarela/postgres-embedded'
import { openPool } from '../src/kit/db.ts'
import { reachDatabase } from '../src/kit/reach-database.ts'

const certificates = fileURLToPath(new URL('./tls/', import.meta.url))
const authority = encodeURIComponent(join(certificates, 'ca.pem'))

let cluster: EmbeddedPostgres
let folder: string
/** `user:password`, and where the server is. */
let login: string
let port: string
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pasarela-tls-'))
  cluster = await startPostgres({ dataDir: join(folder, 'data'), settings: { fsync: 'off' } })
  const url = new URL(cluster.url)
  login = `${url.username}:${url.password}`
  port = url.port
})
after(async () => {
  await cluster.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Gives the server its certificate, which is made out for localhost alone. */
async function turnEncryptionOn(): Promise<void> {
  const home = join(folder, 'data', 'postgres')
  const { uid, gid } = statSync(home)
  for (const [from, to] of [
    ['server.pem', 'server.crt'],
    ['server.key', 'server.key'],
  ] as const) {
    copyFileSync(join(certificates, from), join(home, to))
    chownSync(join(home, to), uid, gid)
    chmodSync(join(home, to), 0o600)
  }
  const sql = openPool(cluster.url, { max: 1, applicationName: 'tls', asApplication: false })
  await sql`alter system set ssl = on`
  await sql`select pg_reload_conf()`
  await sql.end()
  // The server takes its new settings a moment later.
  while (!(await isEncrypted(at('127.0.0.1', 'sslmode=prefer')))) await pause(20)
}

/** Whether a connection by this URL is encrypted, as the server sees it. */
async function isEncrypted(url: string): Promise<boolean> {
  await reachDatabase(url)
  const sql = openPool(url, { max: 1, applicationName: 'tls', asApplication: false })
  const [row] = await sql<{ ssl: boolean }[]>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`
  await sql.end()
  return row?.ssl ?? assert.fail()
}

const at = (host: string, query: string) => `postgres://${login}@${host}:${port}/pasarela?${query}`

describe('a server without TLS', () => {
  test('is used in the clear, also with sslmode=prefer', async () => {
    for (const query of ['', 'sslmode=disable', 'sslmode=prefer', 'sslmode=allow'])
      assert.equal(await isEncrypted(at('127.0.0.1', query)), false, query)
  })

  test('is not used where encryption is asked for', async () => {
    for (const query of ['sslmode=require', `sslmode=verify-ca&sslrootcert=${authority}`, 'ssl=true'])
      await assert.rejects(isEncrypted(at('127.0.0.1', query)), /cannot be reached/, query)
  })
})

describe('a server with TLS', () => {
  before(turnEncryptionOn)

  test('is used encrypted unless that is switched off', async () => {
    for (const query of ['sslmode=prefer', 'sslmode=require', 'sslmode=no-verify'])
      assert.equal(await isEncrypted(at('127.0.0.1', query)), true, query)
    assert.equal(await isEncrypted(at('127.0.0.1', 'sslmode=disable')), false)
  })

  test('must show a certificate of the authority that is named', async () => {
    assert.equal(await isEncrypted(at('127.0.0.1', `sslmode=verify-ca&sslrootcert=${authority}`)), true)
    assert.equal(await isEncrypted(at('localhost', `sslmode=verify-full&sslrootcert=${authority}`)), true)
    for (const query of ['sslmode=verify-ca', 'sslmode=verify-full', 'ssl=true'])
      await assert.rejects(isEncrypted(at('localhost', query)), /does not know who signed its certificate/, query)
  })

  test('must show a certificate made out for its name, also where its address is given beside it', async () => {
    const verified = `sslmode=verify-full&sslrootcert=${authority}`
    await assert.rejects(isEncrypted(at('127.0.0.1', verified)), /its certificate is made out for another name/)
    assert.equal(await isEncrypted(at('localhost', `${verified}&hostaddr=127.0.0.1`)), true)
    await assert.rejects(isEncrypted(at('db.example', `${verified}&hostaddr=127.0.0.1`)), /made out for another name/)
  })

  test('is not asked when the authority cannot be read, and the sentence names the file', async () => {
    await assert.rejects(
      isEncrypted(at('localhost', 'sslmode=verify-full&sslrootcert=/nowhere.pem')),
      /sslrootcert names \/nowhere\.pem, which cannot be read \(ENOENT\)/,
    )
  })

  test('is reached by URLs as providers hand them out', async () => {
    for (const query of [
      'sslmode=require&channel_binding=require',
      'pgbouncer=true&connection_limit=1&schema=public&pool_timeout=0',
      'sslmode=require&options=-c%20work_mem%3D8MB&application_name=shop&keepalives=1&keepalives_idle=30',
      `sslmode=verify-full&sslrootcert=${authority}&target_session_attrs=read-write&connect_timeout=10`,
    ])
      await isEncrypted(at('localhost', query))
  })

  test('is reached by its Unix socket in each way to write it', async (t) => {
    const { searchParams } = new URL(cluster.socketUrl)
    const socket = searchParams.get('host')
    if (!socket) return t.diagnostic('the path of this folder is too long for a socket')
    for (const url of [
      at(encodeURIComponent(socket), ''),
      at(encodeURIComponent(socket), 'sslmode=require'),
      `postgres://${login}@:${port}/pasarela?host=${socket}`,
      `postgres://${login}@/pasarela?host=${socket}&port=${port}`,
    ])
      assert.equal(await isEncrypted(url), false, url)
  })
})

test('settings in the URL do not weaken a connection, and options reach the server', async () => {
  const url = at('127.0.0.1', 'synchronous_commit=off&statement_timeout=0&role=postgres&options=-c%20work_mem%3D8MB')
  const sql = openPool(url, { max: 1, applicationName: 'tls', asApplication: false })
  const [row] = await sql`
    select current_setting('synchronous_commit') as commit, current_setting('statement_timeout') as timeout,
      current_setting('work_mem') as memory`
  assert.deepEqual({ ...row }, { commit: 'on', timeout: '20s', memory: '8MB' })
  await sql.end()
})
