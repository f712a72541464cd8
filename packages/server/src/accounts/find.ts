/** Reading accounts. */

import type { Currency } from '@pasarela/connector-kit'
import type { Executor } from '../kit/db.ts'
import type { Account } from './account.ts'
import * as store from './store.ts'

/** Those of the merchant's accounts that have one of these numbers, in one statement and in no order. */
export function findAccountsByNumbers(
  sql: Executor,
  merchantId: number,
  numbers: readonly string[],
): Promise<Account[]> {
  return store.findAccountsByNumbers(sql, merchantId, numbers)
}

/** The currencies in which the merchant, or one of its identities, can be paid. */
export function activeCurrencies(sql: Executor, merchantId: number, identityId?: string): Promise<Currency[]> {
  return store.listActiveCurrencies(sql, merchantId, identityId)
}
