/** Fees as arithmetic: which rules reach a payment, and what they take. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { currencyCodes, formatAmount, parseNonNegative } from '@pasarela/connector-kit'
import fc from 'fast-check'
import { applicableFees, type FeeFacts, feesOf, feeToWire, filterNames, type Rule, totalFees } from './fee.ts'

const facts: FeeFacts = {
  paymentMethod: 'PIX',
  currency: 'CLP',
  purchaseCurrency: 'BRL',
  product: 'BRL:CLP',
  transactionType: 'PURCHASE',
  country: 'CHL',
}

let made = 0
function rule(more: Partial<Rule> = {}): Rule {
  made += 1
  const id = `rule_${String(made).padStart(26, '0')}`
  return {
    id,
    identityId: 'idn_1',
    depth: 0,
    overwrites: false,
    filter: [],
    feeDescription: id,
    feeType: 'FIXED',
    feeValue: '1',
    ...more,
  }
}

describe('the rules that apply', () => {
  test('without a filter always do', () => {
    const always = rule()
    assert.deepEqual(applicableFees([always], facts), [always])
  })

  for (const name of filterNames) {
    test(`by ${name} only where it is the same, and not where it is unknown`, () => {
      const value = facts[name] ?? ''
      const only = rule({ filter: [{ name, value }] })
      assert.equal(applicableFees([only], facts).length, 1)
      assert.equal(applicableFees([only], { ...facts, [name]: 'OTHER' }).length, 0)
      assert.equal(applicableFees([only], { ...facts, [name]: undefined }).length, 0)
    })
  }

  test('need one value of each name', () => {
    const either = [
      { name: 'paymentMethod', value: 'WEBPAY' },
      { name: 'paymentMethod', value: 'PIX' },
    ] as const
    assert.equal(applicableFees([rule({ filter: either })], facts).length, 1)
    assert.equal(applicableFees([rule({ filter: [...either, { name: 'currency', value: 'USD' }] })], facts).length, 0)
    assert.equal(applicableFees([rule({ filter: [...either, { name: 'currency', value: 'CLP' }] })], facts).length, 1)
  })

  test('are inherited, nearest last', () => {
    const [own, parents, roots] = [rule({ depth: 0 }), rule({ depth: 1 }), rule({ depth: 2 })]
    assert.deepEqual(applicableFees([own, roots, parents], facts), [roots, parents, own])
  })

  test('drop what they inherit when they overwrite, but not what stands beside or below them', () => {
    const roots = rule({ depth: 2 })
    const [overwriting, beside] = [rule({ depth: 1, overwrites: true }), rule({ depth: 1 })]
    const own = rule({ depth: 0 })
    assert.deepEqual(applicableFees([roots, overwriting, beside, own], facts), [overwriting, beside, own])
  })

  test('do not overwrite a payment that they are not for', () => {
    const roots = rule({ depth: 1 })
    const forCards = rule({ depth: 0, overwrites: true, filter: [{ name: 'paymentMethod', value: 'CARD' }] })
    assert.deepEqual(applicableFees([roots, forCards], facts), [roots])
  })
})

describe('the fees', () => {
  const table: [
    type: Rule['feeType'],
    value: string,
    gross: string,
    currency: 'CLP' | 'BRL' | 'USDC',
    amount: string,
  ][] = [
    ['PERCENTAGE', '0.5', '1900', 'CLP', '10'],
    ['PERCENTAGE', '0.5', '1900.00', 'BRL', '9.50'],
    ['PERCENTAGE', '2.5', '20', 'CLP', '1'],
    ['PERCENTAGE', '2.4', '20', 'CLP', '0'],
    ['PERCENTAGE', '100', '7', 'CLP', '7'],
    ['PERCENTAGE', '0.000001', '1.000000', 'USDC', '0.000000'],
    ['FIXED', '0.5', '1000', 'CLP', '1'],
    ['FIXED', '0.49', '1000', 'CLP', '0'],
    ['FIXED', '0.30', '10.00', 'BRL', '0.30'],
    ['FIXED', '0.005', '10.00', 'BRL', '0.01'],
    ['FIXED', '0', '10.00', 'BRL', '0.00'],
  ]
  for (const [feeType, feeValue, gross, currency, amount] of table) {
    test(`${feeType} ${feeValue} of ${gross} ${currency} is ${amount}`, () => {
      const minor = parseNonNegative(gross, currency) ?? 0n
      const fees = feesOf([rule({ feeType, feeValue, feeDescription: 'Fee' })], { minor, currency })
      assert.equal(formatAmount(totalFees(fees), currency), amount)
      const expected = [{ name: 'Fee', type: feeType, value: feeValue, amount, currency }]
      assert.deepEqual(fees.map(feeToWire), /^[0.]+$/.test(amount) ? [] : expected)
    })
  }

  test('survive the journey through JSON', () => {
    const fees = feesOf([rule({ feeValue: '12.34' })], { minor: 100_000n, currency: 'BRL' })
    assert.equal(totalFees(JSON.parse(JSON.stringify(fees))), 1234n)
  })

  test('of a percentage never exceed the amount, and are at most half a minor unit from exact', () => {
    const inputs = [
      fc.bigInt({ min: 1n, max: 10n ** 15n }),
      fc.integer({ min: 1, max: 10_000 }),
      fc.constantFrom(...currencyCodes),
    ] as const
    fc.assert(
      fc.property(...inputs, (minor, hundredths, currency) => {
        const feeValue = `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`
        const fee = totalFees(feesOf([rule({ feeType: 'PERCENTAGE', feeValue })], { minor, currency }))
        const exact = minor * BigInt(hundredths)
        assert.ok(fee <= minor)
        assert.ok(2n * (fee * 10_000n - exact) <= 10_000n && 2n * (exact - fee * 10_000n) < 10_000n)
      }),
    )
  })
})
