/** What a method asks the payer for: what rail and merchant need, less what the merchant gave already. Nothing given is ever shown. */

import type { Rail } from '@pasarela/connector-kit'
import { documentExample, documentTypesOf } from '../kit/documents.ts'
import { Faults } from '../kit/problem.ts'
import type { Customer, CustomerRequirement } from '../offers/offer.ts'
import { banksOf } from '../rails/banks.ts'
import { checkRailFields } from '../rails/check.ts'
import { callingCodes } from '../vocabulary/countries.ts'
import { limits } from '../vocabulary/limits.ts'
import type { WordKey } from './words.ts'

/** A field of the form. `path` is its place in the rail object, and its name in the form. */
export type Field = {
  readonly path: string
  readonly label: WordKey
  readonly kind: 'text' | 'email' | 'tel' | 'select'
  readonly maxLength: number
  readonly autocomplete: string
  readonly inputMode: 'text' | 'email' | 'tel' | 'numeric'
  /** The choices of a select: value and label. */
  readonly options?: readonly (readonly [value: string, label: string])[]
  /** What stands in it before the payer writes. */
  readonly preset?: string
  /** Document types the number may be of, for the example and the mask. */
  readonly documents?: readonly string[]
  readonly examples?: readonly string[]
  /** No other field says of which type the number is: the types name it. */
  readonly named?: boolean
  readonly narrow?: boolean
}

type Kind = Omit<Field, 'path' | 'options' | 'preset' | 'documents' | 'examples' | 'named'>

const plain = { kind: 'text', inputMode: 'text', maxLength: limits.nameLength } as const
const kinds: Readonly<Record<string, Kind>> = {
  'customer.firstName': { ...plain, label: 'firstName', autocomplete: 'given-name' },
  'customer.lastName': { ...plain, label: 'lastName', autocomplete: 'family-name' },
  'customer.email': {
    label: 'email',
    kind: 'email',
    inputMode: 'email',
    autocomplete: 'email',
    maxLength: limits.emailLength,
  },
  'customer.phoneNumberPrefix': {
    label: 'phoneNumberPrefix',
    kind: 'tel',
    inputMode: 'tel',
    autocomplete: 'tel-country-code',
    maxLength: 5,
    narrow: true,
  },
  'customer.phoneNumber': {
    label: 'phoneNumber',
    kind: 'tel',
    inputMode: 'tel',
    autocomplete: 'tel-national',
    maxLength: 20,
  },
  'customer.documentType': { ...plain, label: 'documentType', kind: 'select', autocomplete: 'off' },
  'customer.documentNumber': {
    ...plain,
    label: 'documentNumber',
    autocomplete: 'off',
    maxLength: limits.documentNumberLength,
  },
  'customer.address.street': { ...plain, label: 'street', autocomplete: 'address-line1' },
  'customer.address.streetNumber': {
    ...plain,
    label: 'streetNumber',
    autocomplete: 'address-line2',
    maxLength: 20,
    narrow: true,
  },
  'customer.address.administrativeAreaLevel2': { ...plain, label: 'city', autocomplete: 'address-level2' },
  'customer.address.administrativeAreaLevel1': { ...plain, label: 'region', autocomplete: 'address-level1' },
  'customer.address.zipcode': { ...plain, label: 'zipcode', autocomplete: 'postal-code', maxLength: 20 },
  bankId: { ...plain, label: 'bankId', kind: 'select', autocomplete: 'off' },
  routingNumber: { ...plain, label: 'routingNumber', inputMode: 'numeric', autocomplete: 'off', maxLength: 9 },
  accountNumber: { ...plain, label: 'accountNumber', inputMode: 'numeric', autocomplete: 'off', maxLength: 34 },
  network: { ...plain, label: 'network', kind: 'select', autocomplete: 'off' },
}

/** The order on the page. */
const order = Object.keys(kinds)

const addressPaths = order.filter((path) => path.startsWith('customer.address.'))

/** Choices that a rail offers without requiring them: with none chosen the provider takes its first. */
const choices: Readonly<Record<string, readonly (readonly [path: string, values: readonly string[]])[]>> = {
  CRYPTO: [['network', ['ETH', 'SOLANA', 'TRON']]],
}

export type Asked = {
  rail: Rail
  customer: Customer | null
  requirements: readonly CustomerRequirement[] | null
  /** Fields whose content was refused although it was not asked for: the merchant's data was wrong. */
  besides?: readonly string[]
}

/** The fields of a method's form, in their order. */
export function fieldsOf(asked: Asked): Field[] {
  const { rail } = asked
  const given = asked.customer ?? {}
  const wanted = new Set<string>(rail.required.filter((path) => path !== 'token'))
  for (const requirement of asked.requirements ?? []) {
    for (const path of requirement === 'address' ? addressPaths : [`customer.${requirement}`]) wanted.add(path)
  }
  const refused = new Set([...(asked.besides ?? []), ...refusedPaths(rail, given)])
  const missing = (path: string) => refused.has(path) || valueAt({ customer: given }, path) === undefined
  const paths = new Set([...wanted].filter(missing))
  for (const path of refused) paths.add(path)
  // A document of another kind has another number.
  if (refused.has('customer.documentType')) paths.add('customer.documentNumber')
  if (paths.has('customer.phoneNumber') && missing('customer.phoneNumberPrefix'))
    paths.add('customer.phoneNumberPrefix')
  const documents = documentsOf(rail, given, paths)
  const asksType = paths.has('customer.documentNumber') && missing('customer.documentType') && documents.length > 2
  if (asksType) paths.add('customer.documentType')
  for (const [path] of choices[rail.type] ?? []) paths.add(path)
  return order
    .filter((path) => paths.has(path))
    .flatMap((path) => fieldOf(path, rail, documents, !paths.has('customer.documentType')))
}

function fieldOf(path: string, rail: Rail, documents: readonly string[], named: boolean): Field[] {
  const kind = kinds[path]
  if (!kind) return []
  const country = rail.countries.length === 1 ? rail.countries[0] : undefined
  switch (path) {
    case 'customer.phoneNumberPrefix': {
      const code = callingCodes[rail.countries[0] ?? '']
      return [{ ...kind, path, ...(code ? { preset: `+${code}` } : {}) }]
    }
    case 'customer.documentType':
      return [{ ...kind, path, options: documents.map((type) => [type, type] as const) }]
    case 'customer.documentNumber': {
      const examples = documents.map((type) => documentExample(type, country) ?? '').filter((each) => each !== '')
      const digitsOnly = examples.every((each) => /^[\d.\-/ ]+$/.test(each)) && !documents.includes('RUT')
      return [{ ...kind, path, inputMode: digitsOnly ? 'numeric' : 'text', documents, examples, named }]
    }
    case 'bankId':
      return [{ ...kind, path, options: (banksOf(rail.banksOf ?? '') ?? []).map((b) => [b.code, b.name] as const) }]
    default: {
      const values = choices[rail.type]?.find(([name]) => name === path)?.[1]
      return [{ ...kind, path, ...(values ? { options: values.map((value) => [value, value] as const) } : {}) }]
    }
  }
}

/** The types a payer's document may be of: the given one, else the rail's, the passport only where it is one of two. */
function documentsOf(rail: Rail, given: Customer, asked: ReadonlySet<string>): string[] {
  if (given.documentType && !asked.has('customer.documentType')) return [given.documentType.toUpperCase()]
  if (rail.documentTypes.length > 0) return [...rail.documentTypes]
  const country = given.address?.country ?? rail.countries[0]
  return country ? documentTypesOf(country) : []
}

/** Which of the merchant's own data about the payer this rail would refuse. */
function refusedPaths(rail: Rail, given: Customer): string[] {
  const faults = new Faults()
  checkRailFields(rail, { customer: given }, '', faults)
  const paths = faults.list.map(({ pointer }) => pointer.slice(1).replaceAll('/', '.'))
  return paths.filter((path) => valueAt({ customer: given }, path) !== undefined)
}

function valueAt(fields: object, path: string): unknown {
  const value = path
    .split('.')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined | null)?.[key], fields)
  return value === '' || value === null ? undefined : value
}

export type Values = Readonly<Record<string, string>>

/** The values that a form sent for these fields: trimmed, without control characters, nothing else taken. */
export function readValues(fields: readonly Field[], form: URLSearchParams): Record<string, string> {
  const values: Record<string, string> = {}
  for (const { path } of fields) {
    const text = (form.get(path) ?? '').replace(/\p{Cc}/gu, ' ').trim()
    if (text !== '') values[path] = text.slice(0, 1000)
  }
  return values
}

/** The rail object that the values make. */
export function toRailObject(values: Values): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(values)) {
    const keys = path.split('.')
    const last = keys.pop() ?? ''
    let at = object
    for (const key of keys) {
      at[key] ??= {}
      at = at[key] as Record<string, unknown>
    }
    at[last] = value
  }
  return object
}

/** What is wrong with the values before anybody is asked: what is missing, too long, or no e-mail address. Path → word. */
export function checkValues(fields: readonly Field[], values: Values): Record<string, WordKey> {
  const wrong: Record<string, WordKey> = {}
  for (const field of fields) {
    const value = values[field.path]
    if (value === undefined) {
      if (field.path !== 'customer.address.zipcode' && field.path !== 'network') wrong[field.path] = 'errRequired'
    } else if (value.length > field.maxLength) wrong[field.path] = 'errText'
    else if (field.kind === 'email' && !/^[^\s@<>"(),:;[\]\\]+@[^\s@.]+(\.[^\s@.]+)+$/.test(value))
      wrong[field.path] = 'errEmail'
    else if (field.options && !field.options.some(([option]) => option === value))
      wrong[field.path] = field.path === 'bankId' ? 'errBank' : 'errText'
  }
  return wrong
}

const words: Readonly<Record<string, WordKey>> = {
  'customer.email': 'errEmail',
  'customer.phoneNumber': 'errPhone',
  'customer.phoneNumberPrefix': 'errPhone',
  'customer.documentNumber': 'errDocument',
  bankId: 'errBank',
  routingNumber: 'errRouting',
}

/** The word for what the server refused at a path. */
export function wordForRefusal(path: string, values: Values): WordKey {
  return values[path] === undefined ? 'errRequired' : (words[path] ?? 'errText')
}

/** The fields of the address that may stay empty. */
export function isOptional(path: string): boolean {
  return path === 'customer.address.zipcode' || path === 'network'
}
