/** `pasarela merchants create`. */

import { OperatorError } from '@pasarela/sql/operator-error'
import { createMerchant } from '../access/manage-clients.ts'
import { optionalText, requiredText } from './arguments.ts'
import type { Call } from './command.ts'
import { withPool } from './database.ts'
import { printJson } from './print.ts'

export async function run(call: Call): Promise<void> {
  const name = requiredText(call, 'name')
  const mode = requiredText(call, 'mode')
  if (mode !== 'live' && mode !== 'sandbox') throw new OperatorError(`--mode is "${mode}"; give live or sandbox.`)
  const timeZone = optionalText(call, 'time-zone')
  const merchant = await withPool(call.config, call.name, (sql) =>
    createMerchant(sql, { name, mode, ...(timeZone ? { timeZone } : {}) }),
  )
  printJson({ id: merchant.id, name: merchant.name, mode: merchant.mode, timeZone: merchant.timeZone })
}
