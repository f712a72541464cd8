/** What each method costs the payer, in which currency and at which rate: computed once, stored with the session, shown as `paymentConfigs`. */
import {
  type Currency,
  convertUp,
  type Decimal,
  formatAmount,
  formatDecimal,
  type Money,
  parseDecimal,
  type Rail,
  type RailCurrency,
} from '@pasarela/connector-kit'
import { requiredPaths } from '../rails/check.ts'
import { railOf } from '../rails/index.ts'
import { type Fee, totalFees } from '../rules/fee.ts'

/** Why a method cannot be used for this offer; undefined = it can. */
export type Obstacle = 'not_configured' | 'precision' | 'limits' | 'fees'

/** One method in one currency. Amounts are strings because the quote is stored as JSON. */
export type QuotedMethod = {
  type: string
  currency: Currency
  /** How much of the session's currency one unit of `currency` is; "1" for the same currency. */
  rate: string
  purchaseAmount: string
  purchaseMinor: string
  enabled: boolean
  obstacle?: Obstacle
  fees: Fee[]
}

export type Quote = { quotedAt: string; methods: QuotedMethod[] }

export type QuoteInput = {
  total: Money
  methods: readonly string[]
  /** Rates into the session's currency, by purchase currency. */
  rates: ReadonlyMap<string, string>
  /** The fees of a payment by this method in this currency, on the total. */
  feesFor(rail: Rail, purchaseCurrency: Currency): Fee[]
  /** Whether the merchant has a connection for this rail. */
  isConfigured(rail: string): boolean
  now: Date
}

const one: Decimal = { digits: 1n, scale: 0 }

/** Quotes every allowed method in the session's currency where the rail has it, else in every currency there is a rate for. */
export function quoteMethods(input: QuoteInput): Quote {
  const methods = input.methods.flatMap((type) => {
    const rail = railOf(type)
    return rail
      ? payerCurrencies(rail, input.total.currency, input.rates).flatMap(([currency, bounds]) =>
          quoteMethod(rail, currency, bounds, input),
        )
      : []
  })
  return { quotedAt: input.now.toISOString(), methods }
}

/** What payers can pay in by this rail into an account in `into`: the same currency if the rail has it, else those with a rate. */
export function payerCurrencies(
  rail: Rail,
  into: Currency,
  rates: ReadonlyMap<string, string>,
): [Currency, RailCurrency][] {
  const all = Object.entries(rail.currencies) as [Currency, RailCurrency][]
  const same = all.filter(([currency]) => currency === into)
  return same.length > 0 ? same : all.filter(([currency]) => rates.has(currency))
}

function quoteMethod(rail: Rail, currency: Currency, bounds: RailCurrency, input: QuoteInput): QuotedMethod[] {
  const { total } = input
  const rate = currency === total.currency ? one : parseDecimal(input.rates.get(currency) ?? '')
  if (!rate) return []
  // The same currency is never rounded: a rail that cannot represent the total is not enabled.
  const purchase = currency === total.currency ? total.minor : convertUp(total, rate, currency, bounds.stepMinor)
  const fees = input.feesFor(rail, currency)
  const obstacle = obstacleOf(rail, purchase, bounds, fees, input)
  return [
    {
      type: rail.type,
      currency,
      rate: formatDecimal(rate),
      purchaseAmount: formatAmount(purchase, currency),
      purchaseMinor: purchase.toString(),
      enabled: obstacle === undefined,
      ...(obstacle ? { obstacle } : {}),
      fees,
    },
  ]
}

function obstacleOf(
  rail: Rail,
  purchase: bigint,
  bounds: RailCurrency,
  fees: Fee[],
  { total, isConfigured }: QuoteInput,
): Obstacle | undefined {
  if (!isConfigured(rail.type)) return 'not_configured'
  if (purchase % bounds.stepMinor !== 0n) return 'precision'
  if (purchase < bounds.minMinor || purchase > bounds.maxMinor) return 'limits'
  if (totalFees(fees) >= total.minor) return 'fees'
  return undefined
}

/** When the quote dies: `ttlSeconds` after it was made if any usable method converts, else never (null). */
export function quoteExpiry(quote: Quote, total: Money, ttlSeconds: number): Date | null {
  const converts = quote.methods.some((method) => method.enabled && method.currency !== total.currency)
  return converts ? new Date(Date.parse(quote.quotedAt) + ttlSeconds * 1000) : null
}

/** `paymentConfigs` of the contract (section 2.8): the methods grouped by payer currency. */
export function toPaymentConfigs(quote: Quote, sessionCurrency: Currency) {
  const currencies = [...new Set(quote.methods.map((method) => method.currency))]
  return currencies.map((currency) => {
    const methods = quote.methods.filter((method) => method.currency === currency)
    return {
      currency,
      product: `${currency}:${sessionCurrency}`,
      exchangeRate: methods[0]?.rate ?? '1',
      paymentMethods: methods.map((method) => ({
        id: `${method.type.toLowerCase()}_${currency.toLowerCase()}`,
        type: method.type,
        enabled: method.enabled,
        requiredFields: requiredFieldsOf(method.type),
        purchaseAmount: method.purchaseAmount,
      })),
    }
  })
}

function requiredFieldsOf(type: string): string[] {
  const rail = railOf(type)
  return rail ? requiredPaths(rail) : []
}
