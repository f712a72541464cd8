/** Document numbers: real ones pass in every usual spelling, wrong check digits do not. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { checkDocument, documentExample, documentTypes, documentTypesOf } from './documents.ts'

const good: [type: string, number: string, canonical: string, country?: string][] = [
  ['RUT', '12.345.678-5', '123456785'],
  ['RUT', '12345670-k', '12345670K'],
  ['RUT', '11.111.111-1', '111111111'],
  ['RUT', ' 7654321-6 ', '76543216'],
  ['rut', '76.086.428-5', '760864285'],
  ['CPF', '529.982.247-25', '52998224725'],
  ['CNPJ', '11.222.333/0001-81', '11222333000181'],
  ['CNPJ', '12.abc.345/01de-35', '12ABC34501DE35'],
  ['CUIT', '30-70308853-4', '30703088534'],
  ['CUIT', '20-12345678-6', '20123456786'],
  ['CUIL', '20-12345678-6', '20123456786'],
  ['DNI', '12.345.678', '12345678', 'ARG'],
  ['DNI', '1234567', '1234567', 'ARG'],
  ['DNI', '10117410', '10117410', 'PER'],
  ['DNI', '10117410-2', '10117410', 'PER'],
  ['CE', '001043328', '001043328', 'PER'],
  ['CE', '345678', '345678', 'COL'],
  ['RUC', '20512333797', '20512333797'],
  ['CURP', 'hegg560427mvzrrl04', 'HEGG560427MVZRRL04'],
  ['RFC', 'GODE 561231 GR8', 'GODE561231GR8'],
  ['RFC', 'MSE061107IA8', 'MSE061107IA8'],
  ['RFC', 'XAXX010101000', 'XAXX010101000'],
  ['RFC', 'XEXX010101000', 'XEXX010101000'],
  ['NIT', '900.123.456-8', '9001234568'],
  ['NIT', '860007738-9', '8600077389'],
  ['CC', '1.020.304.050', '1020304050'],
  ['CED_CIU', '79123456', '79123456'],
  ['CED_EXT', '345678', '345678'],
  ['CI', '1234567', '1234567'],
  ['CI', '1234567-1A LP', '12345671ALP'],
  ['SSN', '536-90-4399', '536904399'],
  ['ITIN', '912-70-1234', '912701234'],
  ['PASSPORT', 'ab 123456', 'AB123456'],
  ['LIBRETA', ' 12/ñ ', '12/ñ'],
]

const bad: [type: string, number: string, country?: string][] = [
  ['RUT', '12.345.678-6'],
  ['RUT', '12345678'],
  ['RUT', '0.000.000-0'],
  ['RUT', ''],
  ['RUT', '12.345.678-5\u0000'],
  ['CPF', '529.982.247-24'],
  ['CPF', '111.111.111-11'],
  ['CPF', '000.000.000-00'],
  ['CPF', '5299822472'],
  ['CNPJ', '11.222.333/0001-82'],
  ['CNPJ', '00.000.000/0000-00'],
  ['CNPJ', '12ABC34501DE36'],
  ['CUIT', '30-70308853-5'],
  ['CUIT', '99-12345678-6'],
  ['CUIL', '30-70308853-4'],
  ['DNI', '123456'],
  ['DNI', '00000000'],
  ['DNI', '1234567', 'PER'],
  ['DNI', '10117410-3', 'PER'],
  ['CE', '345678', 'PER'],
  ['RUC', '20512333798'],
  ['RUC', '99512333797'],
  ['CURP', 'BAAD890419HDFRRS05'],
  ['CURP', 'HEGG560427MVZRRL0'],
  ['RFC', 'GODE561231GR7'],
  ['RFC', 'GODE561231'],
  ['NIT', '900.123.456-7'],
  ['NIT', '900123456'],
  ['CC', '123'],
  ['CC', 'A1234567'],
  ['CI', '12'],
  ['SSN', '078-05-1120'],
  ['SSN', '666-12-3456'],
  ['ITIN', '812-70-1234'],
  ['ITIN', '912-93-1234'],
  ['PASSPORT', '1234'],
  ['LIBRETA', ''],
  ['LIBRETA', 'a\u0007b'],
]

describe('checkDocument', () => {
  for (const [type, number, canonical, country] of good) {
    test(`takes ${type} ${number.trim()} ${country ?? ''}`, () => {
      assert.deepEqual(checkDocument(type, number, country), { ok: true, canonical })
    })
  }
  for (const [type, number, country] of bad) {
    test(`refuses ${type} ${JSON.stringify(number)} ${country ?? ''}`, () => {
      const checked = checkDocument(type, number, country)
      assert.ok(!checked.ok)
      assert.doesNotMatch(checked.detail, /undefined/)
    })
  }

  test('refuses what is longer than any document, of any type', () => {
    for (const type of [...documentTypes, 'LIBRETA']) assert.ok(!checkDocument(type, '1'.repeat(41)).ok, type)
  })

  test('tells what a right number looks like', () => {
    const checked = checkDocument('RUT', '1-2')
    assert.ok(!checked.ok && checked.detail.includes('12.345.678-5'))
  })

  test('answers anything with a verdict, never with an exception', () => {
    fc.assert(
      fc.property(fc.constantFrom(...documentTypes, 'LIBRETA'), fc.string({ unit: 'binary' }), (type, number) => {
        const checked = checkDocument(type, number)
        assert.equal(typeof (checked.ok ? checked.canonical : checked.detail), 'string')
      }),
    )
  })

  test('takes its own canonical form again', () => {
    for (const [type, number, canonical, country] of good) {
      assert.deepEqual(checkDocument(type, canonical, country), { ok: true, canonical }, `${type} ${number}`)
    }
  })
})

/** Weighted sums written out here, independent of the library that the code asks. */
function sum(digits: string, weights: number[]): number {
  return [...digits].reduce((total, digit, i) => total + Number(digit) * (weights[i] ?? 0), 0)
}

function digitsOf(count: number): fc.Arbitrary<string> {
  return fc.integer({ min: 10 ** (count - 1), max: 10 ** count - 1 }).map(String)
}

const makers: Record<string, fc.Arbitrary<string>> = {
  RUT: digitsOf(8).map((body) => {
    const rest = 11 - (sum(body, [3, 2, 7, 6, 5, 4, 3, 2]) % 11)
    return `${body}-${rest === 11 ? '0' : rest === 10 ? 'K' : rest}`
  }),
  CPF: digitsOf(9)
    .filter((body) => !/^(\d)\1*$/.test(body))
    .map((body) => {
      const check = (digits: string) => {
        const rest = sum(digits, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2].slice(10 - digits.length)) % 11
        return rest < 2 ? 0 : 11 - rest
      }
      const first = check(body)
      return `${body}${first}${check(`${body}${first}`)}`
    }),
  CUIT: digitsOf(8)
    .map((body) => ({ body: `20${body}`, rest: sum(`20${body}`, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 }))
    .filter(({ rest }) => rest !== 1)
    .map(({ body, rest }) => `${body}${(11 - rest) % 11}`),
  RUC: digitsOf(8).map((body) => `20${body}${(11 - (sum(`20${body}`, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 10}`),
  NIT: digitsOf(9).map((body) => {
    const rest = sum(body, [41, 37, 29, 23, 19, 17, 13, 7, 3]) % 11
    return `${body}${rest < 2 ? rest : 11 - rest}`
  }),
}

describe('check digits made by hand', () => {
  for (const [type, numbers] of Object.entries(makers)) {
    test(`${type}: the right one passes, every other one fails`, () => {
      fc.assert(
        fc.property(numbers, (number) => {
          assert.ok(checkDocument(type, number).ok, number)
          const wrong = '0123456789'.replace(number.at(-1) ?? '', '')
          for (const digit of wrong) assert.ok(!checkDocument(type, number.slice(0, -1) + digit).ok, number + digit)
        }),
      )
    })
  }

  test('a CUIL with the newer prefixes 25 and 26 passes', () => {
    fc.assert(
      fc.property(fc.constantFrom('25', '26'), digitsOf(8), (prefix, body) => {
        const rest = sum(prefix + body, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
        const digit = (11 - rest) % 11
        assert.equal(checkDocument('CUIL', `${prefix}${body}${digit % 10}`).ok, digit !== 10)
      }),
    )
  })
})

describe('document types', () => {
  test('every type has an example that passes', () => {
    for (const country of ['ARG', 'BOL', 'BRA', 'CHL', 'COL', 'MEX', 'PER', 'USA']) {
      for (const type of documentTypesOf(country)) {
        const example = documentExample(type, country)
        assert.ok(example && checkDocument(type, example, country).ok, `${type} of ${country}: ${example}`)
      }
    }
  })

  test('every country of the contract lists its own and the passport', () => {
    assert.deepEqual(documentTypesOf('CHL'), ['RUT', 'PASSPORT'])
    assert.deepEqual(documentTypesOf('ARG'), ['CUIT', 'CUIL', 'DNI', 'PASSPORT'])
    assert.deepEqual(documentTypesOf('PER'), ['DNI', 'CE', 'RUC', 'PASSPORT'])
    assert.deepEqual(documentTypesOf('FRA'), ['PASSPORT'])
  })
})
