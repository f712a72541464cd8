/** An account of an identity: where money arrives, in one currency. Pure; what it holds is the ledger's to say. */
import { randomInt } from 'node:crypto'
import type { Currency } from '@pasarela/connector-kit'

export const accountTypes = ['CHECKING', 'ASSET', 'SAVINGS', 'ESCROW', 'FEE'] as const
export type AccountType = (typeof accountTypes)[number]

/** The types a caller may make; the others belong to the platform. */
export const ownAccountTypes = ['CHECKING', 'ASSET', 'SAVINGS'] as const satisfies readonly AccountType[]

export const accountStatuses = ['PENDING', 'ACTIVE', 'BLOCKED'] as const
export type AccountStatus = (typeof accountStatuses)[number]

/** Where the money of the account really lies, as far as the caller tells. */
export type CustodyBankAccount = {
  accountNumber: string
  bank: string
  currency: string
  typeAccount?: string
  country: string
}

export type Account = {
  readonly merchantId: number
  readonly id: string
  readonly identityId: string
  readonly parentId: string | null
  readonly externalId: string
  readonly type: AccountType
  readonly custody: string
  readonly currency: Currency
  readonly name: string
  readonly accountNumber: string
  readonly accountHolder: string
  readonly status: AccountStatus
  readonly custodyBankAccount: CustodyBankAccount | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

/**
 * A new account number: 18 random digits and two check digits (ISO 7064 MOD 97-10, as in an IBAN). Twenty digits, so that
 * nothing takes it for a card number, which has at most 19.
 */
export function newAccountNumber(): string {
  const digits = `${randomInt(1, 10)}${pad(randomInt(10 ** 9), 9)}${pad(randomInt(10 ** 8), 8)}`
  return digits + pad(98 - Number((BigInt(digits) * 100n) % 97n), 2)
}

/** Whether the check digits of a number made here are right. */
export function isAccountNumber(text: string): boolean {
  return /^\d{20}$/.test(text) && BigInt(text) % 97n === 1n
}

function pad(value: number, length: number): string {
  return value.toString().padStart(length, '0')
}
