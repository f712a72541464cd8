/** A pool: at most so many connections, each for one piece of work at a time; who finds none free waits in line. */
import type { Connection } from './connection.ts'
import { ConnectionError } from './errors.ts'
import type { Open } from './open.ts'

export type Waiter = { take(connection: Connection): void; fail(error: unknown): void }

/** After a failed attempt to grow, waiting work is left to the connections there are for so long. */
const growthPauseMs = 200
/** How often to look for servers that do not answer. */
const sweepMs = 1_000

export class Pool {
  readonly #open: Open
  readonly #max: number
  readonly #live = new Set<Connection>()
  readonly #idle: Connection[] = []
  readonly #waiting: Waiter[] = []
  #opening = 0
  #growFromMs = 0
  #ended: PromiseWithResolvers<void> | undefined
  #sweep: NodeJS.Timeout | undefined

  /** A connection whose server has not answered for `answerMs` is closed, so that its work fails; 0 = wait for ever. */
  constructor(max: number, open: Open, answerMs: number) {
    this.#max = max
    this.#open = open
    if (answerMs > 0) this.#sweep = setInterval(() => this.#closeSilent(answerMs), sweepMs).unref()
  }

  /** Hands a connection over, now or later; the taker gives it back with `release`. */
  acquire(waiter: Waiter): void {
    const free = this.#idle.pop()
    if (free) waiter.take(free)
    else if (this.#ended) waiter.fail(closed())
    else {
      this.#waiting.push(waiter)
      this.#grow()
    }
  }

  release(connection: Connection): void {
    if (connection.isUnusable) {
      this.#remove(connection)
      return
    }
    const next = this.#waiting.shift()
    if (next) next.take(connection)
    else if (this.#ended) void this.#close(connection)
    else this.#idle.push(connection)
  }

  /** Lets what is under way finish for so long, then closes everything. */
  async end(timeoutMs: number): Promise<void> {
    this.#ended ??= Promise.withResolvers()
    for (const connection of this.#idle.splice(0)) void this.#close(connection)
    this.#settleEnd()
    const timer = setTimeout(() => {
      this.#failWaiting(closed())
      for (const connection of this.#live) connection.destroy()
      this.#ended?.resolve()
    }, timeoutMs)
    await this.#ended.promise
    clearTimeout(timer)
    clearInterval(this.#sweep)
  }

  #grow(): void {
    if (this.#opening >= this.#waiting.length || this.#live.size + this.#opening >= this.#max) return
    if (this.#live.size > 0 && performance.now() < this.#growFromMs) return
    this.#opening++
    this.#open((connection) => this.#lose(connection)).then(
      (connection) => {
        this.#opening--
        this.#live.add(connection)
        this.release(connection)
      },
      (error) => {
        this.#opening--
        this.#growFromMs = performance.now() + growthPauseMs
        // Where connections live, work waits for them; else it would wait for ever.
        if (this.#live.size + this.#opening === 0) this.#failWaiting(error)
        this.#settleEnd()
      },
    )
  }

  /** A connection was lost. In use, it is dropped when it is given back. */
  #lose(connection: Connection): void {
    const at = this.#idle.indexOf(connection)
    if (at === -1) return
    this.#idle.splice(at, 1)
    this.#remove(connection)
  }

  #remove(connection: Connection): void {
    connection.destroy()
    this.#live.delete(connection)
    this.#grow()
    this.#settleEnd()
  }

  async #close(connection: Connection): Promise<void> {
    await connection.end()
    this.#live.delete(connection)
    this.#settleEnd()
  }

  #closeSilent(answerMs: number): void {
    const sinceMs = performance.now() - answerMs
    for (const connection of this.#live)
      if (connection.sentMs !== undefined && connection.sentMs < sinceMs) connection.destroy()
  }

  #failWaiting(error: unknown): void {
    for (const waiter of this.#waiting.splice(0)) waiter.fail(error)
  }

  #settleEnd(): void {
    if (this.#live.size + this.#opening === 0) this.#ended?.resolve()
  }
}

const closed = () => new ConnectionError('CONNECTION_ENDED', 'The pool of connections is closed')
