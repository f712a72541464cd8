/** `pasarela merchants set-time-zone`. */
import { changeTimeZone } from '../checkout-sessions/change-time-zone.ts'
import { positiveNumber, requiredText } from './arguments.ts'
import type { Call } from './command.ts'
import { withPool } from './database.ts'
import { printJson } from './print.ts'

export async function run(call: Call): Promise<void> {
  const merchantId = positiveNumber('merchant', requiredText(call, 'merchant'))
  const timeZone = requiredText(call, 'time-zone')
  const moved = await withPool(call.config, call.name, (sql) => changeTimeZone(sql, { merchantId, timeZone }))
  printJson({ id: merchantId, timeZone, sessionsMoved: moved })
}
