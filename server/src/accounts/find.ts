/** Reading accounts. */
import type { Executor } from '../kit/db.ts'
import type { Currency } from '../vocabulary/currencies.ts'
import type { Account } from './account.ts'
import * as store from './store.ts'

/** The merchant's account with this id, if there is one. */
export function findAccount(sql: Executor, merchantId: number, id: string): Promise<Account | undefined> {
  return store.findAccountById(sql, merchantId, id)
}

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
