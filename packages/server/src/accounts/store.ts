/** SQL of accounts. */

import { json, texts } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import { inPage, type Page, withinDays } from '../kit/page.ts'
import type { Account } from './account.ts'

/** Inserts the account, or nothing where it is there already. */
export async function insertAccount(sql: Executor, row: Account): Promise<boolean> {
  const rows = await sql`
    insert into accounts (merchant_id, id, identity_id, parent_id, external_id, type, custody, currency, name, account_number,
      account_holder, status, custody_bank_account, created_at, updated_at)
    values (${row.merchantId}, ${row.id}, ${row.identityId}, ${row.parentId}, ${row.externalId}, ${row.type}, ${row.custody},
      ${row.currency}, ${row.name}, ${row.accountNumber}, ${row.accountHolder}, ${row.status},
      ${json(row.custodyBankAccount)}, ${row.createdAt}, ${row.updatedAt})
    on conflict do nothing
    returning id`
  return rows.length === 1
}

export async function findAccountById(sql: Executor, merchantId: number, id: string): Promise<Account | undefined> {
  const [row] = await sql<Account[]>`select * from accounts where merchant_id = ${merchantId} and id = ${id}`
  return row
}

export async function findAccountsByNumbers(
  sql: Executor,
  merchantId: number,
  numbers: readonly string[],
): Promise<Account[]> {
  return [
    ...(await sql<Account[]>`
    select * from accounts where merchant_id = ${merchantId} and account_number = any (${texts(numbers)}::text[])`),
  ]
}

/** Locks the accounts' rows until the transaction ends, in the order of their ids; foreign keys may still refer to them. */
export async function lockAccountsByIds(sql: Executor, merchantId: number, ids: readonly string[]): Promise<Account[]> {
  return [
    ...(await sql<Account[]>`
    select * from accounts where merchant_id = ${merchantId} and id = any (${texts(ids)}::text[])
    order by id for no key update`),
  ]
}

/** Changes what is given and leaves the rest; undefined where there is no such account. */
export async function updateAccount(
  sql: Executor,
  change: Pick<Account, 'merchantId' | 'id' | 'updatedAt'> & Partial<Pick<Account, 'externalId' | 'name' | 'status'>>,
): Promise<Account | undefined> {
  const [row] = await sql<Account[]>`
    update accounts set
      external_id = coalesce(${change.externalId ?? null}, external_id), name = coalesce(${change.name ?? null}, name),
      status = coalesce(${change.status ?? null}, status), updated_at = ${change.updatedAt}
    where merchant_id = ${change.merchantId} and id = ${change.id}
    returning *`
  return row
}

/** The currencies that the merchant, or one identity of it, has ACTIVE accounts in. */
export async function listActiveCurrencies(
  sql: Executor,
  merchantId: number,
  identityId: string | undefined,
): Promise<Account['currency'][]> {
  const rows = await sql<Pick<Account, 'currency'>[]>`
    select distinct currency from accounts where merchant_id = ${merchantId} and status = 'ACTIVE'
      ${identityId === undefined ? sql`` : sql`and identity_id = ${identityId}`}
    order by currency`
  return rows.map((row) => row.currency)
}

export type AccountFilters = {
  parentId?: string
  accountNumber?: string[]
  externalId?: string
  identityId?: string[]
  type?: string[]
  currency?: string[]
  status?: string[]
}

/** One page of a merchant's accounts, and how many match in all. */
export async function listAccounts(sql: Executor, merchantId: number, by: AccountFilters, page: Page) {
  const where = sql`
    merchant_id = ${merchantId}
    ${by.parentId === undefined ? sql`` : sql`and parent_id = ${by.parentId}`}
    ${by.accountNumber === undefined ? sql`` : sql`and account_number = any (${texts(by.accountNumber)})`}
    ${by.externalId === undefined ? sql`` : sql`and external_id = ${by.externalId}`}
    ${by.identityId === undefined ? sql`` : sql`and identity_id = any (${texts(by.identityId)})`}
    ${by.type === undefined ? sql`` : sql`and type = any (${texts(by.type)})`}
    ${by.currency === undefined ? sql`` : sql`and currency = any (${texts(by.currency)})`}
    ${by.status === undefined ? sql`` : sql`and status = any (${texts(by.status)})`}
    ${withinDays(sql, page)}`
  const [rows, [counted]] = await Promise.all([
    sql<Account[]>`select * from accounts where ${where} ${inPage(sql, page)}`,
    sql<{ total: number }[]>`select count(*)::int as total from accounts where ${where}`,
  ])
  return { accounts: [...rows], total: counted?.total ?? 0 }
}
