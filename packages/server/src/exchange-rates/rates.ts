/** The merchant's exchange rates, as quotes need them. */

import type { Currency } from '@pasarela/connector-kit'
import type { Executor } from '../kit/db.ts'
import { listRatesInto } from './store.ts'

/** Rates into `currency` by purchase currency: how much of `currency` one unit of it is, as a canonical decimal. */
export async function ratesInto(
  sql: Executor,
  merchantId: number,
  currency: Currency,
): Promise<ReadonlyMap<Currency, string>> {
  const rates = await listRatesInto(sql, merchantId, currency)
  return new Map(rates.map((rate) => [rate.purchaseCurrency, rate.rate]))
}
