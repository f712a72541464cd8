/** One connection to Postgres, and the only file that imports the driver. Its statements run one after the other. */
import pg from 'pg'
import type { Plan } from './compose.ts'
import { ConnectionError, DatabaseError, isStale } from './errors.ts'
import { type Answer, type Done, type Prepared, Request } from './request.ts'

export type Address = Pick<
  pg.ClientConfig,
  'host' | 'port' | 'user' | 'password' | 'database' | 'ssl' | 'keepAlive' | 'keepAliveInitialDelayMillis' | 'options'
>

export type ConnectionOptions = {
  address: Address
  applicationName: string
  connectTimeoutMs: number
  onNotice: (message: string) => void
  /** Called when the connection is gone, perhaps more than once. */
  onLost: (connection: Connection) => void
}

export class Connection {
  /** Why it is gone. */
  lost: Error | undefined
  /** Resolves with that; also when we closed it. */
  readonly whenLost: Promise<Error>
  /** When the statement under way was sent, by `performance.now()`; undefined while there is none. */
  sentMs: number | undefined
  /** The driver's own client, for what only it can do, such as COPY. */
  readonly client: pg.Client
  readonly #prepared: Prepared = { builds: new Map(), doubtful: new Set() }
  readonly #queue: Request[] = []

  private constructor(client: pg.Client, whenLost: Promise<Error>) {
    this.client = client
    this.whenLost = whenLost
  }

  static async open(options: ConnectionOptions): Promise<Connection> {
    const client = new pg.Client({
      ...options.address,
      application_name: options.applicationName,
      connectionTimeoutMillis: options.connectTimeoutMs,
    })
    const gone = Promise.withResolvers<Error>()
    const connection = new Connection(client, gone.promise)
    let connected = false
    const lose = (error: Error) => {
      connection.lost ??= error
      gone.resolve(error)
      if (connected) options.onLost(connection)
    }
    client.on('error', lose)
    client.on('end', () => lose(new Error('it was closed')))
    client.on('notice', (notice) => options.onNotice(notice.message ?? ''))
    try {
      await client.connect()
    } catch (error) {
      connection.destroy()
      throw connection.#asOurs(error)
    }
    connected = true
    return connection
  }

  /** The process that serves the connection, as the server named it while connecting. */
  get serverProcess(): number {
    return (this.client as unknown as { processID: number }).processID
  }

  /** Sends a statement; where `mayRepeat`, one that was prepared for tables as they were is prepared anew. */
  send(plan: Plan, mayRepeat: boolean, done: Done): void {
    this.#enqueue(plan, (error, answer) => {
      if (mayRepeat && error !== undefined && isStale(error)) this.#enqueue(plan, done)
      else done(error, answer)
    })
  }

  /** Runs a text without parameters. The tag of its last command (`COMMIT`, `ROLLBACK`) comes with the rows. */
  command(text: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const plan = { text, values: [], name: undefined, isScript: true, paired: false }
      this.#enqueue(plan, (error, answer) => (error === undefined ? resolve(answer) : reject(error)))
    })
  }

  /** Takes leave of the server and closes. */
  end(): Promise<void> {
    return this.client.end()
  }

  /** Whether it is lost, or in a transaction that nobody ended. */
  get isUnusable(): boolean {
    return this.lost !== undefined || this.client.getTransactionStatus() !== 'I'
  }

  /** Closes at once; what is under way fails. */
  destroy(): void {
    this.lost ??= new Error('it was closed')
    this.client.connection.stream.destroy()
  }

  #enqueue(plan: Plan, done: Done): void {
    const request = new Request(plan, this.#prepared, (error, answer) => {
      this.#queue.shift()
      const next = this.#queue[0]
      if (next) this.#start(next)
      else this.sentMs = undefined
      done(error === undefined ? undefined : this.#asOurs(error), answer)
    })
    if (this.#queue.push(request) === 1) this.#start(request)
  }

  #start(request: Request): void {
    this.sentMs = performance.now()
    this.client.query(request as unknown as pg.Submittable)
  }

  /** Errors in classes of ours. Those of the operating system have a code and stay what they are, as do errors of rows. */
  #asOurs(error: unknown): unknown {
    if (error instanceof pg.DatabaseError) {
      const ours = new DatabaseError(error.message, error)
      // The server closes after a fatal error; nothing may be sent meanwhile.
      if (ours.severity === 'FATAL' || ours.severity === 'PANIC') this.lost ??= ours
      return ours
    }
    const ofDriver = error instanceof Error && error.constructor === Error && !('code' in error)
    if (!ofDriver) return error
    if (error.message.includes('does not support SSL')) return new ConnectionError('TLS_REFUSED', error.message)
    if (error.message === 'timeout expired')
      return new ConnectionError('CONNECT_TIMEOUT', 'The database does not answer')
    return new ConnectionError('CONNECTION_CLOSED', `The database connection was lost: ${error.message}`, this.lost)
  }
}
