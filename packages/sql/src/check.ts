/** What every new connection is set to, whatever the database, its roles or a pooler say; and the proof that it took. */

import type { Connection } from './connection.ts'
import { DatabaseError } from './errors.ts'
import { OperatorError } from './operator-error.ts'

export type SessionOptions = {
  /** Work as the role that may not rewrite history; false only for migrations and tests. */
  asApplication?: boolean
  /** 20 s unless given; 0 for none. */
  statementTimeoutMs?: number
}

/** After which Postgres gives up on a statement, unless a pool asks for another time. */
export const statementTimeoutMs = 20_000

/** The role that may not rewrite history. */
const applicationRole = 'pasarela_app'

function settingsOf(options: SessionOptions): Record<string, string> {
  return {
    // How values are written and read.
    client_encoding: 'UTF8',
    DateStyle: 'ISO, MDY',
    TimeZone: 'UTC',
    bytea_output: 'hex',
    standard_conforming_strings: 'on',
    search_path: 'public',
    // What a commit promises, and what a transaction sees.
    synchronous_commit: 'on',
    default_transaction_isolation: 'read committed',
    // What would hold locks for ever gives up.
    statement_timeout: String(options.statementTimeoutMs ?? statementTimeoutMs),
    lock_timeout: '10000',
    idle_in_transaction_session_timeout: '30000',
  }
}

/**
 * Sets up a new connection in one round trip, or throws an OperatorError that says what stands in the way. Returns the process
 * of the server that answered.
 */
export async function checkConnection(connection: Connection, options: SessionOptions): Promise<number> {
  const wanted = settingsOf(options)
  const role = options.asApplication === false ? undefined : applicationRole
  const assignments = Object.entries({ ...wanted, ...(role && { role }) }).map(
    ([name, value]) => `set ${name} = '${value}'`,
  )
  const names = Object.keys(wanted).map((name) => `'${name}'`)
  const look = `
    select current_user::text as role, pg_backend_pid() as process,
      (select json_object_agg(name, setting) from pg_settings where name in (${names.join(', ')})) as settings`
  const { rows } = await connection.command([...assignments, look].join('; ')).catch((error) => {
    throw describeRefusal(error)
  })
  const [found] = rows as { role: string; process: number; settings: Record<string, string> }[]
  const is = { ...found?.settings, role: found?.role }
  for (const [name, value] of Object.entries({ ...wanted, ...(role && { role }) }))
    if (is[name as keyof typeof is] !== value) throw notTaken(name, value, is[name as keyof typeof is])
  return found?.process ?? 0
}

function notTaken(name: string, value: string, is: string | undefined): OperatorError {
  return new OperatorError(
    `A connection to the database was set to ${name} = ${value} and has ${is}: something between Pasarela and Postgres drops SET. ` +
      'Connect to Postgres itself.',
  )
}

/** Codes with which Postgres refuses to set something: not allowed, no such role, no such setting, not now. */
function describeRefusal(error: unknown): unknown {
  if (!(error instanceof DatabaseError) || !/^(22|42|55P02|0A)/.test(error.code)) return error
  return new OperatorError(`The database does not let a connection be set up as Pasarela needs it: ${error.message}.`)
}
