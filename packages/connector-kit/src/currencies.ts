/** Every currency we know and how many decimals its minor unit has (ISO 4217; tokens by their on-chain convention, capped at 6). */

export const currencies = {
  CLP: 0,
  MXN: 2,
  COP: 2,
  PEN: 2,
  BOB: 2,
  PYG: 0,
  AUD: 2,
  ARS: 2,
  BRL: 2,
  USD: 2,
  CAD: 2,
  EUR: 2,
  GBP: 2,
  USDC: 6,
  USDT: 6,
} as const

export type Currency = keyof typeof currencies

/** All currency codes, in the contract's order (section 9.1). */
export const currencyCodes = Object.keys(currencies) as Currency[]

export function isCurrency(text: string): text is Currency {
  return Object.hasOwn(currencies, text)
}
