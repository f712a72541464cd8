/** What a database, or the way to it, answers instead of rows. */

/** The database refused: `code` is its SQLSTATE. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: string
  readonly severity: string | undefined
  readonly constraint: string | undefined
  readonly table: string | undefined
  readonly column: string | undefined
  readonly detail: string | undefined
  readonly hint: string | undefined
  readonly routine: string | undefined

  constructor(message: string, fields: Partial<Record<keyof DatabaseError, unknown>>) {
    super(message)
    const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
    this.code = text(fields.code) ?? ''
    this.severity = text(fields.severity)
    this.constraint = text(fields.constraint)
    this.table = text(fields.table)
    this.column = text(fields.column)
    this.detail = text(fields.detail)
    this.hint = text(fields.hint)
    this.routine = text(fields.routine)
  }
}

/** There is no connection, or it was lost: what was under way may have happened or not. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code: 'CONNECTION_CLOSED' | 'CONNECTION_ENDED' | 'CONNECT_TIMEOUT' | 'TLS_REFUSED'

  constructor(code: ConnectionError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** A statement that was prepared before its tables changed, or that the server has forgotten. It has not run. */
export function isStale(error: unknown): boolean {
  const { code, routine } = error as { code?: unknown; routine?: unknown }
  return (code === '0A000' && routine === 'RevalidateCachedQuery') || code === '26000'
}
