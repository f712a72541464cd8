/** The port to Postgres. All SQL goes through it; only `connection.ts` knows the driver behind it. */

import { type SessionOptions, statementTimeoutMs } from './check.ts'
import { planOf } from './compose.ts'
import type { Connection } from './connection.ts'
import { parseDatabaseUrl } from './database-url.ts'
import { Listener } from './listen.ts'
import { connector } from './open.ts'
import { Pool } from './pool.ts'
import { type Executor, executor } from './statement.ts'
import { openSession, runTransaction, type Session, type Watch } from './transaction.ts'

export { ConnectionError, DatabaseError } from './errors.ts'
export {
  type Executor,
  executor,
  type Fragment,
  id,
  ints,
  json,
  type Row,
  Statement,
  script,
  texts,
  type Value,
} from './statement.ts'
export type { Session } from './transaction.ts'

export type PoolOptions = SessionOptions & {
  max: number
  applicationName: string
  /** What the server has to say besides results (notices), for the log. */
  onNotice?: (message: string) => void
}

export type Sql = Executor &
  Watch & {
    begin<T>(work: (tx: Executor) => Promise<T>): Promise<T>
    /** A connection of one's own until `release`. */
    reserve(): Promise<Session>
    /** Calls `heard` for each notification of the channel, from when this resolves until the pool ends. */
    listen(channel: string, heard: () => void): Promise<void>
    /** Lets what is under way finish, for at most `timeout` seconds. */
    end(options?: { timeout: number }): Promise<void>
  }

/** A server that does not give up on a statement so long after it should have is not there any more. */
const graceMs = 5_000

/** Opens a pool. Connections are made when they are needed, and each is set up and checked before it is used. */
export function openPool(url: string, options: PoolOptions): Sql {
  const database = parseDatabaseUrl(url)
  const timeout = options.statementTimeoutMs ?? statementTimeoutMs
  const open = connector(database, options)
  const answerMs = timeout === 0 ? 0 : timeout + graceMs
  const pool = new Pool(Math.min(options.max, database.maxConnections ?? options.max), open, answerMs)
  const listeners = new Set<Listener>()
  const sql: Sql = Object.assign(
    executor(
      (statement) =>
        new Promise((resolve, reject) => {
          const plan = planOf(statement)
          sql.seen?.(plan)
          const take = (connection: Connection) =>
            connection.send(plan, true, (error, { rows }) => {
              pool.release(connection)
              if (error === undefined) resolve(rows)
              else reject(error)
            })
          pool.acquire({ take, fail: reject })
        }),
    ),
    {
      begin: <T>(work: (tx: Executor) => Promise<T>) => runTransaction(pool, sql, work),
      reserve: () => openSession(pool, sql),
      listen: async (channel: string, heard: () => void) => {
        const listener = new Listener(open, channel, heard)
        await listener.start()
        listeners.add(listener)
      },
      end: async ({ timeout = 30 } = {}) => {
        for (const listener of listeners) listener.close()
        await pool.end(timeout * 1000)
      },
    },
  )
  return sql
}
