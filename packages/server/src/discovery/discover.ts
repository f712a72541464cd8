/** What a merchant can be paid with, and into which accounts. */

import type { Currency } from '@pasarela/connector-kit'
import type { Caller } from '../access/caller.ts'
import type { Account } from '../accounts/account.ts'
import { activeCurrencies, findAccountsByNumbers } from '../accounts/find.ts'
import { ratesInto } from '../exchange-rates/rates.ts'
import { readIdentity } from '../identities/find.ts'
import type { Context } from '../kit/context.ts'
import { problem } from '../kit/problem.ts'
import { configuredRails } from '../quotes/configured.ts'
import { type OriginNode, originNodes } from './node.ts'

export type Products = { currency: Currency; nodes: OriginNode[] }[]

/**
 * Everything that pays into the currencies of the merchant's ACTIVE accounts, or of one identity's, or of those asked for
 * among them. Throws `notFound` for an identity that is not the caller's.
 */
export async function availableProducts(
  ctx: Context,
  caller: Caller,
  asked: { identityId?: string | undefined; currencies?: readonly string[] | undefined },
): Promise<Products> {
  const merchantId = caller.merchant.id
  if (asked.identityId !== undefined) await readIdentity(ctx.sql, merchantId, asked.identityId)
  const own = await activeCurrencies(ctx.sql, merchantId, asked.identityId)
  return productsOf(
    ctx,
    caller,
    own.filter((currency) => asked.currencies?.includes(currency) ?? true),
  )
}

/** The nodes that pay into an account, or into any in `currency`. Throws `notFound` for an account that is not the caller's. */
export async function paymentOrigins(
  ctx: Context,
  caller: Caller,
  asked: { accountNumber?: string | undefined; currency?: string | undefined; purchaseCurrency?: string | undefined },
): Promise<OriginNode[]> {
  const account = await accountAsked(ctx, caller, asked.accountNumber)
  const own = account ? payable(account) : await activeCurrencies(ctx.sql, caller.merchant.id)
  const currencies = own.filter((currency) => asked.currency === undefined || asked.currency === currency)
  const products = await productsOf(ctx, caller, currencies)
  const nodes = products.flatMap((product) => product.nodes)
  return nodes.filter((node) => asked.purchaseCurrency === undefined || asked.purchaseCurrency === node.currency)
}

/** Where money can go: the account asked for, or one in each currency the merchant has. Throws `notFound` as paymentOrigins does. */
export async function paymentDestinations(ctx: Context, caller: Caller, accountNumber: string | undefined) {
  const account = await accountAsked(ctx, caller, accountNumber)
  const currencies = account ? payable(account) : await activeCurrencies(ctx.sql, caller.merchant.id)
  return currencies.map((currency) => ({ currency, account }))
}

async function accountAsked(
  ctx: Context,
  caller: Caller,
  accountNumber: string | undefined,
): Promise<Account | undefined> {
  if (accountNumber === undefined) return undefined
  const [account] = await findAccountsByNumbers(ctx.sql, caller.merchant.id, [accountNumber])
  if (!account) throw problem('notFound', `There is no account with the number ${accountNumber}.`)
  return account
}

/** Nothing goes into an account that is not ACTIVE. */
function payable(account: Account): Currency[] {
  return account.status === 'ACTIVE' ? [account.currency] : []
}

async function productsOf(ctx: Context, caller: Caller, currencies: readonly Currency[]): Promise<Products> {
  const { merchant } = caller
  const isConfigured = await configuredRails(ctx.sql, merchant)
  const rates = await Promise.all(currencies.map((currency) => ratesInto(ctx.sql, merchant.id, currency)))
  return currencies.map((currency, index) => ({
    currency,
    nodes: originNodes(currency, rates[index] ?? new Map(), isConfigured),
  }))
}
