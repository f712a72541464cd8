/** Checks a rail object, once the session's customer is merged in, against what its rail needs: nothing missing, documents, phone and bank real. */

import type { Rail } from '@pasarela/connector-kit'
import { checkDocument } from '../kit/documents.ts'
import { checkPhone } from '../kit/phones.ts'
import type { Faults } from '../kit/problem.ts'
import { isBank } from './banks.ts'
import { findCardNumber } from './card-number.ts'

type Fields = Readonly<Record<string, unknown>>

/** The dotted paths that discovery and `paymentConfigs` publish, e.g. `pix.customer.email`. */
export function requiredPaths(rail: Rail): string[] {
  return rail.required.map((path) => `${rail.key}.${path}`)
}

/** The JSON type of each required path, for `requiredFieldTypes`. Every field that a rail asks for is a text. */
export function requiredPathTypes(rail: Rail): Record<string, string> {
  return Object.fromEntries(requiredPaths(rail).map((path) => [path, 'string']))
}

/** The required paths (below the rail's key, e.g. `customer.email`) that these fields leave empty. */
export function missingPaths(rail: Rail, fields: Fields): string[] {
  return rail.required.filter((path) => {
    const alias = rail.aliases?.[path]
    return isEmpty(valueAt(fields, path)) && (alias === undefined || isEmpty(valueAt(fields, alias)))
  })
}

/** Adds to `faults` what keeps these fields from being submitted; `pointer` is where the rail object is in the body. */
export function checkRailFields(rail: Rail, fields: Fields, pointer: string, faults: Faults): void {
  for (const path of missingPaths(rail, fields)) {
    faults.addMissing(`${pointer}/${path.replaceAll('.', '/')}`, `is required by ${rail.name}`)
  }
  checkCustomer(asFields(fields.customer), `${pointer}/customer`, faults, rail)
  const bankId = fields.bankId
  if (rail.banksOf !== undefined && typeof bankId === 'string' && bankId !== '' && !isBank(rail.banksOf, bankId)) {
    faults.add(`${pointer}/bankId`, `is not a bank of GET /payments/banks/${rail.banksOf}`)
  }
  const routingNumber = fields.routingNumber ?? asFields(fields.bank).routingNumber
  if (typeof routingNumber === 'string' && routingNumber !== '' && !isRoutingNumber(routingNumber)) {
    faults.add(`${pointer}/routingNumber`, 'is not an ABA routing number: its check digit is wrong')
  }
}

/**
 * Adds to `faults` what is wrong with a payer's document and phone. With a rail that needs the document number, the
 * document must also be of a type that rail takes; a type left out is taken as any of them.
 */
export function checkCustomer(customer: Fields, pointer: string, faults: Faults, rail?: Rail): void {
  const { documentNumber, phoneNumber, phoneNumberPrefix } = customer
  for (const name of ['firstName', 'lastName']) {
    // A payer who mistakes the field must not leave a card number on record.
    if (findCardNumber(customer[name]) !== undefined) faults.add(`${pointer}/${name}`, 'looks like a card number')
  }
  if (typeof documentNumber === 'string' && documentNumber !== '') {
    checkCustomerDocument(customer, documentNumber, pointer, faults, rail)
  }
  if (typeof phoneNumber === 'string' && phoneNumber !== '') {
    const prefix = typeof phoneNumberPrefix === 'string' ? phoneNumberPrefix : defaultPrefix(rail)
    const checked = checkPhone(prefix, phoneNumber)
    if (!checked.ok) faults.add(`${pointer}/phoneNumber`, checked.detail)
  }
}

function checkCustomerDocument(customer: Fields, number: string, pointer: string, faults: Faults, rail?: Rail): void {
  const country = documentCountry(customer, rail)
  const needed = rail?.required.includes('customer.documentNumber') === true && rail.documentTypes.length > 0
  const type = typeof customer.documentType === 'string' ? customer.documentType : ''
  if (type === '') {
    const accepted = !needed || rail.documentTypes.some((each) => checkDocument(each, number, country).ok)
    if (!accepted) faults.add(`${pointer}/documentNumber`, `is not a valid ${rail.documentTypes.join(' or ')}`)
    return
  }
  if (needed && !rail.documentTypes.includes(type.toUpperCase())) {
    faults.add(`${pointer}/documentType`, `must be one of ${rail.documentTypes.join(', ')} for ${rail.name}`)
    return
  }
  const checked = checkDocument(type, number, country)
  if (!checked.ok) faults.add(`${pointer}/documentNumber`, checked.detail)
}

/** Where a document is from: the rail's country if it has just one, else the payer's. */
function documentCountry(customer: Fields, rail: Rail | undefined): string | undefined {
  if (rail?.countries.length === 1) return rail.countries[0]
  const country = asFields(customer.address).country
  return typeof country === 'string' ? country : undefined
}

const prefixes: Readonly<Record<string, string>> = {
  CHL: '+56',
  MEX: '+52',
  COL: '+57',
  PER: '+51',
  BOL: '+591',
  ARG: '+54',
  BRA: '+55',
  USA: '+1',
}

/** The phone prefix of a rail that is at home in one country: local payers leave it out. */
function defaultPrefix(rail: Rail | undefined): string | undefined {
  return rail?.countries.length === 1 ? prefixes[rail.countries[0] ?? ''] : undefined
}

/** The American Bankers Association's check: weights 3, 7, 1 over nine digits sum to a multiple of ten. */
export function isRoutingNumber(text: string): boolean {
  if (!/^\d{9}$/.test(text) || text === '000000000') return false
  const sum = [...text].reduce((total, digit, i) => total + Number(digit) * ([3, 7, 1][i % 3] ?? 0), 0)
  return sum % 10 === 0
}

function valueAt(fields: Fields, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => asFields(value)[key], fields)
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
}

function asFields(value: unknown): Fields {
  return value !== null && typeof value === 'object' ? (value as Fields) : {}
}
