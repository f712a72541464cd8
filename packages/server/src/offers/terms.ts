/** What an offer is quoted by: its owner with the rules that reach it, the rates, the rails; remembered for a moment. */

import type { Currency } from '@pasarela/connector-kit'
import type { Merchant } from '../access/caller.ts'
import { findAccountsByNumbers } from '../accounts/find.ts'
import { ratesInto } from '../exchange-rates/rates.ts'
import type { Context } from '../kit/context.ts'
import { configuredRails } from '../quotes/configured.ts'
import { loadOwner } from '../rules/load-owner.ts'

/** Owner, rates into the offer's currency and configured rails, at most a second old. */
export async function recallTerms({ sql, recall }: Context, merchant: Merchant, ownerId: string, currency: Currency) {
  const [owner, rates, configured] = await Promise.all([
    recall.get(merchant.id, `owner ${ownerId}`, () => loadOwner(sql, merchant.id, ownerId)),
    recall.get(merchant.id, `rates ${currency}`, () => ratesInto(sql, merchant.id, currency)),
    recall.get(merchant.id, 'rails', () => configuredRails(sql, merchant)),
  ])
  return { owner, rates, configured }
}

/** The accounts with these numbers, at most a second old. */
export function recallAccounts({ sql, recall }: Context, merchantId: number, numbers: readonly string[]) {
  return recall.get(merchantId, `accounts ${numbers.join(' ')}`, () => findAccountsByNumbers(sql, merchantId, numbers))
}
