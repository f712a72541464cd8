/** SQL of exchange rates. */

import type { Currency } from '@pasarela/connector-kit'
import { texts } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import type { ExchangeRate, Pair } from './rate.ts'

/** Sets the rates given and leaves the others. In the order of the key, so that two callers wait for each other instead of dying. */
export async function upsertRates(
  sql: Executor,
  merchantId: number,
  rates: readonly (Pair & { rate: string })[],
  now: Date,
): Promise<void> {
  await sql`
    insert into exchange_rates (merchant_id, purchase_currency, currency, rate, updated_at)
    select ${merchantId}::int, r.purchase_currency, r.currency, r.rate, ${now}::timestamptz
    from unnest(${texts(rates.map((r) => r.purchaseCurrency))}::text[], ${texts(rates.map((r) => r.currency))}::text[], ${texts(rates.map((r) => r.rate))}::text[])
      as r (purchase_currency, currency, rate)
    order by r.purchase_currency, r.currency
    on conflict (merchant_id, purchase_currency, currency) do update set rate = excluded.rate, updated_at = excluded.updated_at`
}

/** All rates of a merchant; there is one per pair of currencies at most. */
export async function listRates(sql: Executor, merchantId: number): Promise<ExchangeRate[]> {
  return [
    ...(await sql<ExchangeRate[]>`
    select purchase_currency, currency, rate, updated_at from exchange_rates
    where merchant_id = ${merchantId} order by purchase_currency, currency`),
  ]
}

export async function listRatesInto(sql: Executor, merchantId: number, currency: Currency): Promise<ExchangeRate[]> {
  return [
    ...(await sql<ExchangeRate[]>`
    select purchase_currency, currency, rate, updated_at from exchange_rates
    where merchant_id = ${merchantId} and currency = ${currency} order by purchase_currency`),
  ]
}
