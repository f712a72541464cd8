/** `pasarela clients list`. */
import { listClients, listMerchants } from '../access/manage-clients.ts'
import { optionalText, positiveNumber } from './arguments.ts'
import type { Call } from './command.ts'
import { withPool } from './database.ts'
import { printJson, printTable } from './print.ts'

export async function run(call: Call): Promise<void> {
  const merchant = optionalText(call, 'merchant')
  const only = merchant === undefined ? undefined : positiveNumber('merchant', merchant)
  const clients = await withPool(call.config, call.name, async (sql) => {
    const ids = only === undefined ? (await listMerchants(sql)).map(({ id }) => id) : [only]
    return (await Promise.all(ids.map((id) => listClients(sql, id)))).flat()
  })
  const rows = clients.map((client) => ({
    merchant: client.merchantId,
    clientId: client.id,
    name: client.name,
    requestsPerSecond: client.requestsPerSecond,
    createdAt: client.createdAt,
    rotatedAt: client.rotatedAt,
    revokedAt: client.revokedAt,
  }))
  const titles = ['merchant', 'clientId', 'name', 'requests/s', 'created', 'rotated', 'revoked']
  if (call.values.json) printJson(rows)
  else printTable(titles, rows.map(Object.values))
}
