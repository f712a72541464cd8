/** Phone numbers, checked against the world's numbering plans. */
import { createRequire } from 'node:module'

type PhoneLibrary = typeof import('libphonenumber-js/min')

export type PhoneCheck = { ok: true; canonical: string } | { ok: false; detail: string }

const require = createRequire(import.meta.url)
let library: PhoneLibrary | undefined

/** The numbering plans take some 50 ms to load, so the first phone number pays for them and a start does not. */
function phoneLibrary(): PhoneLibrary {
  library ??= require('libphonenumber-js/min') as PhoneLibrary
  return library
}

/**
 * Checks a phone number and gives it in E.164 form (`+56912345678`). `prefix` is the country's (`+56` or `56`), `number` what
 * follows; a number that begins with `+` carries its own and must agree with the prefix, if there is one. Without either
 * there is no numbering plan to check against: 5 to 15 digits will do.
 */
export function checkPhone(prefix: string | undefined, number: string): PhoneCheck {
  const digits = (prefix ?? '').replace(/[\s()+-]/g, '')
  if (!/^\d{0,4}$/.test(digits))
    return { ok: false, detail: 'has a country prefix that is not digits, for example +57' }
  const international = number.trim().startsWith('+')
  const whole = international ? number.trim() : `+${digits}${number}`
  if (!/^\+[\d\s().-]{5,30}$/.test(whole) || !whole.startsWith(`+${digits}`)) {
    return { ok: false, detail: 'is not a phone number, for example 3001234567 with the prefix +57' }
  }
  if (digits === '' && !international) return checkUnplanned(number)
  const parsed = phoneLibrary().parsePhoneNumberFromString(whole)
  return parsed?.isValid()
    ? { ok: true, canonical: parsed.number }
    : { ok: false, detail: `is not a phone number of +${digits || (parsed?.countryCallingCode ?? '')}` }
}

function checkUnplanned(number: string): PhoneCheck {
  const canonical = number.replace(/\D/g, '')
  return /^\d{5,15}$/.test(canonical) ? { ok: true, canonical } : { ok: false, detail: 'must have 5 to 15 digits' }
}
