/** The registry: the rails of the contract, complete and consistent, and the committed table of them. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Currency, currencyCodes, type Rail } from '@pasarela/connector-kit'
import { documentTypes } from '../kit/documents.ts'
import { Faults } from '../kit/problem.ts'
import {
  checkCustomer,
  checkRailFields,
  isRoutingNumber,
  missingPaths,
  requiredPaths,
  requiredPathTypes,
} from './check.ts'
import { bounds } from './fields.ts'
import { railOf, rails, railTypes } from './index.ts'
import { railsReadme } from './readme.ts'
import { sampleFields } from './sample.ts'

/** Node type → key, market's currencies and what its prose needs (contract section 4.4). */
const contract: Record<string, [key: string, currencies: string[], required: string[]]> = {
  CARD: ['card', [], ['token']],
  CRYPTO: ['wallet', ['USDC', 'USDT'], []],
  ACCOUNT: ['account', [], ['accountNumber']],
  PIX: ['pix', ['BRL'], ['customer.firstName', 'customer.lastName', 'customer.email', 'customer.documentNumber']],
  PCT: ['pct', ['ARS'], ['customer.phoneNumber', 'customer.phoneNumberPrefix', 'customer.email']],
  CVU: ['cvu', ['ARS'], []],
  ETPAY: ['etpay', ['CLP'], ['customer.firstName', 'customer.email']],
  FINTOC: ['fintoc', ['CLP'], []],
  WEBPAY: ['webpay', ['CLP'], ['customer.firstName', 'customer.lastName', 'customer.email']],
  SPEI: ['spei', ['MXN'], ['customer.firstName', 'customer.lastName']],
  PSE: [
    'pse',
    ['COP'],
    [
      'bankId',
      'customer.documentNumber',
      'customer.documentType',
      'customer.firstName',
      'customer.lastName',
      'customer.phoneNumber',
      'customer.email',
    ],
  ],
  BANCOLOMBIA: ['bancolombia', ['COP'], ['customer.email']],
  DAVIVIENDA: ['davivienda', ['COP'], ['customer.email']],
  DAVIPLATA: ['daviplata', ['COP'], ['customer.documentType', 'customer.documentNumber', 'customer.email']],
  NEQUI: ['nequi', ['COP'], ['customer.phoneNumber', 'customer.email']],
  WOMPI: ['wompi', ['COP'], ['customer.firstName', 'customer.email']],
  LIGO: ['ligo', ['PEN'], ['customer.firstName']],
  SIP: ['sip', ['BOB', 'PEN'], ['customer.firstName']],
  ACH: [
    'ach',
    ['USD'],
    ['routingNumber', 'accountNumber', 'customer.firstName', 'customer.documentType', 'customer.documentNumber'],
  ],
  FEDNOW: [
    'fedNow',
    ['USD'],
    ['routingNumber', 'accountNumber', 'customer.firstName', 'customer.documentType', 'customer.documentNumber'],
  ],
  RTP: [
    'rtp',
    ['USD'],
    ['routingNumber', 'accountNumber', 'customer.firstName', 'customer.documentType', 'customer.documentNumber'],
  ],
}

function rail(type: string): Rail {
  const found = railOf(type)
  assert.ok(found, type)
  return found
}

function faultsOf(type: string, fields: Record<string, unknown>): string[] {
  const faults = new Faults()
  checkRailFields(rail(type), fields, `/origins/0/${rail(type).key}`, faults)
  return faults.list.map((fault) => fault.pointer)
}

describe('the registry', () => {
  test("is the contract's list, in its order", () => assert.deepEqual(railTypes, Object.keys(contract)))

  test('has a folder for each rail and a rail for each folder', () => {
    const folders = readdirSync(new URL('.', import.meta.url), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    )
    assert.deepEqual(folders.map((folder) => folder.name).sort(), rails.map((each) => each.type.toLowerCase()).sort())
  })

  test('knows no other type', () => assert.equal(railOf('SEPA'), undefined))

  for (const [type, [key, currencies, required]] of Object.entries(contract)) {
    test(`${type} is as published`, () => {
      assert.equal(rail(type).key, key)
      assert.deepEqual(rail(type).required, required)
      if (currencies.length > 0) assert.deepEqual(Object.keys(rail(type).currencies), currencies)
    })
  }

  test('only cards are paid when captured, and only cards wait for a capture', () => {
    assert.deepEqual(
      rails.filter((each) => each.paidOn === 'CAPTURED').map((each) => each.type),
      ['CARD'],
    )
    assert.deepEqual(
      rails.filter((each) => each.capture === 'manual').map((each) => each.type),
      ['CARD'],
    )
  })

  test('a card has no field for its number or code', () => {
    const fields = Object.keys(rail('CARD').fields.properties)
    for (const field of ['pan', 'number', 'cvv', 'cvc']) assert.ok(!fields.includes(field), field)
  })
})

describe('every rail', () => {
  for (const each of rails) {
    test(`${each.type} is consistent`, () => {
      for (const [code, range] of Object.entries(each.currencies)) {
        assert.ok(currencyCodes.includes(code as Currency))
        assert.ok(range.minMinor > 0n && range.minMinor < range.maxMinor && range.stepMinor > 0n, code)
        assert.ok(range.minMinor % range.stepMinor === 0n && range.maxMinor % range.stepMinor === 0n, code)
        assert.ok(range.maxMinor <= 10n ** 15n, code)
      }
      for (const path of [...each.required, ...Object.values(each.aliases ?? {})])
        assert.ok(hasField(each.fields, path), path)
      for (const type of each.documentTypes) assert.ok(documentTypes.includes(type), type)
      assert.ok(each.expiresAfterMs >= 600_000 && each.watchedForMs >= 86_400_000)
    })

    test(`${each.type} takes its sample and misses each required field of it`, () => {
      assert.deepEqual(faultsOf(each.type, sampleFields(each)), [])
      assert.deepEqual(missingPaths(each, {}), [...each.required])
      for (const path of each.required) {
        const [parent, field] = path.includes('.') ? path.split('.') : [undefined, path]
        const fields = structuredClone(sampleFields(each))
        const holder = parent === undefined ? fields : (fields[parent] as Record<string, unknown>)
        holder[field ?? ''] = ' '
        assert.ok(missingPaths(each, fields).includes(path), path)
      }
    })
  }

  test('takes whole pesos only, where the country has no smaller coin', () => {
    for (const each of rails) {
      if (each.type !== 'ACCOUNT' && each.currencies.COP) assert.equal(each.currencies.COP.stepMinor, 100n, each.type)
    }
  })
})

function hasField(schema: unknown, path: string): boolean {
  let at = schema as { properties?: Record<string, unknown> } | undefined
  for (const part of path.split('.')) at = at?.properties?.[part] as typeof at
  return at !== undefined
}

describe('checkRailFields', () => {
  test('points at each missing field', () => {
    assert.deepEqual(faultsOf('PIX', { customer: { firstName: 'Ana' } }), [
      '/origins/0/pix/customer/lastName',
      '/origins/0/pix/customer/email',
      '/origins/0/pix/customer/documentNumber',
    ])
  })

  test('checks the document by the type that is given, and by the rail where none is', () => {
    const { documentType: _, ...customer } = sampleFields(rail('PIX')).customer as Record<string, string>
    assert.deepEqual(faultsOf('PIX', { customer: { ...customer, documentNumber: '529.982.247-24' } }), [
      '/origins/0/pix/customer/documentNumber',
    ])
    assert.deepEqual(faultsOf('PIX', { customer: { ...customer, documentNumber: '11.222.333/0001-81' } }), [])
    assert.deepEqual(
      faultsOf('PIX', { customer: { ...customer, documentType: 'RUT', documentNumber: '12.345.678-5' } }),
      ['/origins/0/pix/customer/documentType'],
    )
  })

  test('does not care what document a payer has where the rail asks for none', () => {
    const customer = {
      ...(sampleFields(rail('WEBPAY')).customer as object),
      documentType: 'CC',
      documentNumber: '1020304050',
    }
    assert.deepEqual(faultsOf('WEBPAY', { customer }), [])
  })

  test("checks the phone by the rail's country when it comes without its prefix", () => {
    const { phoneNumberPrefix: _, ...customer } = sampleFields(rail('NEQUI')).customer as Record<string, string>
    assert.deepEqual(faultsOf('NEQUI', { customer }), [])
    assert.deepEqual(faultsOf('NEQUI', { customer: { ...customer, phoneNumber: '12345' } }), [
      '/origins/0/nequi/customer/phoneNumber',
    ])
  })

  test('takes a bank of the list only', () => {
    assert.deepEqual(faultsOf('PSE', { ...sampleFields(rail('PSE')), bankId: '1022' }), [])
    assert.deepEqual(faultsOf('PSE', { ...sampleFields(rail('PSE')), bankId: '9999' }), ['/origins/0/pse/bankId'])
  })

  test('takes an account in both published places, with a true routing number', () => {
    for (const type of ['ACH', 'FEDNOW', 'RTP']) {
      const { accountNumber, ...rest } = sampleFields(rail(type))
      assert.deepEqual(faultsOf(type, { ...rest, bank: { accountNumber } }), [])
      assert.deepEqual(faultsOf(type, rest), [`/origins/0/${rail(type).key}/accountNumber`])
      assert.deepEqual(faultsOf(type, { ...rest, accountNumber, routingNumber: '021000022' }), [
        `/origins/0/${rail(type).key}/routingNumber`,
      ])
    }
    assert.ok(!isRoutingNumber('000000000') && !isRoutingNumber('12345678'))
  })

  test('a payer without a rail is checked by document type and phone plan alone', () => {
    const faults = new Faults()
    checkCustomer(
      { documentType: 'CPF', documentNumber: '1', phoneNumberPrefix: '+57', phoneNumber: '1' },
      '/customer',
      faults,
    )
    assert.deepEqual(
      faults.list.map((fault) => fault.pointer),
      ['/customer/documentNumber', '/customer/phoneNumber'],
    )
  })
})

test('required fields are published as dotted paths with their type', () => {
  assert.deepEqual(requiredPaths(rail('ETPAY')), ['etpay.customer.firstName', 'etpay.customer.email'])
  assert.deepEqual(requiredPathTypes(rail('CARD')), { 'card.token': 'string' })
})

test('bounds refuse what is not an amount of the currency', () => {
  assert.throws(() => bounds('CLP', '0.5', '10'), RangeError)
})

test('the committed table of rails is the generated one', () => {
  const path = fileURLToPath(new URL('README.md', import.meta.url))
  if (process.env.UPDATE === '1') writeFileSync(path, railsReadme())
  assert.equal(readFileSync(path, 'utf8'), railsReadme(), 'run this test with UPDATE=1')
})
