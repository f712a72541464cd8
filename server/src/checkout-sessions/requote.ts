/** A fresh quote for an offer that exists already: rates, fees and connections as they are now. */
import type { Merchant } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import { Problem, problem } from '../kit/problem.ts'
import { quoteOffer } from '../offers/resolve-offer.ts'
import { recallTerms } from '../offers/terms.ts'
import type { Quote } from '../quotes/quote.ts'
import type { Currency } from '../vocabulary/currencies.ts'

type Quotable = { currency: Currency; totalMinor: bigint; paymentMethods: string[]; ownerIdentityId: string }

/**
 * Quotes the offer of a link or session by today's figures. Throws `failedPrecondition` when no method can be used any
 * more: rates, fees and connections have changed, nothing is wrong with the request.
 */
export async function requote(ctx: Context, merchant: Merchant, offer: Quotable, now: Date): Promise<Quote> {
  const { owner, rates, configured } = await recallTerms(ctx, merchant, offer.ownerIdentityId, offer.currency)
  const input = {
    total: { minor: offer.totalMinor, currency: offer.currency },
    methods: offer.paymentMethods,
    rates,
    rules: owner?.rules ?? [],
    country: owner?.country,
    configured,
    now,
  }
  try {
    return quoteOffer(input)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    throw problem('failedPrecondition', error.message)
  }
}
