/** Reads and lists accounts with what they hold. */
import type { Caller } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import type { Executor } from '../kit/db.ts'
import { paginationOf, readCommaList, readPage } from '../kit/page.ts'
import { problem } from '../kit/problem.ts'
import { balancesOf } from '../ledger/balances.ts'
import type { Account } from './account.ts'
import type { AccountQuery, AccountWithBalance } from './schema.ts'
import * as store from './store.ts'

/** The caller's account with this id. Throws `notFound`. */
export async function readAccount(ctx: Context, caller: Caller, id: string): Promise<AccountWithBalance> {
  const account = await store.findAccountById(ctx.sql, caller.merchant.id, id)
  if (!account) throw problem('notFound', `There is no account ${id}.`)
  return withBalance(ctx.sql, account)
}

/** One page of the caller's accounts; the balances of a page are all of one moment. */
export async function listAccounts(ctx: Context, caller: Caller, query: AccountQuery) {
  const { parentId, externalId } = query
  const [accountNumber, identityId, type, currency, status] = [
    query.accountNumber,
    query.identityId,
    query.type,
    query.currency,
    query.status,
  ].map(readCommaList)
  const page = readPage(query, 'account', caller.merchant.timeZone)
  const filters: store.AccountFilters = {
    ...(parentId === undefined ? {} : { parentId }),
    ...(externalId === undefined ? {} : { externalId }),
    ...(accountNumber === undefined ? {} : { accountNumber }),
    ...(identityId === undefined ? {} : { identityId }),
    ...(type === undefined ? {} : { type }),
    ...(currency === undefined ? {} : { currency }),
    ...(status === undefined ? {} : { status }),
  }
  const { accounts, total } = await store.listAccounts(ctx.sql, caller.merchant.id, filters, page)
  const balances = await balancesOf(ctx.sql, caller.merchant.id, accounts)
  const results = accounts.map((account) => ({ ...account, ...(balances.get(account.id) ?? nothing) }))
  return { accounts: results, pagination: paginationOf(page, accounts.length, total) }
}

const nothing = { balance: 0n, available: 0n }

/** The account with its balance of now. */
export async function withBalance(sql: Executor, account: Account): Promise<AccountWithBalance> {
  const balances = await balancesOf(sql, account.merchantId, [account])
  return { ...account, ...(balances.get(account.id) ?? nothing) }
}
