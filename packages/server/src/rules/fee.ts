/** Which fees a payment pays and how much: pure arithmetic over rules (design: section 3). */
import { type Currency, fixedToMinor, formatAmount, type Money, parseDecimal, percentOf } from '@pasarela/connector-kit'

export const feeTypes = ['FIXED', 'PERCENTAGE'] as const
export type FeeType = (typeof feeTypes)[number]

export const filterNames = [
  'paymentMethod',
  'currency',
  'purchaseCurrency',
  'transactionType',
  'country',
  'product',
] as const
export type FilterName = (typeof filterNames)[number]

export type RuleFilter = { readonly name: FilterName; readonly value: string }

/** A fee rule as a payment meets it. */
export type Rule = {
  readonly id: string
  /** The identity that the rule was made for: the payee, or one of its ancestors. */
  readonly identityId: string
  /** How many steps above the payee that identity is; 0 = the payee itself. */
  readonly depth: number
  /** Drops the fees inherited from further up, where the rule applies. */
  readonly overwrites: boolean
  /** Conditions. Of one name any value will do; of different names all must hold. */
  readonly filter: readonly RuleFilter[]
  readonly feeDescription: string
  readonly feeType: FeeType
  /** Percent, or major units of the session's currency. */
  readonly feeValue: string
}

/** What rules can be filtered by. Undefined: unknown, hence no filter of that name matches. */
export type FeeFacts = Readonly<Record<FilterName, string | undefined>>

/** A fee of a payment. The amount is text because quotes and payments are stored as JSON. */
export type Fee = {
  readonly name: string
  readonly type: FeeType
  readonly value: string
  /** Minor units of `currency`. */
  readonly amountMinor: string
  readonly currency: Currency
}

/** The rules that charge such a payment: inherited ones first, the payee's own last; what a nearer rule overwrites is dropped. */
export function applicableFees(rules: readonly Rule[], facts: FeeFacts): Rule[] {
  const matching = rules.filter((rule) => applies(rule, facts))
  const overwriting = matching.filter((rule) => rule.overwrites).map((rule) => rule.depth)
  const reach = overwriting.length > 0 ? Math.min(...overwriting) : Number.POSITIVE_INFINITY
  return matching.filter((rule) => rule.depth <= reach).sort((a, b) => b.depth - a.depth || (a.id < b.id ? -1 : 1))
}

function applies(rule: Rule, facts: FeeFacts): boolean {
  return rule.filter.every(({ name }) =>
    rule.filter.some((condition) => condition.name === name && condition.value === facts[name]),
  )
}

/** What the rules charge on `gross`: a percentage of it or a fixed amount of its currency, rounded half up; nothing is no fee. */
export function feesOf(rules: readonly Rule[], gross: Money): Fee[] {
  const { currency } = gross
  return rules.flatMap((rule) => {
    // Zero is no Decimal: it is how a rule that overwrites exempts from what would be inherited.
    const value = parseDecimal(rule.feeValue)
    const minor = !value
      ? 0n
      : rule.feeType === 'PERCENTAGE'
        ? percentOf(gross.minor, value)
        : fixedToMinor(value, currency)
    if (minor === 0n) return []
    return [
      { name: rule.feeDescription, type: rule.feeType, value: rule.feeValue, amountMinor: minor.toString(), currency },
    ]
  })
}

/** All fees together, in minor units. */
export function totalFees(fees: readonly Fee[]): bigint {
  return fees.reduce((sum, fee) => sum + BigInt(fee.amountMinor), 0n)
}

/** A fee on the wire (contract section 4.6). */
export function feeToWire({ amountMinor, ...fee }: Fee) {
  return { ...fee, amount: formatAmount(BigInt(amountMinor), fee.currency) }
}
