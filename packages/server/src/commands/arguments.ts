/** Reading a command's own flags. */

import { OperatorError } from '@pasarela/sql/operator-error'
import type { Call } from './command.ts'

/** The text of a flag that must be given. */
export function requiredText(call: Call, flag: string): string {
  const text = call.values[flag]
  if (typeof text === 'string' && text.trim() !== '') return text.trim()
  throw new OperatorError(`--${flag} is missing. See pasarela ${call.name} --help.`)
}

/** The text of a flag that may be absent. */
export function optionalText(call: Call, flag: string): string | undefined {
  const text = call.values[flag]
  return typeof text === 'string' ? text.trim() : undefined
}

/** A flag's text as a whole number above zero. */
export function positiveNumber(flag: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new OperatorError(`--${flag} is "${text}"; give a whole number above zero.`)
}
