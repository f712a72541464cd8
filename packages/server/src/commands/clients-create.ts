/** `pasarela clients create`. */
import { createClient } from '../access/manage-clients.ts'
import { optionalText, positiveNumber, requiredText } from './arguments.ts'
import type { Call } from './command.ts'
import { withPool } from './database.ts'
import { printJson } from './print.ts'

export async function run(call: Call): Promise<void> {
  const merchantId = positiveNumber('merchant', requiredText(call, 'merchant'))
  const name = requiredText(call, 'name')
  const rate = optionalText(call, 'requests-per-second') ?? '1000'
  const requestsPerSecond = rate === 'none' ? null : positiveNumber('requests-per-second', rate)
  printJson(await withPool(call.config, call.name, (sql) => createClient(sql, { merchantId, name, requestsPerSecond })))
}
