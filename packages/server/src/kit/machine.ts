/** A state machine as a table: status × event → status. The table is also the type, the documentation and the test. */
import { problem } from './problem.ts'

export type Table = Record<string, Record<string, string>>

export type Machine<T extends Table> = {
  readonly noun: string
  readonly initial: keyof T & string
  readonly table: T
  readonly statuses: (keyof T & string)[]
  readonly events: EventOf<T>[]
}

export type EventOf<T extends Table> = { [S in keyof T]: keyof T[S] & string }[keyof T]
export type StatusOf<M> = M extends Machine<infer T> ? keyof T & string : never
export type EventsOf<M> = M extends Machine<infer T> ? EventOf<T> : never

/** Builds a machine; every target must itself be a row of the table. */
export function machine<const T extends Table>(noun: string, initial: keyof T & string, table: T): Machine<T> {
  const statuses = Object.keys(table) as (keyof T & string)[]
  const events = [...new Set(statuses.flatMap((status) => Object.keys(table[status] ?? {})))] as EventOf<T>[]
  for (const row of Object.values(table)) {
    for (const target of Object.values(row))
      if (!(target in table)) throw new Error(`${noun}: unknown status ${target}`)
  }
  return { noun, initial, table, statuses, events }
}

/** The status that `event` leads to, or undefined where the table has no such edge. */
export function edge<T extends Table>(
  m: Machine<T>,
  from: keyof T & string,
  event: EventOf<T>,
): (keyof T & string) | undefined {
  return m.table[from]?.[event]
}

/** The status that `event` leads to. Throws `failedPrecondition` where the table has no such edge. */
export function next<T extends Table>(m: Machine<T>, from: keyof T & string, event: EventOf<T>): keyof T & string {
  const to = edge(m, from, event)
  if (to === undefined)
    throw problem('failedPrecondition', `The ${m.noun} is ${from}; "${event}" is not possible from there.`)
  return to
}
