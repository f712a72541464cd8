/** The key that seals secrets at rest: given by the operator, or a file that the embedded database's folder keeps. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { folderError, hasCluster, keepPrivateFile, makePrivateFolder } from '@pasarela/postgres-embedded'
import { OperatorError } from '@pasarela/sql/operator-error'
import type { Config } from '../platform/config.ts'

/** The master key, made on the first start with the embedded database. Throws when there should be one and it is gone. */
export function masterKeyOf(config: Config): Uint8Array {
  if (config.masterKey) return config.masterKey
  if (config.databaseUrl) {
    throw new OperatorError(
      'PASARELA_MASTER_KEY is missing. With --database-url give 32 random bytes in base64, the same to every process; ' +
        'make them once with: openssl rand -base64 32',
    )
  }
  const file = join(config.dataDir, 'master.key')
  const missing = !existsSync(file)
  if (missing && hasCluster(config.dataDir)) {
    throw new OperatorError(
      `${file} is gone, and the database beside it cannot be read without it. Put it back, or give its content as PASARELA_MASTER_KEY.`,
    )
  }
  makePrivateFolder(config.dataDir)
  if (missing) keepPrivateFile(file, `${randomBytes(32).toString('base64')}\n`)
  return readKey(file)
}

function readKey(file: string): Uint8Array {
  try {
    const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')
    if (key.length === 32) return key
  } catch (error) {
    throw folderError(file, error)
  }
  throw new OperatorError(`${file} does not hold 32 bytes in base64. Restore it from a backup.`)
}
