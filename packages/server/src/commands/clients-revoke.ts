/** `pasarela clients revoke <clientId>`. */
import { revokeClient } from '../access/manage-clients.ts'
import type { Call } from './command.ts'
import { withPool } from './database.ts'

export async function run({ config, name, words: [clientId = ''] }: Call): Promise<void> {
  await withPool(config, name, (sql) => revokeClient(sql, clientId))
  console.log(`${clientId} is revoked; every process refuses it within five seconds.`)
}
