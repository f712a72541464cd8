/** A statement under way: what is sent for it, and its answer, message by message. */
import type { Plan, Sent } from './compose.ts'
import { type Build, builderOf, type Field } from './decode.ts'
import { isStale } from './errors.ts'

export type Answer = { rows: unknown[]; command: string }
export type Done = (error: unknown, answer: Answer) => void

/** What a connection has prepared, by name: how rows are built. Doubtful is what failed before that was known. */
export type Prepared = { builds: Map<string, Build>; doubtful: Set<string> }

/** The driver's connection, as far as it is used here. */
export type Wire = {
  stream: { cork(): void; uncork(): void }
  query(text: string): void
  parse(statement: { name: string; text: string }): void
  bind(values: { statement: string; values: Sent[] }): void
  describe(portal: { type: 'P' }): void
  execute(): void
  sync(): void
  close(statement: { type: 'S'; name: string }): void
  sendCopyFail(reason: string): void
}

const nothing: Answer = { rows: [], command: '' }

export class Request {
  readonly #plan: Plan
  readonly #prepared: Prepared
  readonly #done: Done
  #build: Build | undefined
  #answer: Answer = { rows: [], command: '' }
  #failure: unknown

  /** `done` is called once, with errors as the driver gives them. */
  constructor(plan: Plan, prepared: Prepared, done: Done) {
    this.#plan = plan
    this.#prepared = prepared
    this.#done = done
  }

  /** Sends everything at once. The columns of a prepared statement are known, so they are not asked for again. */
  submit(wire: Wire): void {
    const { text, values, name = '', isScript } = this.#plan
    if (isScript) {
      wire.query(text)
      return
    }
    const { builds, doubtful } = this.#prepared
    this.#build = builds.get(name)
    wire.stream.cork()
    if (!this.#build) {
      // The server may know the name although it answered with an error; closing what it does not know is no error.
      if (doubtful.has(name)) wire.close({ type: 'S', name })
      else if (name !== '') doubtful.add(name)
      wire.parse({ name, text })
    }
    wire.bind({ statement: name, values })
    if (!this.#build) wire.describe({ type: 'P' })
    wire.execute()
    wire.sync()
    wire.stream.uncork()
  }

  handleRowDescription({ fields }: { fields: readonly Field[] }): void {
    this.#answer.rows = []
    this.#try(() => {
      this.#build = builderOf(fields, this.#plan.paired)
    })
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    if (this.#failure === undefined) this.#try(() => this.#answer.rows.push(this.#build?.(fields)))
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.#answer.command = text
  }

  handleReadyForQuery(): void {
    const { name } = this.#plan
    if (name !== undefined && this.#failure === undefined) {
      this.#prepared.builds.set(name, this.#build ?? noColumns)
      this.#prepared.doubtful.delete(name)
    }
    this.#done(this.#failure, this.#answer)
  }

  handleError(error: unknown): void {
    const { name } = this.#plan
    if (name !== undefined && isStale(error)) {
      this.#prepared.builds.delete(name)
      this.#prepared.doubtful.add(name)
    }
    this.#done(error, nothing)
  }

  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyData(): void {}
  handleCopyInResponse(wire: Wire): void {
    wire.sendCopyFail('this statement brings no rows')
  }

  /** What is wrong with a row must not break the connection: the rest of the answer is read, then the statement fails. */
  #try(work: () => unknown): void {
    try {
      work()
    } catch (error) {
      this.#failure = error
    }
  }
}

const noColumns: Build = () => ({})
