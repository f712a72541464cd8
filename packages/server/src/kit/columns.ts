/** A noun's columns as one table: its rows, column lists, record sets and SET lists all come from here. */

/**
 * `key` names the row, `once` is written when it is inserted, `moves` with every step of the noun's machine, and `changes`
 * only by the few operations that change it. `learned` is written with the steps too, but its first value stays.
 */
export type ColumnKind = 'key' | 'once' | 'moves' | 'learned' | 'changes'
export type Column = readonly [type: string, kind: ColumnKind]
/** A column that is no property of the noun but follows from it. */
export type DerivedColumn<T> = readonly [...Column, of: (value: T) => unknown]

/** Rows travel as JSON: `json_to_recordset(…) as t (record)` reads them. */
export type ColumnSet<T> = {
  /** Names, of columns of `from` where that is given. */
  names(from?: string): string
  /** Names and types. */
  readonly record: string
  /** `status = from.status, …` for every column but the key; `target` is the table that is updated. */
  set(target: string, from: string): string
  toRow(value: T): Record<string, unknown>
}

export type Columns<T> = ColumnSet<T> & {
  /** The key and the columns of these kinds: what a later write sends. */
  only(...kinds: readonly ColumnKind[]): ColumnSet<T>
}

/** Builds the table. Properties are named in camel case, their columns in snake case. */
export function columnsOf<T>(
  properties: { readonly [K in keyof T & string]-?: Column },
  derived: Readonly<Record<string, DerivedColumn<T>>> = {},
): Columns<T> {
  const own = Object.entries<Column>(properties).map(([property, [type, kind]]) => ({
    name: property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    type,
    kind,
    of: (value: T) => value[property as keyof T] as unknown,
  }))
  const all = [...own, ...Object.entries(derived).map(([name, [type, kind, of]]) => ({ name, type, kind, of }))]
  return {
    ...columnSet(all),
    only: (...kinds) => columnSet(all.filter(({ kind }) => kind === 'key' || kinds.includes(kind))),
  }
}

type Entry<T> = { name: string; type: string; kind: ColumnKind; of(value: T): unknown }

function columnSet<T>(entries: readonly Entry<T>[]): ColumnSet<T> {
  const written = entries.filter(({ kind }) => kind !== 'key')
  const assign = (target: string, from: string) => (entry: Entry<T>) =>
    entry.kind === 'learned'
      ? `${entry.name} = coalesce(${target}.${entry.name}, ${from}.${entry.name})`
      : `${entry.name} = ${from}.${entry.name}`
  return {
    names: (from) => entries.map(({ name }) => (from ? `${from}.${name}` : name)).join(', '),
    record: entries.map(({ name, type }) => `${name} ${type}`).join(', '),
    set: (target, from) => written.map(assign(target, from)).join(', '),
    toRow: (value) => {
      const row: Record<string, unknown> = {}
      for (const { name, of } of entries) row[name] = toJson(of(value))
      return row
    },
  }
}

/** JSON has neither bigints nor bytes: they travel as PostgreSQL reads them. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  return value
}
