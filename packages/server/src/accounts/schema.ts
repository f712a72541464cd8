/** The account on the wire (contract section 10.2). */

import { currencyCodes, formatAmount } from '@pasarela/connector-kit'
import Type from 'typebox'
import { named } from '../kit/operation.ts'
import { commaList, commaListOf, listQuery, Pagination } from '../kit/page.ts'
import type { Balance } from '../ledger/balances.ts'
import { limits } from '../vocabulary/limits.ts'
import { type Account as AccountRow, accountStatuses, accountTypes, ownAccountTypes } from './account.ts'

const closed = { additionalProperties: false }
const text = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description })
const When = Type.String({ format: 'date-time' })
const CurrencyCode = Type.Enum([...currencyCodes])

const name = text(limits.nameLength, 'Name of the account.')
const externalId = text(limits.externalIdLength, 'Your reference of this account.')

const CustodyBankAccount = Type.Object(
  {
    accountNumber: text(60, 'Number at the bank.'),
    bank: text(60, 'Code of the bank.'),
    currency: CurrencyCode,
    typeAccount: Type.Optional(text(40, 'For example CHECKING.')),
    country: text(3, 'ISO 3166-1 alpha-3.'),
  },
  { ...closed, description: 'Kept and shown.' },
)

export const CreateAccount = Type.Object(
  {
    identityId: text(60, 'The identity that owns it.'),
    type: Type.Enum([...ownAccountTypes], { description: 'ESCROW and FEE accounts are the platform’s own.' }),
    custody: Type.Optional(text(60, 'Where the money lies. Default `BANK_ACCOUNT`.')),
    currency: CurrencyCode,
    name,
    externalId: Type.Optional(externalId),
    parentId: Type.Optional(text(60, 'An account in the same currency that this one is below.')),
    custodyBankAccount: Type.Optional(CustodyBankAccount),
  },
  { ...closed, $id: 'CreateAccount', title: 'CreateAccount' },
)
export type CreateAccount = Type.Static<typeof CreateAccount>

export const ChangeAccount = Type.Object(
  {
    externalId: Type.Optional(externalId),
    name: Type.Optional(name),
    status: Type.Optional(Type.Enum(['ACTIVE', 'BLOCKED'], { description: 'A BLOCKED account is in no new session.' })),
  },
  { ...closed, $id: 'ChangeAccount', title: 'ChangeAccount' },
)
export type ChangeAccount = Type.Static<typeof ChangeAccount>

const AmountOut = (description: string) => Type.String({ pattern: '^\\d+(\\.\\d+)?$', description })

export const Account = Type.Object(
  {
    id: Type.String(),
    identityId: Type.String(),
    externalId: Type.String({ description: 'Your reference; the account’s own id if you gave none.' }),
    type: Type.Enum([...accountTypes]),
    custody: Type.String(),
    balance: AmountOut('All its money, in major units: what is settled and what is still pending.'),
    availableFunds: AmountOut('The part of the balance that can be used.'),
    currency: CurrencyCode,
    name: Type.String(),
    accountNumber: Type.String({ description: 'Twenty digits, the last two check digits; made by us.' }),
    accountHolder: Type.String({ description: 'Name of the identity when the account was made.' }),
    status: Type.Enum([...accountStatuses]),
    parentId: Type.String({ description: 'Empty for an account that is below no other.' }),
    custodyBankAccount: Type.Optional(CustodyBankAccount),
    createdAt: When,
    updatedAt: When,
  },
  { ...closed, $id: 'Account', title: 'Account' },
)

export const AccountQuery = listQuery('account', {
  parentId: Type.Optional(text(60, 'Accounts below this one.')),
  accountNumber: Type.Optional(commaList('Numbers.')),
  externalId: Type.Optional(Type.String({ maxLength: limits.externalIdLength, description: 'Your reference.' })),
  identityId: Type.Optional(commaList('Ids of owners.')),
  type: Type.Optional(commaListOf(accountTypes, 'Types.')),
  currency: Type.Optional(commaListOf(currencyCodes, 'Currencies.')),
  status: Type.Optional(commaListOf(accountStatuses, 'Statuses.')),
})
export type AccountQuery = Type.Static<typeof AccountQuery>

/** One level deeper than other lists: so it is published, and so clients read it. */
export const AccountPage = Type.Object(
  { pagination: Type.Object({ pagination: named(Pagination), results: Type.Array(named(Account)) }, closed) },
  { ...closed, $id: 'AccountPage', title: 'AccountPage' },
)

export const accountSchemas = [CreateAccount, ChangeAccount, Account, AccountPage]

export type AccountWithBalance = AccountRow & Balance

/** An account as the wire shows it. */
export function toWire(account: AccountWithBalance): Type.Static<typeof Account> {
  return {
    id: account.id,
    identityId: account.identityId,
    externalId: account.externalId,
    type: account.type,
    custody: account.custody,
    balance: formatAmount(account.balance, account.currency),
    availableFunds: formatAmount(account.available, account.currency),
    currency: account.currency,
    name: account.name,
    accountNumber: account.accountNumber,
    accountHolder: account.accountHolder,
    status: account.status,
    parentId: account.parentId ?? '',
    ...(account.custodyBankAccount === null ? {} : { custodyBankAccount: account.custodyBankAccount as never }),
    createdAt: account.createdAt.toISOString(),
    updatedAt: account.updatedAt.toISOString(),
  }
}
