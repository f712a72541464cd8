/** TLS options of Node for a connection to the database: reads the certificates that the URL names. */
import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { errorCode, OperatorError } from './operator-error.ts'

export type TlsWish = {
  /** Go on in the clear where the server has no TLS. */
  isOptional: boolean
  /** `chain`: the certificate must be signed by a known authority; `full`: it must also be made out for the host. */
  verify: 'none' | 'chain' | 'full'
  /** The name that the certificate must have, where the host is given by its address. */
  serverName?: string
  caFile?: string
  crlFile?: string
  certFile?: string
  keyFile?: string
  passphrase?: string
  minVersion?: 'TLSv1.2' | 'TLSv1.3'
  maxVersion?: 'TLSv1.2' | 'TLSv1.3'
}

/** Undefined = a connection in the clear. */
export function tlsOptions(host: string, tls: TlsWish | undefined): ConnectionOptions | undefined {
  if (!tls) return undefined
  const { verify, caFile, crlFile, certFile, keyFile, passphrase, minVersion, maxVersion, serverName } = tls
  return {
    // What the certificate must be made out for, also where it is an IP address, which is never sent as server name.
    host,
    rejectUnauthorized: verify !== 'none',
    // `chain` trusts every name that the authority has signed.
    ...(verify === 'chain' ? { checkServerIdentity: () => undefined } : {}),
    ...(caFile ? { ca: read('sslrootcert', caFile) } : {}),
    ...(crlFile ? { crl: read('sslcrl', crlFile) } : {}),
    ...(certFile ? { cert: read('sslcert', certFile) } : {}),
    ...(keyFile ? { key: read('sslkey', keyFile) } : {}),
    ...(passphrase ? { passphrase } : {}),
    ...(minVersion ? { minVersion } : {}),
    ...(maxVersion ? { maxVersion } : {}),
    ...(serverName ? { servername: serverName } : {}),
  }
}

function read(parameter: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new OperatorError(
      `--database-url (DATABASE_URL): ${parameter} names ${file}, which cannot be read (${errorCode(error)}).`,
    )
  }
}
