/** Sets exchange rates. */
import type { Caller } from '../access/caller.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { Faults } from '../kit/problem.ts'
import { type ExchangeRate, type Pair, parseProduct, parseRate, productOf } from './rate.ts'
import type { SetExchangeRates } from './schema.ts'
import * as store from './store.ts'

/**
 * Sets the rates given and leaves the others; returns those given, by product. Quotes made before keep their rate until
 * they die. Throws `invalidParam` naming every fault, and then sets none.
 */
export async function setRates(ctx: Context, caller: Caller, input: SetExchangeRates): Promise<ExchangeRate[]> {
  const rates = readRates(input.rates)
  const updatedAt = nowFor(ctx, caller.merchant)
  await store.upsertRates(ctx.sql, caller.merchant.id, rates, updatedAt)
  return rates.map((rate) => ({ ...rate, updatedAt }))
}

/** The caller's rates, all or those of these products, by product. */
export async function listRates(ctx: Context, caller: Caller, products?: readonly string[]): Promise<ExchangeRate[]> {
  const rates = await store.listRates(ctx.sql, caller.merchant.id)
  return products ? rates.filter((rate) => products.includes(productOf(rate))) : rates
}

function readRates(given: SetExchangeRates['rates']): (Pair & { rate: string })[] {
  const faults = new Faults()
  const seen = new Set<string>()
  const rates = given.flatMap(({ product, exchangeRate }, index) => {
    const at = `/rates/${index}`
    const pair = parseProduct(product)
    const rate = parseRate(exchangeRate)
    if (!pair) faults.add(`${at}/product`, 'must be a pair of known currencies')
    if (pair && pair.purchaseCurrency === pair.currency) faults.add(`${at}/product`, 'must be of two currencies')
    if (seen.has(product)) faults.add(`${at}/product`, 'is given twice')
    if (rate === undefined) faults.add(`${at}/exchangeRate`, 'must be more than zero')
    seen.add(product)
    return pair && rate !== undefined ? [{ ...pair, rate }] : []
  })
  faults.throwIfAny()
  return rates.sort((a, b) => (productOf(a) < productOf(b) ? -1 : 1))
}
