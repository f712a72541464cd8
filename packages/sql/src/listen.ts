/** Notifications of a channel, on a connection of their own. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from './connection.ts'
import type { Open } from './open.ts'
import { Identifiers } from './statement.ts'

/** How long to wait before the next attempt to listen again. */
const pauseMs = 500

export class Listener {
  readonly #open: Open
  readonly #channel: string
  readonly #heard: () => void
  #connection: Connection | undefined
  #closed = false

  constructor(open: Open, channel: string, heard: () => void) {
    this.#open = open
    this.#channel = channel
    this.#heard = heard
  }

  /** Resolves once the server listens for us. From then on a lost connection is opened again. */
  async start(): Promise<void> {
    const connection = await this.#open(() => void this.#resume())
    connection.client.on('notification', () => this.#heard())
    try {
      await connection.command(`listen ${new Identifiers([this.#channel]).text}`)
    } catch (error) {
      connection.destroy()
      throw error
    }
    this.#connection = connection
    if (this.#closed) connection.destroy()
  }

  close(): void {
    this.#closed = true
    this.#connection?.destroy()
  }

  async #resume(): Promise<void> {
    if (!this.#connection) return
    this.#connection = undefined
    while (!this.#closed) {
      await sleep(pauseMs, undefined, { ref: false })
      const resumed = await this.start().then(
        () => true,
        () => false,
      )
      // Something may have happened while nobody listened.
      if (resumed) return this.#heard()
    }
  }
}
