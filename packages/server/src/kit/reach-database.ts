/** Whether a database can be used, and if not, why, in the operator's words. */
import { openPool, parseDatabaseUrl } from '@pasarela/sql'
import { errorCode, OperatorError } from '@pasarela/sql/operator-error'

/** The oldest Postgres that the schema is written for. */
export const postgresMajorMin = 15

const reasons: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name of the host cannot be looked up',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ECONNRESET: 'it broke off the connection',
  CONNECT_TIMEOUT: 'it does not answer',
  CONNECTION_CLOSED: 'it broke off the connection',
  TLS_REFUSED: 'it does not take encrypted connections',
  '28P01': 'it refuses this user and password',
  '28000': 'it refuses this user',
  '3D000': 'it has no database of that name',
  '53300': 'it has no connection left for us',
  '57P03': 'it is starting up or shutting down',
  SELF_SIGNED_CERT_IN_CHAIN: 'this system does not know who signed its certificate; name the file with sslrootcert',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'this system does not know who signed its certificate; name the file with sslrootcert',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'this system does not know who signed its certificate; name the file with sslrootcert',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'this system does not know who signed its certificate; name the file with sslrootcert',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is made out for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
}

/** Errors whose code says less than their message, by a part of it. */
const reasonsByMessage: Record<string, string> = {
  'no encryption': 'it takes only encrypted connections; add sslmode=verify-full, or at least sslmode=require',
  'unsupported startup parameter': 'the pooler there does not take the settings that the URL names',
}

/** Throws an OperatorError when the database cannot be reached, is too old, or lies behind a pooler that shares sessions. */
export async function reachDatabase(url: string): Promise<void> {
  const sql = openPool(url, { max: 1, applicationName: 'pasarela', asApplication: false })
  try {
    const [row] = await sql<{ number: number; text: string }[]>`
      select current_setting('server_version_num')::int as number, current_setting('server_version') as text`
    const major = Math.floor((row?.number ?? 0) / 10_000)
    if (major < postgresMajorMin) {
      throw new OperatorError(
        `The database ${placeOf(url)} is Postgres ${row?.text}; Pasarela needs ${postgresMajorMin} or newer. Upgrade it, or choose another with --database-url.`,
      )
    }
  } catch (error) {
    throw describeFailure(url, error)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function describeFailure(url: string, error: unknown): unknown {
  if (error instanceof OperatorError) return error
  const message = error instanceof Error ? error.message : String(error)
  const known = Object.entries(reasonsByMessage).find(([part]) => message.includes(part))?.[1]
  const reason = known ?? reasons[errorCode(error) ?? ''] ?? message
  return new OperatorError(
    `The database ${placeOf(url)} cannot be reached: ${reason}. Start it, or correct --database-url (DATABASE_URL).`,
  )
}

/** Host, port and database of a URL: what may be shown of it. */
export function placeOf(url: string): string {
  const { host, port, database = '' } = parseDatabaseUrl(url)
  return `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`
}
