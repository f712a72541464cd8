/** Work on one connection of a pool: a transaction, or a session with state of its own. */
import { type Plan, planOf } from './compose.ts'
import type { Connection } from './connection.ts'
import { ConnectionError, DatabaseError } from './errors.ts'
import type { Pool } from './pool.ts'
import { type Executor, executor } from './statement.ts'

/** Sees every statement of a pool before it is sent, for tests. */
export type Watch = { seen?: ((sent: Pick<Plan, 'text' | 'values'>) => void) | undefined }
/** One connection, until it is released. */
export type Session = Executor & {
  readonly connection: Connection
  /** Resolves when the connection is gone although nobody closed it. */
  readonly lost: Promise<Error>
  release(): void
}

function acquire(pool: Pool): Promise<Connection> {
  return new Promise((resolve, reject) => {
    pool.acquire({ take: resolve, fail: reject })
  })
}

/**
 * Begins, works and commits; rolls back where the work throws. A transaction ends with its connection. A statement that failed
 * fails the transaction even if the work goes on, and one that comes after the end is refused, not sent into another's session.
 */
export async function runTransaction<T>(pool: Pool, watch: Watch, work: (tx: Executor) => Promise<T>): Promise<T> {
  const connection = await acquire(pool)
  const state: State = { over: false, failure: undefined }
  try {
    await connection.command('begin')
    const result = await attempt(connection, state, () => work(executorOn(connection, watch, state)))
    state.over = true
    const { command } = await connection.command('commit')
    // Postgres answers a commit of failed work with ROLLBACK.
    if (command !== 'COMMIT') throw state.failure ?? new Error('the transaction was rolled back')
    return result
  } finally {
    state.over = true
    pool.release(connection)
  }
}

type State = { over: boolean; failure: unknown }

async function attempt<T>(connection: Connection, state: State, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work()
    if (state.failure !== undefined) throw state.failure
    return result
  } catch (error) {
    state.over = true
    // Where even that fails, closing the connection rolls back.
    await connection.command('rollback').catch(() => connection.destroy())
    const isEcho = error instanceof DatabaseError && error.code === '25P02'
    throw isEcho ? (state.failure ?? error) : error
  }
}

function executorOn(connection: Connection, watch: Watch, state: State): Executor {
  return executor(
    (statement) =>
      new Promise((resolve, reject) => {
        if (state.over) return reject(new ConnectionError('CONNECTION_ENDED', 'The transaction is over'))
        const plan = planOf(statement)
        watch.seen?.(plan)
        connection.send(plan, false, (error, { rows }) => {
          if (error === undefined) return resolve(rows)
          state.failure ??= error
          reject(error)
        })
      }),
  )
}

/** A connection of one's own, for locks and settings of a session. */
export async function openSession(pool: Pool, watch: Watch): Promise<Session> {
  const connection = await acquire(pool)
  const state: State = { over: false, failure: undefined }
  const release = () => {
    if (state.over) return
    state.over = true
    pool.release(connection)
  }
  return Object.assign(executorOn(connection, watch, state), { connection, lost: connection.whenLost, release })
}
