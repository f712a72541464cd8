/** The only reader of the environment: flags and variables as one table, typed, frozen, bad values refused by name. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ParseArgsOptionsConfig, parseArgs, parseEnv } from 'node:util'
import { parseDatabaseUrl } from '@pasarela/sql'
import { OperatorError } from '@pasarela/sql/operator-error'

/** How an option is given. A flag wins over the variable, the variable over `.env` in the project's root. */
export type Option = {
  env?: string
  /** What stands for the value in the help; without one the option is a switch. */
  value?: string
  fallback?: string
  help: string
}
export type Options = Readonly<Record<string, Option>>

export type Config = Readonly<{
  /** 0 = any free port. */
  port: number
  host: string
  dataDir: string
  /** Undefined = the embedded database of `dataDir`. */
  databaseUrl: string | undefined
  /** Base of every `url` we hand out, without a slash at the end; undefined = where we listen. */
  publicUrl: string | undefined
  logLevel: LogLevel
  role: Role
  sandbox: boolean
  /** 32 bytes; undefined = the file in the data folder (embedded database only). */
  masterKey: Uint8Array | undefined
}>

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

const roles = ['both', 'api', 'worker'] as const
export type Role = (typeof roles)[number]

const projectRoot = fileURLToPath(new URL('../../../../', import.meta.url))

/** Which database: for every command. */
export const databaseOptions = {
  'data-dir': {
    env: 'PASARELA_DATA_DIR',
    value: 'folder',
    fallback: resolve(projectRoot, '.pasarela'),
    help: 'where the embedded database, its keys and sandbox.json are',
  },
  'database-url': {
    env: 'DATABASE_URL',
    value: 'url',
    help: 'a Postgres 15 or newer to use instead of the embedded one',
  },
} as const satisfies Options

/** What `start` takes besides. */
export const serverOptions = {
  port: { env: 'PORT', value: 'number', fallback: '8080', help: 'port to listen on; 0 takes any free one' },
  host: { env: 'HOST', value: 'address', fallback: '127.0.0.1', help: 'address to listen on' },
  'public-url': {
    env: 'PASARELA_PUBLIC_URL',
    value: 'url',
    help: 'where payers reach this server: the base of every checkout url',
  },
  'log-level': { env: 'LOG_LEVEL', value: 'level', fallback: 'info', help: logLevels.join(', ') },
  role: {
    env: 'PASARELA_ROLE',
    value: 'name',
    fallback: 'both',
    help: 'api answers requests, worker does the work beside them, both does both; any number of each on one database',
  },
  sandbox: { help: 'seed a sandbox merchant on a --database-url too' },
} as const satisfies Options

export type Parsed = { config: Config; values: Record<string, string | true>; words: string[]; help: boolean }

/** Reads the arguments of one command. Throws an OperatorError that names the option that is wrong. */
export function readConfig(args: string[], own: Options = {}): Parsed {
  const env = readEnvironment()
  const table: Options = { ...databaseOptions, ...serverOptions, ...own }
  const { values, positionals } = parseFlags(args, { ...databaseOptions, ...own })
  const given = (name: keyof typeof databaseOptions | keyof typeof serverOptions): string | undefined => {
    const option = table[name]
    const flag = values[name]
    if (typeof flag === 'string') return flag
    const variable = option?.env ? env[option.env] : undefined
    return variable || option?.fallback
  }
  const config = Object.freeze({
    port: readPort(given('port')),
    host: given('host') ?? '',
    dataDir: resolve(given('data-dir') ?? ''),
    databaseUrl: readDatabaseUrl(given('database-url')),
    publicUrl: readPublicUrl(given('public-url')),
    logLevel: readLogLevel(given('log-level')),
    role: readRole(given('role')),
    sandbox: values.sandbox === true,
    masterKey: readMasterKey(env.PASARELA_MASTER_KEY),
  })
  return { config, values, words: positionals, help: values.help === true }
}

function readEnvironment(): Record<string, string | undefined> {
  const file = resolve(projectRoot, '.env')
  return { ...(existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}), ...process.env }
}

function parseFlags(args: string[], table: Options): { values: Record<string, string | true>; positionals: string[] } {
  const options: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } }
  for (const [name, option] of Object.entries(table)) options[name] = { type: option.value ? 'string' : 'boolean' }
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true })
    return { values: values as Record<string, string | true>, positionals }
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error)
    throw new OperatorError(`${reason.replace(/\.$/, '')}. See --help.`)
  }
}

function readPort(text = ''): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new OperatorError(`--port (PORT) is "${text}"; give a number from 0 to 65535.`)
}

function readLogLevel(text = ''): LogLevel {
  const level = logLevels.find((candidate) => candidate === text)
  if (level) return level
  throw new OperatorError(`--log-level (LOG_LEVEL) is "${text}"; give one of ${logLevels.join(', ')}.`)
}

function readRole(text = ''): Role {
  const role = roles.find((candidate) => candidate === text)
  if (role) return role
  throw new OperatorError(`--role (PASARELA_ROLE) is "${text}"; give one of ${roles.join(', ')}.`)
}

function readDatabaseUrl(text: string | undefined): string | undefined {
  if (!text) return undefined
  parseDatabaseUrl(text)
  return text
}

function readPublicUrl(text: string | undefined): string | undefined {
  if (!text) return undefined
  const url = URL.parse(text)
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username)
    return text.replace(/(?<!\/)\/+$/, '')
  throw new OperatorError(
    `--public-url (PASARELA_PUBLIC_URL) is "${text}"; give a base such as https://pay.example.com.`,
  )
}

function readMasterKey(text: string | undefined): Uint8Array | undefined {
  if (!text) return undefined
  const key = Buffer.from(text, 'base64')
  if (key.length === 32 && /^[A-Za-z0-9+/_-]{43}=?$/.test(text.trim())) return key
  throw new OperatorError('PASARELA_MASTER_KEY is not 32 bytes in base64; make one with: openssl rand -base64 32')
}
