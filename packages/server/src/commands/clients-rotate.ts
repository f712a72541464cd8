/** `pasarela clients rotate <clientId>`. */
import { rotateClient } from '../access/manage-clients.ts'
import type { Call } from './command.ts'
import { withPool } from './database.ts'
import { printJson } from './print.ts'

export async function run({ config, name, words: [clientId = ''] }: Call): Promise<void> {
  printJson(await withPool(config, name, (sql) => rotateClient(sql, clientId)))
}
