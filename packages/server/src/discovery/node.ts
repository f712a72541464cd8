/** What one can pay with, as payment forms need it: the read form of a node (contract section 4.4). Pure. */
import { type Currency, type Rail, type RailCurrency, unitOf } from '@pasarela/connector-kit'
import { payerCurrencies } from '../quotes/quote.ts'
import { requiredPaths, requiredPathTypes } from '../rails/check.ts'
import { rails } from '../rails/index.ts'

export type OriginNode = {
  type: string
  /** What the payer pays in. */
  currency: Currency
  name: string
  /** `purchaseCurrency:currency`. */
  product: string
  settlement: string
  minAmount: string
  maxAmount: string
  requiredFields: string[]
  requiredFieldTypes: Record<string, string>
  validDestinations: string[]
}

/** Every way to pay into an account in `currency`: by the rails that take it, else by those that there is a rate for. */
export function originNodes(
  currency: Currency,
  rates: ReadonlyMap<string, string>,
  isConfigured: (rail: string) => boolean,
): OriginNode[] {
  const usable = rails.filter((rail) => isConfigured(rail.type))
  return usable.flatMap((rail) =>
    payerCurrencies(rail, currency, rates).map(([payers, bounds]) => originNode(rail, payers, bounds, currency)),
  )
}

function originNode(rail: Rail, payers: Currency, bounds: RailCurrency, currency: Currency): OriginNode {
  const unit = unitOf(payers)
  return {
    type: rail.type,
    currency: payers,
    name: rail.name,
    product: `${payers}:${currency}`,
    settlement: rail.settlement,
    // Published as whole units: rounded outwards, so that a form never refuses what we would take.
    minAmount: (bounds.minMinor / unit).toString(),
    maxAmount: ((bounds.maxMinor + unit - 1n) / unit).toString(),
    requiredFields: requiredPaths(rail),
    requiredFieldTypes: requiredPathTypes(rail),
    validDestinations: ['ACCOUNT'],
  }
}
