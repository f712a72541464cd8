/** Rows as Postgres writes them, in text, to objects: by the type of each column, with names in camel case. */

export type Field = { readonly name: string; readonly dataTypeID: number }
type Raw = readonly (string | null)[]
/** Makes a row of its columns. */
export type Build = (columns: Raw) => unknown
type Decode = (text: string) => unknown

const number: Decode = (text) => Number(text)
const date: Decode = (text) => new Date(text)
/** Without a time zone, a time is UTC: so is the session. */
const plainTime: Decode = (text) => new Date(`${text}Z`)
const parsed: Decode = (text) => JSON.parse(text)

/** By type: what is not text. Numerics stay text, so that no amount becomes a float. */
const scalars: Record<number, Decode> = {
  16: (text) => text === 't',
  17: (text) => Buffer.from(text.slice(2), 'hex'),
  20: (text) => BigInt(text),
  21: number,
  23: number,
  26: number,
  114: parsed,
  700: number,
  701: number,
  1082: date,
  1114: plainTime,
  1184: date,
  3802: parsed,
}

/** Type of an array → type of its elements. */
const arrays: Record<number, number> = {
  ...{
    199: 114,
    1000: 16,
    1001: 17,
    1002: 18,
    1003: 19,
    1005: 21,
    1007: 23,
    1009: 25,
    1014: 1042,
    1015: 1043,
    1016: 20,
  },
  ...{
    1021: 700,
    1022: 701,
    1028: 26,
    1034: 1033,
    1115: 1114,
    1182: 1082,
    1185: 1184,
    1231: 1700,
    2951: 2950,
    3807: 3802,
  },
}

/** Types that the database defines itself begin here. */
const ownTypes = 16_384

function decoderOf({ name, dataTypeID: type }: Field): Decode | undefined {
  const element = arrays[type]
  if (element !== undefined) return (text) => readArray(text, scalars[element])
  // An array of a domain, say, would come as '{a,b}': a cast in the statement says what is meant.
  if (type >= ownTypes) throw new TypeError(`the column ${name} has a type of this database (${type}): cast it`)
  return scalars[type]
}

/** How rows with these columns become objects; with `paired`, two of them on either side of the column named border. */
export function builderOf(fields: readonly Field[], paired: boolean): Build {
  const border = fields.findIndex((field) => field.name === 'border')
  if (!paired) return objectOf(fields, 0, fields.length)
  if (border === -1) throw new TypeError('no column of the statement is named border')
  const first = objectOf(fields, 0, border)
  const second = objectOf(fields, border + 1, fields.length)
  return (columns) => ({ first: first(columns), second: second(columns) })
}

function objectOf(fields: readonly Field[], from: number, to: number): Build {
  const names = fields.map((field) => camelCase(field.name))
  const decoders = fields.map((field, i) => (i >= from && i < to ? decoderOf(field) : undefined))
  return (columns) => {
    const row: Record<string, unknown> = {}
    for (let i = from; i < to; i++) {
      const text = columns[i] ?? null
      const decode = decoders[i]
      row[names[i] as string] = text === null || decode === undefined ? text : decode(text)
    }
    return row
  }
}

function camelCase(name: string): string {
  return name.replace(/(?<=.)_(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** Reads `{a,"b c",NULL,{…}}`. */
function readArray(text: string, decode: Decode | undefined): unknown[] {
  let at = text.indexOf('{')
  const list = (): unknown[] => {
    const items: unknown[] = []
    at++
    while (text[at] !== '}') {
      if (text[at] === ',') at++
      items.push(text[at] === '{' ? list() : item())
    }
    at++
    return items
  }
  const item = (): unknown => {
    const quoted = text[at] === '"'
    if (quoted) at++
    let value = ''
    while (at < text.length && (quoted ? text[at] !== '"' : text[at] !== ',' && text[at] !== '}')) {
      if (text[at] === '\\') at++
      value += text[at++]
    }
    if (quoted) at++
    else if (value === 'NULL') return null
    return decode === undefined ? value : decode(value)
  }
  return list()
}
