/** Reading merchants, for jobs and pages that have no caller. */
export { findMerchantById as findMerchant } from './store.ts'

/** The number of a merchant as public addresses write it, in base 36; undefined where it can be no merchant's. */
export function readMerchantNumber(base36: string): number | undefined {
  const number = Number.parseInt(base36, 36)
  return number <= 2 ** 31 - 1 ? number : undefined
}
