/** The phone of an identity: a real number, of the country that the identity is of. */
import { checkPhone } from '../kit/phones.ts'
import type { Faults } from '../kit/problem.ts'
import { callingCodes } from '../vocabulary/countries.ts'

/** The number in E.164; what is wrong goes into `faults`. */
export function checkIdentityPhone(phone: string, country: string | null, faults: Faults): string {
  if (!phone.trim().startsWith('+')) {
    faults.add('/phone', 'must begin with + and the country code, for example +56912345678')
    return phone
  }
  const checked = checkPhone(undefined, phone)
  if (!checked.ok) {
    faults.add('/phone', checked.detail)
    return phone
  }
  const code = country === null ? undefined : callingCodes[country]
  if (code !== undefined && !checked.canonical.startsWith(`+${code}`)) {
    faults.add('/phone', `is not a number of ${country}, which begin with +${code}`)
  }
  return checked.canonical
}
