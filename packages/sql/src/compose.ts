/** What is sent of a statement: one text with numbered parameters, and their values as text or bytes. */
import { createHash } from 'node:crypto'
import { type Fragment, Identifiers, Parameter, Statement, type Value } from './statement.ts'

export type Sent = string | Buffer | null

/** How a statement is sent. */
export type Plan = {
  text: string
  values: Sent[]
  /** Under which the connection keeps it prepared; undefined for what is planned each time. */
  name: string | undefined
  /** Text without parameters that may hold several statements. */
  isScript: boolean
  /** Each row is two objects, on either side of the column named border. */
  paired: boolean
}

/** The protocol counts parameters in 16 bits. */
const parametersMax = 65_535

/** Puts a statement and everything nested in it together. Throws where a value cannot be sent. */
export function planOf(statement: Fragment): Plan {
  const into: Composed = { text: '', values: [] }
  if (statement.isScript) {
    into.text = statement.parts[0] ?? ''
    for (const value of statement.values) into.values.push(encode(value))
  } else append(into, statement)
  const { text, values } = into
  if (values.length > parametersMax) throw new RangeError(`a statement with ${values.length} parameters`)
  const isScript = statement.isScript && values.length === 0
  const name = statement.prepared && !isScript ? nameOf(text) : undefined
  return { text, values, name, isScript, paired: statement.paired }
}

type Composed = { text: string; values: Sent[] }

function append(into: Composed, { parts, values }: Fragment): void {
  into.text += parts[0] ?? ''
  for (let i = 0; i < values.length; i++) {
    appendValue(into, values[i])
    into.text += parts[i + 1] ?? ''
  }
}

function appendValue(into: Composed, value: Value): void {
  if (value instanceof Statement) append(into, value)
  else if (value instanceof Identifiers) into.text += value.text
  else if (isFragments(value)) {
    for (const fragment of value) {
      into.text += ' '
      append(into, fragment)
    }
  } else {
    into.values.push(encode(value))
    into.text += `$${into.values.length}${castOf(value)}`
  }
}

function isFragments(value: Value): value is readonly Fragment[] {
  return Array.isArray(value) && value[0] instanceof Statement
}

/** Where the value says more than its context, Postgres is given its type; else the context decides. */
function castOf(value: Value): string {
  if (typeof value === 'bigint') return '::int8'
  if (typeof value === 'boolean') return '::bool'
  if (value instanceof Date) return '::timestamptz'
  return value instanceof Uint8Array ? '::bytea' : ''
}

function encode(value: Value): Sent {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'bigint':
      return String(value)
    case 'boolean':
      return value ? 't' : 'f'
    case 'undefined':
      return null
  }
  if (value === null) return null
  if (value instanceof Parameter) return value.text
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new TypeError('an array or object in a statement: say json(), texts() or ints()')
}

/** Texts that get a name. A connection keeps each named statement prepared, so what is composed endlessly must not get one. */
const namesMax = 1_000
const names = new Map<string, string>()

/** The name under which connections keep a text prepared; undefined for texts beyond the first thousand. */
function nameOf(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined || names.size >= namesMax) return known
  const name = `p${createHash('sha256').update(text).digest('base64url').slice(0, 20)}`
  names.set(text, name)
  return name
}
