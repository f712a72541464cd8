/** An offer: items, who is paid and how one may pay. What a link and a session have in common, parsed once and exact. */
import {
  type Currency,
  formatAmount,
  parseAmount,
  parseDecimal,
  parseNonNegative,
  percentOf,
} from '@pasarela/connector-kit'
import type { Faults } from '../kit/problem.ts'
import { checkCustomer } from '../rails/check.ts'
import type { CustomerBody, customerRequirements, ItemBody, OfferBody } from './schema.ts'

export type Item = ItemBody
export type Customer = CustomerBody
export type CustomerRequirement = (typeof customerRequirements)[number]

/** The owner as the wire shows it. */
export type Owner = {
  identityId: string
  name?: string
  lastname?: string
  nickname?: string
  documentNumber?: string
  entityType?: string
}

/** A destination as stored: the wire form with the account's id, which stays inside. */
export type Destination = {
  type: 'ACCOUNT'
  amount: string
  name?: string
  externalId?: string
  metadata?: { image: string; description: string; category: string }
  account: { type: string; currency: Currency; accountNumber: string; accountHolder: string }
  accountId: string
}

export type Offer = {
  checkoutToken: string
  items: Item[]
  currency: Currency
  preTaxMinor: bigint
  totalMinor: bigint
  paymentMethods: string[]
  customer: Customer | null
  customerRequirements: CustomerRequirement[] | null
  destinations: Destination[]
  successUrl: string | null
  failedUrl: string | null
  durationSeconds: number
  owner: Owner
  metadata: Record<string, string>
}

/** Items with canonical amounts and their sums in minor units; what does not add up goes into `faults`. */
export function readItems(items: readonly ItemBody[], currency: Currency, faults: Faults) {
  let preTaxMinor = 0n
  let totalMinor = 0n
  const read = items.map((item, index) => {
    const at = `/items/${index}`
    const preTax = amountAt(`${at}/preTaxAmount`, item.preTaxAmount, currency, faults)
    const total = amountAt(`${at}/totalAmount`, item.totalAmount, currency, faults)
    const tax = item.tax ? readTax(item.tax, preTax, currency, `${at}/tax`, faults) : 0n
    if (preTax !== undefined && total !== undefined && tax !== undefined && preTax + tax !== total) {
      const want = formatAmount(preTax + tax, currency)
      faults.add(`${at}/totalAmount`, `must be preTaxAmount plus tax.amount, which is "${want}"`)
    }
    preTaxMinor += preTax ?? 0n
    totalMinor += total ?? 0n
    return {
      ...item,
      preTaxAmount: formatAmount(preTax ?? 0n, currency),
      totalAmount: formatAmount(total ?? 0n, currency),
      ...(item.tax ? { tax: { ...item.tax, amount: formatAmount(tax ?? 0n, currency) } } : {}),
    }
  })
  return { items: read, preTaxMinor, totalMinor }
}

/** A percentage's amount may be one minor unit from ours: callers round in their own ways. A fixed tax is its value. */
function readTax(
  tax: NonNullable<ItemBody['tax']>,
  preTax: bigint | undefined,
  currency: Currency,
  at: string,
  faults: Faults,
): bigint | undefined {
  const amount = parseNonNegative(tax.amount, currency)
  if (amount === undefined) {
    faults.add(`${at}/amount`, `must be an amount of ${currency} with at most its decimals`)
    return undefined
  }
  if (tax.type === 'FIXED') {
    if (parseNonNegative(tax.value, currency) !== amount)
      faults.add(`${at}/amount`, 'must equal the value of a FIXED tax')
    return amount
  }
  const percent = parseDecimal(tax.value)
  const exact = preTax === undefined ? undefined : percent ? percentOf(preTax, percent) : 0n
  if (exact !== undefined && (amount > exact + 1n || amount < exact - 1n)) {
    faults.add(`${at}/amount`, `must be ${tax.value} % of preTaxAmount, which is "${formatAmount(exact, currency)}"`)
  }
  return amount
}

/** An amount of the currency at a place of the body, or a fault there. */
export function amountAt(pointer: string, text: string, currency: Currency, faults: Faults): bigint | undefined {
  const minor = parseAmount(text, currency)
  if (minor === undefined)
    faults.add(pointer, `must be an amount of ${currency}: more than zero, with at most its decimals`)
  return minor
}

/** Where the payer's browser may be sent: https, or http to this machine, without credentials. */
export function checkUrl(pointer: string, text: string | undefined, faults: Faults): void {
  if (text === undefined) return
  // The parser drops line breaks and blanks at the ends; the text goes into a header as it is.
  const url = /[\s\p{Cc}]/u.test(text) ? null : URL.parse(text)
  if (!url) {
    faults.add(pointer, 'must be an absolute URL')
    return
  }
  const local = url.hostname === 'localhost' || url.hostname === '127.0.0.1' || url.hostname === '[::1]'
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local))
    faults.add(pointer, 'must be https (http only for localhost)')
  if (url.username || url.password) faults.add(pointer, 'must not contain credentials')
}

/** The parts of a body that need no look-up, checked together so that a caller hears of all faults at once. */
export function checkOffer(body: OfferBody, faults: Faults) {
  checkUrl('/successUrl', body.successUrl, faults)
  checkUrl('/failedUrl', body.failedUrl, faults)
  checkCustomer(body.customer ?? {}, '/customer', faults)
  const sums = readItems(body.items, body.currency as Currency, faults)
  if (sums.totalMinor > 10n ** 15n) faults.add('/items', 'sum to more than the largest amount there can be')
  return sums
}
