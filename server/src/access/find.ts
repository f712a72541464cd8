/** Reading merchants, for jobs and pages that have no caller. */
export { findMerchantById as findMerchant } from './store.ts'
