/** Identity and tax document numbers of the payers' countries: their format, their check digits, an example of each. */
import cuit from 'stdnum/lib/cjs/ar/cuit.js'
import cnpj from 'stdnum/lib/cjs/br/cnpj.js'
import cpf from 'stdnum/lib/cjs/br/cpf.js'
import rut from 'stdnum/lib/cjs/cl/rut.js'
import nit from 'stdnum/lib/cjs/co/nit.js'
import curp from 'stdnum/lib/cjs/mx/curp.js'
import rfc from 'stdnum/lib/cjs/mx/rfc.js'
import cui from 'stdnum/lib/cjs/pe/cui.js'
import ruc from 'stdnum/lib/cjs/pe/ruc.js'
import ssn from 'stdnum/lib/cjs/us/ssn.js'
import { limits } from '../vocabulary/limits.ts'

export { checkPhone } from './phones.ts'

/** The number without separators and in upper case, or what is wrong with it as the end of a sentence. */
export type DocumentCheck = { ok: true; canonical: string } | { ok: false; detail: string }

type DocumentKind = {
  readonly type: string
  /** ISO 3166-1 alpha-3; empty = any country. */
  readonly country: string
  /** A valid number as people write it. */
  readonly example: string
  /** What the number looks like, for a person who got it wrong. */
  readonly shape: string
  /** The canonical number if `compact` (no separators, upper case) is one of this kind. */
  readonly accept: (compact: string) => string | undefined
}

type Stdnum = { validate(number: string): { isValid: boolean } }

/** The library's verdict on check digits, after our own pattern. The library takes `111.111.111-11` for a CPF and all zeros for a RUT; nobody has those. */
function checked(pattern: RegExp, library: Stdnum) {
  return (compact: string) =>
    pattern.test(compact) && !/^(.)\1*$/.test(compact) && library.validate(compact).isValid ? compact : undefined
}

function shaped(pattern: RegExp) {
  return (compact: string) => (pattern.test(compact) && !/^0*$/.test(compact) ? compact : undefined)
}

/** A RUT of one repeated digit can be real (11.111.111-1 has its proper check digit), so only zeros are refused. */
function acceptRut(compact: string): string | undefined {
  return /^[1-9]\d{6,7}[\dK]$/.test(compact) && rut.validate(compact).isValid ? compact : undefined
}

/** The library does not know the prefixes 25 and 26, which AFIP hands out to persons since 20, 23, 24 and 27 ran short. */
function acceptCuit(prefixes: RegExp) {
  return (compact: string) => {
    if (!/^\d{11}$/.test(compact) || !prefixes.test(compact)) return undefined
    if (!/^2[56]/.test(compact)) return cuit.validate(compact).isValid ? compact : undefined
    const sum = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2].reduce((total, weight, i) => total + weight * Number(compact[i]), 0)
    return String((11 - (sum % 11)) % 11) === compact[10] ? compact : undefined
  }
}

/** The SAT's generic numbers, for sales to the general public and to foreigners, carry no check digit. */
const genericRfc = new Set(['XAXX010101000', 'XEXX010101000'])

function acceptRfc(compact: string): string | undefined {
  if (genericRfc.has(compact)) return compact
  return /^[A-ZÑ&]{3,4}\d{6}[A-Z\d]{3}$/.test(compact) && rfc.validate(compact).isValid ? compact : undefined
}

/** Eight digits; the ninth that is printed on the card is a check digit (digit or letter) and not part of the number. */
function acceptPeruvianDni(compact: string): string | undefined {
  const accepted = /^\d{8}[\dA-K]?$/.test(compact) && !/^0*$/.test(compact) && cui.validate(compact).isValid
  return accepted ? compact.slice(0, 8) : undefined
}

const kinds: readonly DocumentKind[] = [
  { type: 'RUT', country: 'CHL', example: '12.345.678-5', shape: '7 or 8 digits and a check digit', accept: acceptRut },
  {
    type: 'CPF',
    country: 'BRA',
    example: '529.982.247-25',
    shape: '11 digits, the last two check digits',
    accept: checked(/^\d{11}$/, cpf),
  },
  {
    type: 'CNPJ',
    country: 'BRA',
    example: '11.222.333/0001-81',
    shape: '12 letters or digits and two check digits',
    accept: checked(/^[A-Z\d]{12}\d{2}$/, cnpj),
  },
  {
    type: 'CUIT',
    country: 'ARG',
    example: '30-70308853-4',
    shape: '11 digits, the last one a check digit',
    accept: acceptCuit(/^/),
  },
  {
    type: 'CUIL',
    country: 'ARG',
    example: '20-12345678-6',
    shape: '11 digits that begin with 2, the last one a check digit',
    accept: acceptCuit(/^2/),
  },
  { type: 'DNI', country: 'ARG', example: '12.345.678', shape: '7 or 8 digits', accept: shaped(/^\d{7,8}$/) },
  { type: 'DNI', country: 'PER', example: '10117410', shape: '8 digits', accept: acceptPeruvianDni },
  { type: 'CE', country: 'PER', example: '001043328', shape: '9 digits', accept: shaped(/^\d{9}$/) },
  {
    type: 'RUC',
    country: 'PER',
    example: '20512333797',
    shape: '11 digits, the last one a check digit',
    accept: checked(/^\d{11}$/, ruc),
  },
  {
    type: 'CURP',
    country: 'MEX',
    example: 'BOXW310820HNERXN09',
    shape: '18 letters and digits, the last one a check digit',
    accept: checked(/^[A-Z\d]{18}$/, curp),
  },
  {
    type: 'RFC',
    country: 'MEX',
    example: 'GODE561231GR8',
    shape: '12 (company) or 13 (person) letters and digits, the last one a check digit',
    accept: acceptRfc,
  },
  { type: 'CC', country: 'COL', example: '1020304050', shape: '5 to 10 digits', accept: shaped(/^[1-9]\d{4,9}$/) },
  { type: 'CE', country: 'COL', example: '345678', shape: '5 to 7 digits', accept: shaped(/^\d{5,7}$/) },
  { type: 'CED_CIU', country: 'COL', example: '1020304050', shape: '5 to 10 digits', accept: shaped(/^[1-9]\d{4,9}$/) },
  { type: 'CED_EXT', country: 'COL', example: '345678', shape: '5 to 7 digits', accept: shaped(/^\d{5,7}$/) },
  {
    type: 'NIT',
    country: 'COL',
    example: '900.123.456-8',
    shape: 'digits with the check digit last',
    accept: checked(/^\d{8,11}$/, nit),
  },
  {
    type: 'CI',
    country: 'BOL',
    example: '1234567-1A LP',
    shape: '5 to 8 digits, then complement and department if the card has them',
    accept: shaped(/^\d{5,8}(\d[A-Z])?(LP|OR|PT|PO|CB|CH|TJ|SC|BE|BN|PD|PA)?$/),
  },
  { type: 'SSN', country: 'USA', example: '536-90-4399', shape: '9 digits', accept: checked(/^\d{9}$/, ssn) },
  {
    type: 'ITIN',
    country: 'USA',
    example: '912-70-1234',
    shape: '9 digits that begin with 9',
    accept: shaped(/^9\d\d(5\d|6[0-5]|7\d|8[0-8]|9[0-2]|9[4-9])\d{4}$/),
  },
  {
    type: 'PASSPORT',
    country: '',
    example: 'AB123456',
    shape: '5 to 15 letters and digits',
    accept: shaped(/^[A-Z\d]{5,15}$/),
  },
]

/** All document types with rules of their own. Any other type is an open string. */
export const documentTypes: readonly string[] = [...new Set(kinds.map((kind) => kind.type))]

/** The document types of a country (ISO 3166-1 alpha-3), the passport last. */
export function documentTypesOf(country: string): string[] {
  return kinds.filter((kind) => kind.country === country || kind.country === '').map((kind) => kind.type)
}

/** A valid number of this type as people write it, for a form's placeholder; undefined for an unknown type. */
export function documentExample(type: string, country?: string): string | undefined {
  return kindsOf(type, country)[0]?.example
}

/**
 * Checks a document number. Separators (blanks, points, dashes, slashes) and lower case are accepted. `country` (alpha-3)
 * decides where several countries have a type of the same name; without it any of them will do. A type without rules
 * takes any printable text up to the length limit.
 */
export function checkDocument(type: string, number: string, country?: string): DocumentCheck {
  if (number.length > limits.documentNumberLength) {
    return { ok: false, detail: `must have at most ${limits.documentNumberLength} characters` }
  }
  const candidates = kindsOf(type, country)
  if (candidates.length === 0) return checkUnknown(number)
  const compact = number.replace(/[\s.,/-]/g, '').toUpperCase()
  for (const kind of candidates) {
    const canonical = kind.accept(compact)
    if (canonical !== undefined) return { ok: true, canonical }
  }
  const shapes = candidates.map((kind) => `${kind.shape}, for example ${kind.example}`).join('; or ')
  return { ok: false, detail: `is not a valid ${type.toUpperCase()}: ${shapes}` }
}

function checkUnknown(number: string): DocumentCheck {
  const canonical = number.trim()
  return /^[\p{L}\p{N}\p{P}\p{S} ]+$/u.test(canonical)
    ? { ok: true, canonical }
    : { ok: false, detail: 'must not be empty or hold control characters' }
}

function kindsOf(type: string, country: string | undefined): readonly DocumentKind[] {
  const all = kinds.filter((kind) => kind.type === type.toUpperCase())
  const local = all.filter((kind) => kind.country === country)
  return local.length > 0 ? local : all
}
