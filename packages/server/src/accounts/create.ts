/** Makes an account. */
import type { Caller } from '../access/caller.ts'
import { findIdentity } from '../identities/find.ts'
import { fullName, type Identity } from '../identities/identity.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { newId } from '../kit/id.ts'
import { Faults } from '../kit/problem.ts'
import { type Account, newAccountNumber } from './account.ts'
import type { AccountWithBalance, CreateAccount } from './schema.ts'
import * as store from './store.ts'

/** Makes an account of an identity, ACTIVE and empty, with a number of ours. Throws `invalidParam` naming every fault. */
export async function createAccount(ctx: Context, caller: Caller, input: CreateAccount): Promise<AccountWithBalance> {
  const merchantId = caller.merchant.id
  const [identity, parent] = await Promise.all([
    findIdentity(ctx.sql, merchantId, input.identityId),
    input.parentId === undefined ? undefined : store.findAccountById(ctx.sql, merchantId, input.parentId),
  ])
  const faults = new Faults()
  if (!identity) faults.add('/identityId', 'is not an identity of yours')
  if (input.parentId !== undefined && !parent) faults.add('/parentId', 'is not an account of yours')
  if (parent && parent.currency !== input.currency)
    faults.add('/currency', `must be ${parent.currency}, as the parent's`)
  if (parent && parent.parentId !== null) faults.add('/parentId', 'is itself below another account')
  faults.throwIfAny()
  const account = newAccount(caller, input, identity, nowFor(ctx, caller.merchant))
  if (await store.insertAccount(ctx.sql, account)) return { ...account, balance: 0n, available: 0n }
  const known = await store.findAccountById(ctx.sql, merchantId, account.id)
  if (!known) throw new Error(`account number ${account.accountNumber} was drawn twice`)
  return { ...known, balance: 0n, available: 0n }
}

function newAccount(caller: Caller, input: CreateAccount, identity: Identity | undefined, now: Date): Account {
  const id = newId('account', now.getTime(), caller.seed)
  return {
    merchantId: caller.merchant.id,
    id,
    identityId: input.identityId,
    parentId: input.parentId ?? null,
    externalId: input.externalId ?? id,
    type: input.type,
    custody: input.custody ?? 'BANK_ACCOUNT',
    currency: input.currency,
    name: input.name,
    accountNumber: newAccountNumber(),
    accountHolder: identity ? fullName(identity) : '',
    status: 'ACTIVE',
    custodyBankAccount: (input.custodyBankAccount as Account['custodyBankAccount'] | undefined) ?? null,
    createdAt: now,
    updatedAt: now,
  }
}
