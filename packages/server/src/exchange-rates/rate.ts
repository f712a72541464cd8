/** An exchange rate: how much of one currency a unit of another is. Pure. */
import { type Currency, formatDecimal, isCurrency, parseDecimal } from '@pasarela/connector-kit'

export type ExchangeRate = {
  readonly purchaseCurrency: Currency
  readonly currency: Currency
  /** Canonical decimal. */
  readonly rate: string
  readonly updatedAt: Date
}

export type Pair = Pick<ExchangeRate, 'purchaseCurrency' | 'currency'>

/** Reads `purchaseCurrency:currency`; undefined where either is unknown. */
export function parseProduct(text: string): Pair | undefined {
  const [purchaseCurrency = '', currency = '', ...rest] = text.split(':')
  return isCurrency(purchaseCurrency) && isCurrency(currency) && rest.length === 0
    ? { purchaseCurrency, currency }
    : undefined
}

/** The pair as the contract writes it. */
export function productOf(pair: Pair): string {
  return `${pair.purchaseCurrency}:${pair.currency}`
}

/** The canonical text of a rate (`170.50` → `170.5`); undefined for zero, signs, exponents and more than 12 digits on a side. */
export function parseRate(text: string): string | undefined {
  const rate = parseDecimal(text)
  return rate && formatDecimal(rate)
}
