/** A fresh quote for an offer that exists already: rates, fees and connections as they are now. */

import type { Currency } from '@pasarela/connector-kit'
import type { Merchant } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import { Problem, problem } from '../kit/problem.ts'
import type { Destination } from '../offers/offer.ts'
import { quoteOffer } from '../offers/resolve-offer.ts'
import { recallAccounts, recallTerms } from '../offers/terms.ts'
import type { Quote } from '../quotes/quote.ts'

type Quotable = {
  currency: Currency
  totalMinor: bigint
  paymentMethods: string[]
  ownerIdentityId: string
  destinations: Destination[]
}

/**
 * Quotes the offer of a link or session by today's figures. Throws `failedPrecondition` when no method can be used any
 * more, or a destination is no longer ACTIVE: what it stands on has changed, nothing is wrong with the request.
 */
export async function requote(ctx: Context, merchant: Merchant, offer: Quotable, now: Date): Promise<Quote> {
  const numbers = [...new Set(offer.destinations.map((d) => d.account.accountNumber))]
  const [{ owner, rates, configured }, accounts] = await Promise.all([
    recallTerms(ctx, merchant, offer.ownerIdentityId, offer.currency),
    recallAccounts(ctx, merchant.id, numbers),
  ])
  for (const { accountNumber, status } of accounts) {
    if (status !== 'ACTIVE')
      throw problem('failedPrecondition', `The destination account ${accountNumber} is ${status}.`)
  }
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
