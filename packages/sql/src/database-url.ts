/** What DATABASE_URL means: libpq's form, with the parameters that providers and other clients add to it. Reads no file. */
import type { TlsWish } from './database-tls.ts'
import { type Draft, parameters } from './database-url-parameters.ts'
import { OperatorError } from './operator-error.ts'

export type DatabaseAddress = {
  /** A name, an IP address, or the folder of a Unix socket (it begins with a slash). */
  host: string
  port: number
  /** Absent = what the driver takes for it: PGUSER and PGPASSWORD, or the user of the system. */
  user?: string
  password?: string
  /** Absent = the database with the user's name. */
  database?: string
  /** Undefined = a connection in the clear. */
  tls: TlsWish | undefined
  /** The most connections that this process may open in a pool. */
  maxConnections: number | undefined
  connectTimeoutMs: number | undefined
  /** Probes of the operating system after so much silence; 0 = none. */
  keepAliveDelayMs: number
  /** Sent as start-up parameter `options`: `-c name=value` settings, or the name by which a proxy finds the database. */
  startupOptions: string | undefined
  /** For the operator: what was given and has no effect. Holds no value that could be secret. */
  warnings: readonly string[]
}

const defaultPort = 5432
const keepAliveDelayMs = 60_000
/** scheme://user:password@host:port/database?parameters. A password may hold an @, and the host may be missing. */
const form = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d*))?(?:\/([^?#]*))?(?:\?([^#]*))?$/

const notThisForm =
  '--database-url (DATABASE_URL) is not of the form postgres://user:password@host:port/database. ' +
  'Write / ? # and % in the password as %2F %3F %23 and %25.'

/** Throws an OperatorError, which does not repeat the text, because that may hold a password. */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  const match = form.exec(text.trim())
  if (!match) throw new OperatorError(severalHosts(text) ?? notThisForm)
  const [, login = '', host = '', port = '', path = '', query = ''] = match
  const [user = '', ...password] = login.split(':')
  const draft: Draft = {
    host: decode(host.replace(/^\[(.*)\]$/, '$1')),
    port,
    user: decode(user),
    password: decode(password.join(':')),
    database: decode(path),
    warnings: [],
  }
  for (const [name, value] of new URLSearchParams(query.replaceAll('+', '%2B'))) readParameter(draft, name, value)
  const isSocket = draft.host.startsWith('/')
  return {
    host: (!isSocket && draft.address) || draft.host || 'localhost',
    port: readPort(draft.port),
    ...(draft.user ? { user: draft.user } : {}),
    ...(draft.password ? { password: draft.password } : {}),
    ...(draft.database ? { database: draft.database } : {}),
    // As with libpq: what does not leave the machine is not encrypted.
    tls: isSocket ? undefined : tlsOf(draft),
    maxConnections: draft.maxConnections,
    connectTimeoutMs: draft.connectTimeoutMs,
    keepAliveDelayMs: draft.keepAliveDelayMs ?? keepAliveDelayMs,
    startupOptions: draft.startupOptions,
    warnings: draft.warnings,
  }
}

function readParameter(draft: Draft, name: string, value: string): void {
  const read = Object.hasOwn(parameters, name) ? parameters[name] : undefined
  const warning = read
    ? read(draft, value)
    : 'Pasarela does not know it; settings of the server go into options=-c name=value'
  if (warning) draft.warnings.push(`--database-url (DATABASE_URL): ${name} is ignored: ${warning}.`)
}

/** As libpq, but for the default: without `sslmode` nothing is encrypted unless a certificate is named. */
function tlsOf(draft: Draft): TlsWish | undefined {
  const { caFile } = draft.tls ?? {}
  const isSystem = caFile === 'system'
  const given = draft.isStrict ? 'verify-full' : draft.sslMode
  const mode = given ?? (isSystem ? 'verify-full' : draft.tls ? 'verify-ca' : 'disable')
  if (mode === 'disable') return undefined
  if (isSystem && mode !== 'verify-full')
    throw new OperatorError(`--database-url (DATABASE_URL): sslrootcert=system needs sslmode=verify-full, not ${mode}.`)
  const verify = { 'verify-full': 'full', 'verify-ca': 'chain', require: caFile ? 'chain' : 'none' } as const
  const { caFile: _, ...files } = draft.tls ?? {}
  return {
    isOptional: mode === 'prefer' || mode === 'allow',
    verify: verify[mode as keyof typeof verify] ?? 'none',
    ...(draft.address ? { serverName: draft.host } : {}),
    ...(caFile && !isSystem ? { caFile } : {}),
    ...files,
  }
}

function readPort(text: string): number {
  if (text === '') return defaultPort
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port
  throw new OperatorError('--database-url (DATABASE_URL): the port is no number from 1 to 65535.')
}

function severalHosts(text: string): string | undefined {
  const authority = /^postgres(?:ql)?:\/\/([^/?#]*)/.exec(text.trim())?.[1] ?? ''
  if (!authority.slice(authority.lastIndexOf('@') + 1).includes(',')) return undefined
  return '--database-url (DATABASE_URL) names several hosts. Give the one name that always leads to the primary server.'
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new OperatorError(notThisForm)
  }
}
