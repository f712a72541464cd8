/** `pasarela merchants list`. */
import { listMerchants } from '../access/manage-clients.ts'
import type { Call } from './command.ts'
import { withPool } from './database.ts'
import { printJson, printTable } from './print.ts'

export async function run({ config, name, values }: Call): Promise<void> {
  const merchants = await withPool(config, name, listMerchants)
  const rows = merchants.map(({ id, name, mode, timeZone }) => ({ id, name, mode, timeZone }))
  if (values.json) printJson(rows)
  else printTable(['id', 'name', 'mode', 'time zone'], rows.map(Object.values))
}
