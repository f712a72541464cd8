/** Exchange rates on the wire (ours; the contract has none). */

import { currencyCodes } from '@pasarela/connector-kit'
import Type from 'typebox'
import { named } from '../kit/operation.ts'
import { limits } from '../vocabulary/limits.ts'
import { productOf, type ExchangeRate as Rate } from './rate.ts'

const closed = { additionalProperties: false }

const product = Type.String({
  pattern: '^[A-Z]{3,5}:[A-Z]{3,5}$',
  'x-wants': 'a pair purchaseCurrency:currency such as BRL:CLP',
  description: '`purchaseCurrency:currency`: what the payer pays in, what the session is in.',
})

export const SetExchangeRates = Type.Object(
  {
    rates: Type.Array(
      Type.Object(
        {
          product,
          exchangeRate: Type.String({
            pattern: '^\\d{1,12}(\\.\\d{1,12})?$',
            'x-wants': 'a decimal number in a string, such as "170.5"',
            description: 'How much of `currency` one unit of `purchaseCurrency` is.',
          }),
        },
        closed,
      ),
      { minItems: 1, maxItems: limits.exchangeRatesMax },
    ),
  },
  { ...closed, $id: 'SetExchangeRates', title: 'SetExchangeRates' },
)
export type SetExchangeRates = Type.Static<typeof SetExchangeRates>

export const ExchangeRate = Type.Object(
  {
    product: Type.String(),
    purchaseCurrency: Type.Enum([...currencyCodes]),
    currency: Type.Enum([...currencyCodes]),
    exchangeRate: Type.String(),
    updatedAt: Type.String({ format: 'date-time' }),
  },
  { ...closed, $id: 'ExchangeRate', title: 'ExchangeRate' },
)

export const ExchangeRateList = Type.Object(
  { results: Type.Array(named(ExchangeRate)) },
  { ...closed, $id: 'ExchangeRateList', title: 'ExchangeRateList' },
)

export const RateQuery = Type.Object(
  {
    product: Type.Optional(
      Type.String({
        ...product,
        pattern: '^[A-Z]{3,5}:[A-Z]{3,5}(, ?[A-Z]{3,5}:[A-Z]{3,5})*$',
        'x-wants': 'a comma-separated list of pairs such as BRL:CLP',
      }),
    ),
  },
  closed,
)

export const rateSchemas = [SetExchangeRates, ExchangeRate, ExchangeRateList]

/** A rate as the wire shows it. */
export function toWire(rate: Rate): Type.Static<typeof ExchangeRate> {
  return {
    product: productOf(rate),
    purchaseCurrency: rate.purchaseCurrency,
    currency: rate.currency,
    exchangeRate: rate.rate,
    updatedAt: rate.updatedAt.toISOString(),
  }
}
