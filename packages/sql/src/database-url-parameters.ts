/** THE LIST of parameters of DATABASE_URL: libpq's, and those that providers hand out for other clients. */
import type { TlsWish } from './database-tls.ts'
import { OperatorError } from './operator-error.ts'

/** What has been read so far. */
export type Draft = {
  host: string
  port: string
  user: string
  password: string
  database: string
  /** `hostaddr`: where to connect, while `host` is the name in the certificate. */
  address?: string
  sslMode?: SslMode
  /** Another client's way to ask for verify-full. */
  isStrict?: boolean
  tls?: Partial<Omit<TlsWish, 'isOptional' | 'verify'>>
  maxConnections?: number
  connectTimeoutMs?: number
  keepAliveDelayMs?: number
  startupOptions?: string
  warnings: string[]
}

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
type SslMode = (typeof sslModes)[number]

/** Takes the parameter's meaning into the draft. Returns why it has none here, if so; throws where going on would be unsafe. */
type Read = (draft: Draft, value: string) => string | undefined

const set =
  (assign: (draft: Draft, value: string) => void): Read =>
  (draft, value) => {
    assign(draft, value)
    return undefined
  }

/** Has no effect, and need not be mentioned where it says what holds anyway. */
const ignoredBut =
  (usual: readonly string[], why: string): Read =>
  (_draft, value) =>
    usual.includes(value.toLowerCase()) ? undefined : why

/** Promises safety that Pasarela cannot keep, so that it may not be ignored. */
const refusedBut =
  (usual: readonly string[], name: string, why: string): Read =>
  (_draft, value) => {
    if (usual.includes(value.toLowerCase())) return undefined
    throw new OperatorError(`--database-url (DATABASE_URL): ${name}: ${why}.`)
  }

const number =
  (assign: (draft: Draft, value: number) => void, lowest: number): Read =>
  (draft, value) => {
    if (!/^\d{1,9}$/.test(value) || Number(value) < lowest) return `it is no whole number from ${lowest} on`
    assign(draft, Number(value))
    return undefined
  }

const file =
  (name: 'caFile' | 'certFile' | 'keyFile' | 'passphrase' | 'crlFile'): Read =>
  (draft, value) => {
    draft.tls ??= {}
    draft.tls[name] = value
    return undefined
  }

const sslMode: Read = (draft, value) => {
  const mode = value === 'no-verify' ? 'require' : sslModes.find((known) => known === value)
  if (!mode) throw new OperatorError(`--database-url (DATABASE_URL): sslmode is one of ${sslModes.join(', ')}.`)
  draft.sslMode = mode
  return undefined
}

/** What other clients call the same: true checks everything, as they do. */
const ssl: Read = (draft, value) => {
  if (/^(true|1|on)$/i.test(value)) return sslMode(draft, 'verify-full')
  return sslMode(draft, /^(false|0|off)$/i.test(value) ? 'disable' : value)
}

const schema: Read = (_draft, value) => {
  if (value.replaceAll('"', '').split(',')[0]?.trim() === 'public') return undefined
  throw new OperatorError(
    '--database-url (DATABASE_URL): schema: Pasarela keeps its tables in schema public. Give it a database of its own.',
  )
}

const tlsVersions = ['TLSv1.2', 'TLSv1.3'] as const
const tlsVersion =
  (name: 'minVersion' | 'maxVersion'): Read =>
  (draft, value) => {
    const version = tlsVersions.find((known) => known === value)
    if (!version) throw new OperatorError('--database-url (DATABASE_URL): TLS versions are TLSv1.2 and TLSv1.3.')
    draft.tls ??= {}
    draft.tls[name] = version
    return undefined
  }

const files = ['sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'sslcrl'] as const
const fileOf = {
  sslrootcert: 'caFile',
  sslcert: 'certFile',
  sslkey: 'keyFile',
  sslpassword: 'passphrase',
  sslcrl: 'crlFile',
} as const

/** Fewer connections could all be held by work that waits for another one. */
const connectionsMin = 4

const maxConnections: Read = (draft, value) => {
  if (!/^\d{1,6}$/.test(value)) return 'it is no whole number'
  draft.maxConnections = Math.max(Number(value), connectionsMin)
  return Number(value) < connectionsMin ? `Pasarela needs ${connectionsMin} connections, and opens no more` : undefined
}

/** Parameters with a meaning here. */
const understood: Readonly<Record<string, Read>> = {
  host: set((draft, value) => {
    if (value.includes(',')) throw new OperatorError('--database-url (DATABASE_URL): host: give one host.')
    draft.host = value
  }),
  hostaddr: set((draft, value) => {
    draft.address = value
  }),
  port: set((draft, value) => {
    draft.port = value
  }),
  user: set((draft, value) => {
    draft.user = value
  }),
  password: set((draft, value) => {
    draft.password = value
  }),
  dbname: set((draft, value) => {
    draft.database = value
  }),
  options: set((draft, value) => {
    draft.startupOptions = value
  }),
  sslmode: sslMode,
  ssl,
  sslaccept: set((draft, value) => {
    draft.isStrict = value === 'strict'
  }),
  ...Object.fromEntries(files.map((name) => [name, file(fileOf[name])])),
  ssl_min_protocol_version: tlsVersion('minVersion'),
  ssl_max_protocol_version: tlsVersion('maxVersion'),
  connect_timeout: number((draft, value) => {
    if (value > 0) draft.connectTimeoutMs = value * 1_000
  }, 0),
  keepalives: set((draft, value) => {
    if (value === '0') draft.keepAliveDelayMs = 0
  }),
  keepalives_idle: number((draft, value) => {
    if (draft.keepAliveDelayMs !== 0 && value > 0) draft.keepAliveDelayMs = value * 1_000
  }, 0),
  connection_limit: maxConnections,
  pool_max_conns: maxConnections,
  pool_size: maxConnections,
  max: maxConnections,
  schema,
  currentSchema: schema,
  search_path: schema,
}

/** Parameters that promise safety: where Pasarela cannot keep the promise, it does not start. */
const refused: Readonly<Record<string, Read>> = {
  sslcrldir: refusedBut([], 'sslcrldir', 'only one file of revoked certificates is read; give it as sslcrl'),
  gssencmode: refusedBut(['disable', 'prefer'], 'gssencmode', 'GSSAPI encryption is not supported; use sslmode'),
  requirepeer: refusedBut([], 'requirepeer', 'the owner of the server process cannot be checked'),
  service: refusedBut([], 'service', 'service files are not read; write host, user and database into the URL'),
  replication: refusedBut(['false', 'off', 'no', '0'], 'replication', 'Pasarela needs an ordinary connection'),
}

const needsSession = 'Pasarela needs a session of its own: the direct address, or a pooler in session mode'
const useVerifyFull = 'use sslmode=verify-full to be sure whom you talk to'

/** Why the others have no effect → what they are called, with the values that go without saying. */
const withoutEffect: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  [needsSession]: { pgbouncer: ['false'], pool_mode: ['session'] },
  [`it cannot be enforced; ${useVerifyFull}`]: { channel_binding: ['prefer', 'disable'], require_auth: [] },
  'TLS is asked for in the usual way': { sslnegotiation: ['postgres'], sslcompression: ['0'], sslsni: ['1'] },
  'give the certificate and its key as sslcert and sslkey': { sslidentity: [], sslcertmode: ['allow', 'disable'] },
  'Kerberos is not supported': { krbsrvname: [], gsslib: [], gssdelegation: ['0'] },
  'write the password into the URL, or set PGPASSWORD': { passfile: [] },
  "the operating system's own holds": { keepalives_interval: [], keepalives_count: [], tcp_user_timeout: ['0'] },
  'Pasarela works on the primary server': {
    target_session_attrs: ['any', 'read-write', 'primary'],
    load_balance_hosts: ['disable'],
  },
  'Pasarela works in UTF-8': { client_encoding: ['utf8', 'utf-8', 'auto'] },
  'it asks for what holds anyway': { uselibpqcompat: ['true', 'false'] },
  'Pasarela sets its own': {
    application_name: [],
    fallback_application_name: [],
    statement_timeout: [],
    lock_timeout: [],
    idle_in_transaction_session_timeout: [],
    synchronous_commit: ['on'],
    TimeZone: ['utc'],
    timezone: ['utc'],
    role: ['pasarela_app'],
  },
  'Pasarela keeps its connections open': {
    pool_timeout: [],
    pool_min_conns: [],
    pool_max_conn_lifetime: [],
    idle_timeout: [],
    max_lifetime: [],
    max_idle_connection_lifetime: [],
    socket_timeout: [],
  },
  'Pasarela decides itself which statements it prepares': {
    statement_cache_size: [],
    statement_cache_capacity: [],
    default_query_exec_mode: [],
    prepare: [],
    prepareThreshold: [],
    prepared_statements: [],
    binary_parameters: [],
  },
}

export const parameters: Readonly<Record<string, Read>> = {
  ...understood,
  ...refused,
  ...Object.fromEntries(
    Object.entries(withoutEffect).flatMap(([why, names]) =>
      Object.entries(names).map(([name, usual]) => [name, ignoredBut(usual, why)]),
    ),
  ),
}
