/** The payment node: each type takes its own rail object and nothing else, and faults point at the right place. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { rails } from './index.ts'
import { PaymentNodeInputSchema, PaymentNodeSchema } from './node.ts'
import { sampleFields } from './sample.ts'

const ajv = new Ajv({ strict: true, allErrors: true, discriminator: true, coerceTypes: false, keywords: ['x-wants'] })
addFormats.default(ajv)
const takesInput = ajv.compile(PaymentNodeInputSchema)
const takesOutput = ajv.compile(PaymentNodeSchema)

/** The faults as `pointer keyword`, with the named field appended where the keyword is about one. */
function faults(node: unknown): string[] {
  takesInput(node)
  const pointers = (takesInput.errors ?? []).map((error) => {
    const { missingProperty, additionalProperty } = error.params as Record<string, string>
    const field = missingProperty ?? additionalProperty
    return `${error.instancePath}${field === undefined ? '' : `/${field}`} ${error.keyword}`
  })
  return pointers.filter((fault) => !fault.endsWith('discriminator')).sort()
}

describe('a node on input', () => {
  for (const rail of rails) {
    const currency = Object.keys(rail.currencies)[0]
    test(`${rail.type} takes its own object and no other`, () => {
      assert.deepEqual(faults({ type: rail.type, currency, [rail.key]: sampleFields(rail) }), [])
      assert.deepEqual(faults({ type: rail.type, currency }), [])
      const other = rail.key === 'pix' ? 'webpay' : 'pix'
      assert.deepEqual(faults({ type: rail.type, currency, [other]: {} }), [`/${other} additionalProperties`])
    })

    test(`${rail.type} takes both return URLs and refuses an unknown field by its pointer`, () => {
      const urls = { successUrl: 'https://shop.example/ok', failedUrl: 'https://shop.example/no' }
      assert.deepEqual(faults({ type: rail.type, currency, [rail.key]: urls }), [])
      const customer = { firstName: 'x'.repeat(121), email: 'nobody', nickname: 'A' }
      assert.deepEqual(faults({ type: rail.type, currency, [rail.key]: { customer, typo: 1 } }), [
        `/${rail.key}/customer/email format`,
        `/${rail.key}/customer/firstName maxLength`,
        `/${rail.key}/customer/nickname additionalProperties`,
        `/${rail.key}/typo additionalProperties`,
      ])
    })
  }

  test('takes every published base field', () => {
    const node = {
      type: 'PIX',
      currency: 'BRL',
      name: 'conomy_hq',
      externalId: 'a-1',
      amount: '10.00',
      amountOut: '9.50',
      settlement: 'T+0',
      fee: { name: 'fee', type: 'FIXED', value: '0.50', amount: '0.50', currency: 'BRL' },
      identity: {
        identityId: 'i',
        externalId: 'e',
        name: 'n',
        lastname: 'l',
        nickname: 'k',
        documentNumber: '1',
        entityType: 'USER',
      },
      metadata: { image: 'https://shop.example/i.png', description: 'd', category: 'c' },
    }
    assert.deepEqual(faults(node), [])
  })

  test('says what is wrong with the type and the currency', () => {
    assert.deepEqual(faults({ currency: 'BRL' }), ['/type required'])
    assert.deepEqual(faults({ type: 'SEPA', currency: 'EUR' }), ['/type enum'])
    assert.deepEqual(faults({ type: 'PIX' }), ['/currency required'])
    assert.deepEqual(faults({ type: 'PIX', currency: 'CLP' }), ['/currency enum'])
    assert.deepEqual(faults({ type: 'PIX', currency: 'BRL', amount: 10 }), ['/amount type'])
    assert.deepEqual(faults('PIX'), [' type'])
  })

  test('takes no field for a card number', () => {
    assert.deepEqual(faults({ type: 'CARD', currency: 'CLP', card: { pan: '1', cvv: '1' } }), [
      '/card/cvv additionalProperties',
      '/card/pan additionalProperties',
    ])
  })

  test('says in words what a pattern wants', () => {
    assert.deepEqual(faults({ type: 'ACH', currency: 'USD', ach: { routingNumber: '12' } }), [
      '/ach/routingNumber pattern',
    ])
  })
})

describe('a node on output', () => {
  test('takes any rail with what it answers, and refuses what is not published', () => {
    for (const rail of rails) {
      const currency = Object.keys(rail.currencies)[0]
      assert.ok(takesOutput({ type: rail.type, currency, amount: '1', [rail.key]: sampleFields(rail) }), rail.type)
    }
    assert.ok(!takesOutput({ type: 'PIX', currency: 'BRL', pix: { secret: 'x' } }))
  })
})
