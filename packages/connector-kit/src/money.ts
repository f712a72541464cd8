/** Exact money: bigint minor units inside, decimal strings in major units outside. A JavaScript number never holds an amount. */
import { type Currency, currencies } from './currencies.ts'

/** The largest amount, in minor units (design section 3). */
export const amountMinorMax = 10n ** 15n

export type Money = { readonly minor: bigint; readonly currency: Currency }

/** A positive decimal as an exact fraction: `digits / 10^scale`. Rates and percentages. */
export type Decimal = { readonly digits: bigint; readonly scale: number }

/** Ten to the number of decimals of the currency's minor unit. */
export function unitOf(currency: Currency): bigint {
  return 10n ** BigInt(currencies[currency])
}

/**
 * Reads a decimal string of major units as minor units. Digits, optionally a point and at most the currency's decimals,
 * more than zero and at most 10^15 minor units; anything else is undefined (`"10.5"` CLP, `"1e3"`, `"-1"`, `" 1"`).
 */
export function parseAmount(text: string, currency: Currency): bigint | undefined {
  const minor = parseNonNegative(text, currency)
  return minor !== undefined && minor > 0n ? minor : undefined
}

/** As parseAmount, with zero allowed: the `amount` of a tax of nothing. */
export function parseNonNegative(text: string, currency: Currency): bigint | undefined {
  const match = /^(\d{1,16})(?:\.(\d{1,6}))?$/.exec(text)
  if (!match) return undefined
  const decimals = currencies[currency]
  const fraction = match[2] ?? ''
  if (fraction.length > decimals) return undefined
  const minor = BigInt((match[1] ?? '') + fraction.padEnd(decimals, '0'))
  return minor <= amountMinorMax ? minor : undefined
}

/** Minor units as a canonical decimal string: `1190` CLP → `"1190"`, `1990` BRL → `"19.90"`. */
export function formatAmount(minor: bigint, currency: Currency): string {
  const decimals = currencies[currency]
  const sign = minor < 0n ? '-' : ''
  const digits = (minor < 0n ? -minor : minor).toString().padStart(decimals + 1, '0')
  return decimals === 0 ? sign + digits : `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

/** Reads a positive decimal of at most 12 integer and 12 fraction digits; undefined otherwise. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = /^(\d{1,12})(?:\.(\d{1,12}))?$/.exec(text)
  if (!match) return undefined
  const fraction = (match[2] ?? '').replace(/(?<!0)0+$/, '')
  const digits = BigInt((match[1] ?? '') + fraction)
  return digits > 0n ? { digits, scale: fraction.length } : undefined
}

/** The canonical text of a decimal: no trailing zeros, no leading ones. */
export function formatDecimal({ digits, scale }: Decimal): string {
  if (scale === 0) return digits.toString()
  const text = digits.toString().padStart(scale + 1, '0')
  return `${text.slice(0, -scale)}.${text.slice(-scale)}`
}

/** `numerator / denominator`, rounded half up. Both positive. */
export function divideHalfUp(numerator: bigint, denominator: bigint): bigint {
  return (2n * numerator + denominator) / (2n * denominator)
}

/** `numerator / denominator`, rounded up. Both positive. */
export function divideUp(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator
}

/** `percent` % of an amount, rounded half up to its minor unit (design: taxes, fees). */
export function percentOf(minor: bigint, percent: Decimal): bigint {
  return divideHalfUp(minor * percent.digits, 100n * 10n ** BigInt(percent.scale))
}

/** A fixed major-unit decimal in minor units, rounded half up: a fee of `0.5` in a currency without decimals is 1. */
export function fixedToMinor(value: Decimal, currency: Currency): bigint {
  return divideHalfUp(value.digits * unitOf(currency), 10n ** BigInt(value.scale))
}

/**
 * What the payer pays for `total` when one unit of `purchaseCurrency` is worth `rate` of the total's currency:
 * total / rate in exact integers, rounded up to a multiple of `stepMinor` (the rail's precision).
 */
export function convertUp(total: Money, rate: Decimal, purchaseCurrency: Currency, stepMinor: bigint): bigint {
  const numerator = total.minor * unitOf(purchaseCurrency) * 10n ** BigInt(rate.scale)
  const steps = divideUp(numerator, rate.digits * unitOf(total.currency) * stepMinor)
  return steps * stepMinor
}

/**
 * Splits `total` in proportion to `weights` by largest remainder: the parts sum to `total` exactly, and ties go to the
 * earlier part. Weights are not negative and not all zero.
 */
export function allocate(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((a, b) => a + b, 0n)
  if (sum <= 0n) throw new RangeError('allocate: the weights sum to nothing')
  const parts = weights.map((weight, index) => ({ index, share: (total * weight) / sum, rest: (total * weight) % sum }))
  let left = total - parts.reduce((a, part) => a + part.share, 0n)
  const byRest = [...parts].sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1))
  for (const part of byRest) {
    if (left === 0n) break
    part.share += 1n
    left -= 1n
  }
  return parts.map((part) => part.share)
}
