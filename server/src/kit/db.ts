/** The pool, the transaction and what a broken constraint was called. SQL itself stands in each slice's store.ts. */
import postgres from 'postgres'
import { tlsOptions } from './database-tls.ts'
import { parseDatabaseUrl } from './database-url.ts'

export type Sql = postgres.Sql<{ bigint: bigint }>
/** A transaction's connection, or the pool: what store functions take first. */
export type Executor = postgres.ISql<{ bigint: bigint }>

export type PoolOptions = {
  max: number
  applicationName: string
  /** Work as the role that may not rewrite history; false only for migrations. */
  asApplication?: boolean
  statementTimeoutMs?: number
  /** What the server has to say besides results (notices), for the log. */
  onNotice?: (message: string) => void
}

/**
 * Opens a pool. Every connection waits for the disk at commit (`synchronous_commit=on`), works as `pasarela_app`, and gives
 * up on statements and idle transactions that would hold locks for ever. `bigint` columns come as BigInt, column names in camel case.
 */
export function openPool(url: string, options: PoolOptions): Sql {
  const timeout = options.statementTimeoutMs ?? 20_000
  const {
    tls,
    maxConnections,
    connectTimeoutMs,
    keepAliveDelayMs,
    startupOptions,
    warnings: _,
    ...address
  } = parseDatabaseUrl(url)
  return postgres({
    ...address,
    ssl: tls?.isOptional ? ('prefer' as const) : (tlsOptions(address.host, tls) ?? false),
    keep_alive: keepAliveDelayMs / 1_000,
    max: Math.min(options.max, maxConnections ?? options.max),
    idle_timeout: 0,
    connect_timeout: (connectTimeoutMs ?? 10_000) / 1_000,
    max_lifetime: null,
    // Seconds between two attempts to connect. The driver's own grows to 20: a database that is back would wait for us.
    backoff: () => 0.1 + Math.random() * 0.2,
    types: { bigint: postgres.BigInt },
    transform: { column: { from: postgres.toCamel }, undefined: null },
    onnotice: (notice) => options.onNotice?.(notice.message ?? ''),
    connection: {
      ...(startupOptions === undefined ? {} : { options: startupOptions }),
      application_name: options.applicationName,
      synchronous_commit: 'on',
      TimeZone: 'UTC',
      statement_timeout: timeout,
      lock_timeout: 10_000,
      idle_in_transaction_session_timeout: 30_000,
      ...(options.asApplication === false ? {} : { role: 'pasarela_app' }),
    },
  }) as Sql
}

/** Runs `work` in one transaction (read committed); commits when it resolves, rolls back when it throws. */
export function transaction<T>(sql: Sql, work: (tx: Executor) => Promise<T>): Promise<T> {
  return sql.begin((tx) => work(tx)) as Promise<T>
}

/** Calls `heard` for each notification of the channel, on a connection of its own that is opened again when it is lost. */
export async function listenTo(sql: Sql, channel: string, heard: () => void): Promise<void> {
  await sql.listen(channel, heard)
}

const attemptsMax = 4

/** Does work again where it met another one head-on: work that leaves nothing behind when it fails. `again` says which errors mean that. */
export async function doAgain<T>(work: () => Promise<T>, again: (error: unknown) => boolean = isConflict): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === attemptsMax || !again(error)) throw error
    }
  }
}

/** As `transaction`, and again where it met another one head-on: for work that does nothing outside of the database. */
export function transactionAgain<T>(
  sql: Sql,
  work: (tx: Executor) => Promise<T>,
  again?: (error: unknown) => boolean,
): Promise<T> {
  return doAgain(() => transaction(sql, work), again)
}

/** The name of the constraint that an error of the database names, or undefined for every other error. */
export function brokenConstraint(error: unknown): string | undefined {
  if (!(error instanceof postgres.PostgresError)) return undefined
  return error.code.startsWith('23') ? error.constraint_name : undefined
}

/** Whether the two transactions met head-on: the work may simply run again. */
export function isConflict(error: unknown): boolean {
  return error instanceof postgres.PostgresError && (error.code === '40P01' || error.code === '40001')
}

/** The rows of a join of two tables (`select a.*, b.*`), each row as one object per table, although their columns have the same names. */
export async function readPairs<A, B>(
  query: postgres.PendingQuery<postgres.Row[]>,
): Promise<{ first: A; second: B }[]> {
  const rows = await query.values()
  const columns = rows.columns as unknown as { name: string; table: number }[]
  const border = columns.findIndex((column) => column.table !== columns[0]?.table)
  const object = (values: unknown[], from: number, to: number) =>
    Object.fromEntries(columns.slice(from, to).map(({ name }, index) => [name, values[from + index]]))
  return rows.map((values) => ({
    first: object(values as unknown[], 0, border) as A,
    second: object(values as unknown[], border, columns.length) as B,
  }))
}
