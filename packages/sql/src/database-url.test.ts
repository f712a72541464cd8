/** DATABASE_URL as providers hand it out: every parameter has its meaning, or the operator hears that it has none. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type DatabaseAddress, parseDatabaseUrl } from './database-url.ts'

const plain = {
  host: 'db.example',
  port: 5432,
  user: 'u',
  password: 'p',
  database: 'shop',
  tls: undefined,
  maxConnections: undefined,
  connectTimeoutMs: undefined,
  keepAliveDelayMs: 60_000,
  startupOptions: undefined,
  warnings: [],
} satisfies DatabaseAddress

const encrypted = { isOptional: false, verify: 'none' } as const

/** What stands behind `postgres://u:p@db.example/shop` → what it changes. */
const parameters: Record<string, Partial<DatabaseAddress>> = {
  '?': {},
  '?sslmode=disable': {},
  '?sslmode=allow': { tls: { isOptional: true, verify: 'none' } },
  '?sslmode=prefer': { tls: { isOptional: true, verify: 'none' } },
  '?sslmode=require': { tls: encrypted },
  '?sslmode=no-verify': { tls: encrypted },
  '?sslmode=verify-ca': { tls: { ...encrypted, verify: 'chain' } },
  '?sslmode=verify-full': { tls: { ...encrypted, verify: 'full' } },
  '?ssl=true': { tls: { ...encrypted, verify: 'full' } },
  '?ssl=0': {},
  '?ssl=require': { tls: encrypted },
  '?sslmode=require&sslaccept=strict': { tls: { ...encrypted, verify: 'full' } },
  '?sslaccept=strict&sslmode=require': { tls: { ...encrypted, verify: 'full' } },
  '?sslmode=require&sslaccept=accept_invalid_certs': { tls: encrypted },
  '?sslmode=require&sslrootcert=/etc/ca.pem': { tls: { ...encrypted, verify: 'chain', caFile: '/etc/ca.pem' } },
  '?sslrootcert=/etc/ca.pem': { tls: { ...encrypted, verify: 'chain', caFile: '/etc/ca.pem' } },
  '?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem': { tls: { ...encrypted, verify: 'full', caFile: '/etc/ca.pem' } },
  '?sslrootcert=system': { tls: { ...encrypted, verify: 'full' } },
  '?sslmode=require&sslcert=c.pem&sslkey=k.pem&sslpassword=s': {
    tls: { ...encrypted, certFile: 'c.pem', keyFile: 'k.pem', passphrase: 's' },
  },
  '?sslmode=verify-full&sslcrl=crl.pem&ssl_min_protocol_version=TLSv1.3': {
    tls: { ...encrypted, verify: 'full', crlFile: 'crl.pem', minVersion: 'TLSv1.3' },
  },
  '?sslmode=verify-full&hostaddr=10.0.0.7': {
    host: '10.0.0.7',
    tls: { ...encrypted, verify: 'full', serverName: 'db.example' },
  },
  '?channel_binding=prefer': {},
  '?schema=public': {},
  '?schema=public,extensions': {},
  '?currentSchema=public': {},
  '?connection_limit=5': { maxConnections: 5 },
  '?pool_max_conns=7': { maxConnections: 7 },
  '?connect_timeout=30': { connectTimeoutMs: 30_000 },
  '?connect_timeout=0': {},
  '?keepalives=1': {},
  '?keepalives=0&keepalives_idle=30': { keepAliveDelayMs: 0 },
  '?keepalives_idle=30': { keepAliveDelayMs: 30_000 },
  '?options=endpoint%3Dep-cool-rain-1': { startupOptions: 'endpoint=ep-cool-rain-1' },
  '?options=-c%20work_mem%3D8MB': { startupOptions: '-c work_mem=8MB' },
  '?host=/var/run/postgresql&sslmode=verify-full': { host: '/var/run/postgresql' },
  '?host=other.example&port=6000&user=v&password=a%2Bb+c&dbname=d': {
    host: 'other.example',
    port: 6000,
    user: 'v',
    password: 'a+b+c',
    database: 'd',
  },
  '?target_session_attrs=read-write': {},
  '?gssencmode=disable': {},
  '?client_encoding=UTF8': {},
  '?uselibpqcompat=true': {},
}

/** Parameters that have no effect: the operator hears which, and why. */
const warned: Record<string, RegExp> = {
  'channel_binding=require':
    /^--database-url \(DATABASE_URL\): channel_binding is ignored: it cannot be enforced; use sslmode=v/,
  'pgbouncer=true': /pgbouncer is ignored: Pasarela needs a session of its own/,
  'pool_mode=transaction': /pool_mode is ignored: Pasarela needs a session of its own/,
  'pool_timeout=10': /pool_timeout is ignored/,
  'keepalives_interval=10': /keepalives_interval is ignored: the operating system's own holds/,
  'connection_limit=many': /connection_limit is ignored: it is no whole number/,
  'connect_timeout=-1': /connect_timeout is ignored: it is no whole number from 0 on/,
  'target_session_attrs=standby': /target_session_attrs is ignored: Pasarela works on the primary server/,
  'application_name=shop': /application_name is ignored: Pasarela sets its own/,
  'synchronous_commit=off': /synchronous_commit is ignored: Pasarela sets its own/,
  'role=postgres': /role is ignored: Pasarela sets its own/,
  'statement_cache_size=0': /statement_cache_size is ignored/,
  'sslnegotiation=direct': /sslnegotiation is ignored/,
  'require_auth=scram-sha-256': /require_auth is ignored/,
  'work_mem=8MB':
    /work_mem is ignored: Pasarela does not know it; settings of the server go into options=-c name=value/,
  'toString=1': /toString is ignored: Pasarela does not know it/,
}

/** Where going on would be unsafe or could not work: the whole text, or what follows the plain one. */
const refused: Record<string, RegExp> = {
  '?sslmode=on': /sslmode is one of disable, allow, prefer, require, verify-ca, verify-full/,
  '?schema=shop': /schema: Pasarela keeps its tables in schema public/,
  '?search_path=shop,public': /schema: Pasarela keeps its tables in schema public/,
  '?sslmode=require&sslrootcert=system': /sslrootcert=system needs sslmode=verify-full, not require/,
  '?sslcrldir=/etc/crls': /sslcrldir/,
  '?ssl_min_protocol_version=TLSv1': /TLS versions are TLSv1.2 and TLSv1.3/,
  '?gssencmode=require': /gssencmode: GSSAPI encryption is not supported/,
  '?requirepeer=postgres': /requirepeer/,
  '?service=shop': /service: service files are not read/,
  '?replication=database': /replication/,
  '?port=0': /the port is no number from 1 to 65535/,
  '?host=a,b': /give one host/,
  'mysql://u:p@h/d': /is not of the form/,
  'postgres:u:p@h/d': /is not of the form/,
  'postgres://u:p/w@h/d': /is not of the form|the port/,
  'postgres://u:%zz@h/d': /is not of the form/,
  'postgres://u:p@h:99999/d': /the port is no number/,
  'postgres://u:p@a:5432,b:5432/d': /names several hosts/,
}

/** The ways to write where the database is. */
const places: Record<string, Partial<DatabaseAddress>> = {
  'postgresql://u:p@db.example:5433/shop': { port: 5433 },
  'postgres://u:p@db.example:/shop': {},
  'postgres://u:p%40%2F%3A@db.example/shop': { password: 'p@/:' },
  'postgres://u:p@ss:word@db.example/shop': { password: 'p@ss:word' },
  'postgres://u%40tenant:p@db.example/shop': { user: 'u@tenant' },
  'postgres://u:p@[2001:db8::1]:5433/shop': { host: '2001:db8::1', port: 5433 },
  'postgres://u:p@%2Fvar%2Frun%2Fpostgresql/shop': { host: '/var/run/postgresql' },
  'postgres://u:p@%2Fvar%2Frun%2Fpostgresql:5433/shop?sslmode=require': { host: '/var/run/postgresql', port: 5433 },
  'postgres://u:p@/shop?host=/cloudsql/project:region:instance': { host: '/cloudsql/project:region:instance' },
  'postgres:///shop?host=/tmp&user=u&password=p': { host: '/tmp' },
  'postgres://u:p@/shop': { host: 'localhost' },
}

describe('DATABASE_URL', () => {
  for (const [query, changes] of Object.entries(parameters)) {
    test(`${query} is understood`, () => {
      assert.deepEqual(parseDatabaseUrl(`postgres://u:p@db.example/shop${query}`), { ...plain, ...changes })
    })
  }

  for (const [url, changes] of Object.entries(places)) {
    test(`${url} leads to its place`, () => {
      assert.deepEqual(parseDatabaseUrl(url), { ...plain, ...changes })
    })
  }

  for (const [query, warning] of Object.entries(warned)) {
    test(`${query} is ignored, and the operator hears of it`, () => {
      const { warnings, ...rest } = parseDatabaseUrl(`postgres://u:p@db.example/shop?${query}`)
      assert.deepEqual({ ...rest, warnings: [] }, plain)
      assert.equal(warnings.length, 1)
      assert.match(warnings[0] ?? '', warning)
    })
  }

  for (const [text, reason] of Object.entries(refused)) {
    test(`${text} is refused in one sentence`, () => {
      const url = text.startsWith('?') ? `postgres://u:secret@db.example/shop${text}` : text
      assert.throws(
        () => parseDatabaseUrl(url),
        (error: Error) => {
          assert.match(error.message, reason)
          assert.doesNotMatch(error.message, /secret|\n/)
          return error.name === 'OperatorError'
        },
      )
    })
  }

  test('connection_limit below what Pasarela needs gives the fewest that it works with', () => {
    const { maxConnections, warnings } = parseDatabaseUrl('postgres://u:p@db.example/shop?connection_limit=1')
    assert.equal(maxConnections, 4)
    assert.match(warnings.join(), /connection_limit is ignored: Pasarela needs 4 connections, and opens no more/)
  })

  test('without user, password and database leaves them to the driver', () => {
    const { user, password, database, ...rest } = plain
    assert.deepEqual(parseDatabaseUrl('postgres://db.example'), rest)
  })
})
