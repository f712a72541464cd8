/** Statements as values: text and parameters that are composed by nesting and sent once they are awaited. */

export type Row = Record<string, unknown>

/** What may stand in a statement. Arrays and objects say what they are: `texts()`, `ints()`, `json()`. */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | Date
  | Uint8Array
  | null
  | undefined
  | Parameter
  | Identifiers
  | Fragment
  | readonly Fragment[]

/** A statement, or a piece of one that is put into another. */
export type Fragment = Statement<unknown>

/** A parameter that is encoded already. */
export class Parameter {
  readonly text: string | null
  constructor(text: string | null) {
    this.text = text
  }
}

/** Quoted names: part of the text, never a parameter. */
export class Identifiers {
  readonly text: string
  constructor(names: readonly string[]) {
    this.text = names.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ')
  }
}

/** How a connection or a pool takes a statement. */
export type Send = (statement: Fragment) => Promise<unknown[]>

/** A pool, a transaction or a session, as the tag of a template: what store functions take first. */
export type Executor = {
  <R extends readonly unknown[] = Row[]>(parts: TemplateStringsArray, ...values: Value[]): Statement<R>
  (names: string | readonly string[]): Identifiers
  send: Send
}

/** The tag of a template whose statements go to `send`. */
export function executor(send: Send): Executor {
  const tag = (first: TemplateStringsArray | string | readonly string[], ...values: Value[]) =>
    typeof first !== 'string' && 'raw' in first ? new Statement(self, first, values) : id(first)
  const self = Object.assign(tag, { send }) as Executor
  return self
}

/** A statement runs when it is first awaited and keeps its result; one that is only nested never runs. */
export class Statement<R> implements Promise<R> {
  readonly executor: Executor
  readonly parts: readonly string[]
  readonly values: readonly Value[]
  /** False for a statement that is planned for its values each time. */
  prepared = true
  /** True for a text with its own placeholders. */
  isScript = false
  /** True when each row is two objects, with a column named `border` between them. */
  paired = false
  #result: Promise<R> | undefined

  constructor(executor: Executor, parts: readonly string[], values: readonly Value[]) {
    this.executor = executor
    this.parts = parts
    this.values = values
  }

  get [Symbol.toStringTag](): string {
    return 'Statement'
  }

  // biome-ignore lint/suspicious/noThenProperty: a statement is awaited like a promise, and sent only then
  then<A = R, B = never>(
    done?: ((rows: R) => A | PromiseLike<A>) | null,
    failed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#result ??= this.executor.send(this) as Promise<R>
    return this.#result.then(done, failed)
  }

  catch<B = never>(failed?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<R | B> {
    return this.then(undefined, failed)
  }

  finally(settled?: (() => void) | null): Promise<R> {
    return this.then().finally(settled)
  }
}

/** A value as JSON. */
export function json(value: unknown): Parameter {
  return new Parameter(value === null || value === undefined ? null : JSON.stringify(value))
}

/** An array of text, or of anything that is written as text. */
export function texts(values: readonly (string | null)[]): Parameter {
  const quoted = values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`))
  return new Parameter(`{${quoted.join(',')}}`)
}

/** An array of whole numbers. */
export function ints(values: readonly (number | bigint | null)[]): Parameter {
  return new Parameter(`{${values.map((value) => value ?? 'NULL').join(',')}}`)
}

/** Names of columns or of a table, quoted. */
export function id(names: string | readonly string[]): Identifiers {
  return new Identifiers(typeof names === 'string' ? [names] : names)
}

/**
 * A statement from text that is no template: scripts of migrations, statements put together by tests. Never for what a request
 * brings. Without values the text may hold several statements; the rows are those of the last one that has any.
 */
export function script<R extends readonly unknown[] = Row[]>(
  sql: Executor,
  text: string,
  values: readonly Value[] = [],
): Statement<R> {
  const statement = new Statement<R>(sql, [text], values)
  statement.isScript = true
  return statement
}
