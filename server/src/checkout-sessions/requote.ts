/** A fresh quote for an offer that exists already: rates, fees and connections as they are now. */
import type { Merchant } from '../access/caller.ts'
import { ratesInto } from '../exchange-rates/rates.ts'
import type { Executor } from '../kit/db.ts'
import { quoteOffer } from '../offers/resolve-offer.ts'
import { configuredRails } from '../quotes/configured.ts'
import type { Quote } from '../quotes/quote.ts'
import { loadOwner } from '../rules/load-owner.ts'
import type { Currency } from '../vocabulary/currencies.ts'

type Quotable = { currency: Currency; totalMinor: bigint; paymentMethods: string[]; ownerIdentityId: string }

/** Quotes the offer of a link or session by today's figures. Throws when no method can be used any more. */
export async function requote(sql: Executor, merchant: Merchant, offer: Quotable, now: Date): Promise<Quote> {
  const [owner, rates, configured] = await Promise.all([
    loadOwner(sql, merchant.id, offer.ownerIdentityId),
    ratesInto(sql, merchant.id, offer.currency),
    configuredRails(sql, merchant),
  ])
  return quoteOffer({
    total: { minor: offer.totalMinor, currency: offer.currency },
    methods: offer.paymentMethods,
    rates,
    rules: owner?.rules ?? [],
    country: owner?.country,
    configured,
    now,
  })
}
