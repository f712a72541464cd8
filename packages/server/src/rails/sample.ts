/** A payer and a rail object that every check accepts: for examples in the reference, for the seed and for tests. */

import type { Rail } from '@pasarela/connector-kit'
import { documentExample } from '../kit/documents.ts'
import { banksOf } from './banks.ts'

const phones: Readonly<Record<string, readonly [prefix: string, number: string]>> = {
  ARG: ['+54', '91123456789'],
  BOL: ['+591', '71234567'],
  BRA: ['+55', '11987654321'],
  CHL: ['+56', '912345678'],
  COL: ['+57', '3001234567'],
  MEX: ['+52', '5512345678'],
  PER: ['+51', '987654321'],
  USA: ['+1', '2125550123'],
}

/** A payer at home where the rail is. */
export function sampleCustomer(rail: Rail, email = 'ana@example.com'): Record<string, string> {
  const country = rail.countries[0] ?? 'CHL'
  const documentType = rail.documentTypes[0] ?? 'PASSPORT'
  const [phoneNumberPrefix, phoneNumber] = phones[country] ?? ['+56', '912345678']
  const documentNumber = documentExample(documentType, country) ?? 'AB123456'
  return {
    firstName: 'Ana',
    lastName: 'Rojas',
    email,
    phoneNumber,
    phoneNumberPrefix,
    documentType,
    documentNumber,
  }
}

const samples: Readonly<Record<string, string>> = {
  token: 'tok_sandbox_approved',
  accountNumber: '000123456789',
  // The example of the American Bankers Association's own check digit.
  routingNumber: '021000021',
}

/** A rail object with all that the rail requires and a whole payer. */
export function sampleFields(rail: Rail, email?: string): Record<string, unknown> {
  const own = rail.required.filter((path) => !path.startsWith('customer.'))
  return {
    ...Object.fromEntries(own.map((path) => [path, path === 'bankId' ? firstBank(rail) : (samples[path] ?? 'sample')])),
    customer: sampleCustomer(rail, email),
  }
}

function firstBank(rail: Rail): string {
  return banksOf(rail.banksOf ?? '')?.[0]?.code ?? ''
}
