/** The exchange rate endpoints (ours). */
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { readCommaList } from '../kit/page.ts'
import { ExchangeRateList, RateQuery, rateSchemas, SetExchangeRates, toWire } from './schema.ts'
import { listRates, setRates } from './set.ts'

const tag = 'Exchange rates'
const answer = {
  results: [
    {
      product: 'BRL:CLP',
      purchaseCurrency: 'BRL',
      currency: 'CLP',
      exchangeRate: '170.5',
      updatedAt: '2026-01-05T12:00:00.000Z',
    },
  ],
}

const set = operation({
  operationId: 'setExchangeRates',
  tag,
  summary: 'Set exchange rates',
  description:
    'Sets the rates given and leaves the others. `BRL:CLP` 170.5 means that 1 BRL is 170.5 CLP. Sessions quoted before keep their rate until their quote dies.',
  body: named(SetExchangeRates),
  answers: { 200: named(ExchangeRateList) },
  example: { request: { rates: [{ product: 'BRL:CLP', exchangeRate: '170.5' }] }, answer },
})
const list = operation({
  operationId: 'listExchangeRates',
  tag,
  summary: 'List exchange rates',
  querystring: RateQuery,
  answers: { 200: named(ExchangeRateList) },
  example: { answer },
})

export function exchangeRateRoutes(app: App, ctx: Context): void {
  for (const schema of rateSchemas) app.addSchema(schema)

  app.put('/exchange-rates', { schema: set }, async ({ caller, body }) => ({
    results: (await setRates(ctx, caller, body)).map(toWire),
  }))
  app.get('/exchange-rates', { schema: list }, async ({ caller, query }) => ({
    results: (await listRates(ctx, caller, readCommaList(query.product))).map(toWire),
  }))
}
