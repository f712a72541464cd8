/** Exact money, held to its definition by properties. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Currency, currencies, currencyCodes } from './currencies.ts'
import {
  allocate,
  convertUp,
  divideHalfUp,
  fixedToMinor,
  formatAmount,
  formatDecimal,
  parseAmount,
  parseDecimal,
  parseNonNegative,
  percentOf,
  unitOf,
} from './money.ts'

const most = 10n ** 15n
const minor = fc.bigInt({ min: 1n, max: most })
const currency = fc.constantFrom(...currencyCodes)
const decimal = fc.record({
  digits: fc.bigInt({ min: 1n, max: 10n ** 12n - 1n }),
  scale: fc.integer({ min: 0, max: 12 }),
})

describe('amounts', () => {
  test('what is written is read, and the other way round', () => {
    fc.assert(
      fc.property(minor, currency, (amount, code) => {
        const text = formatAmount(amount, code)
        assert.equal(parseAmount(text, code), amount)
        assert.match(text, currencies[code] === 0 ? /^\d+$/ : new RegExp(`^\\d+\\.\\d{${currencies[code]}}$`))
      }),
    )
  })

  test('nothing is read but digits, perhaps a point, and the currency’s decimals', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), currency, (text, code) => {
        const read = parseNonNegative(text, code)
        const wellFormed = /^\d{1,16}(\.\d{1,6})?$/.test(text) && (text.split('.')[1]?.length ?? 0) <= currencies[code]
        if (read === undefined) assert.ok(!wellFormed || BigInt(text.replace('.', '')) > 0n)
        else assert.ok(wellFormed && read <= most)
      }),
    )
    for (const text of ['10.5', '1e3', '-1', ' 1', '1 ', '', '.', '1.', '.1', '0', '00', '+1', '１']) {
      assert.equal(parseAmount(text, 'CLP'), undefined, text)
    }
    assert.equal(parseAmount('0.000001', 'USDC'), 1n)
    assert.equal(parseAmount('1000000000000000', 'CLP'), most)
    assert.equal(parseAmount('1000000000000001', 'CLP'), undefined)
    assert.equal(parseAmount('10000000000000.01', 'BRL'), undefined)
  })

  test('negative sums are shown with their sign', () => {
    assert.equal(formatAmount(-5n, 'BRL'), '-0.05')
    assert.equal(formatAmount(-1190n, 'CLP'), '-1190')
  })
})

describe('decimals', () => {
  test('the canonical text of a decimal is read as the same decimal', () => {
    fc.assert(
      fc.property(decimal, (value) => {
        const read = parseDecimal(formatDecimal(value))
        assert.ok(read)
        assert.equal(read.digits * 10n ** BigInt(value.scale), value.digits * 10n ** BigInt(read.scale))
        assert.doesNotMatch(formatDecimal(read), /\.\d*0$/)
      }),
    )
  })
})

describe('rounding', () => {
  test('half up is the nearest, and the greater of two that are as near', () => {
    fc.assert(
      fc.property(minor, fc.bigInt({ min: 1n, max: 10n ** 9n }), (numerator, denominator) => {
        const rounded = divideHalfUp(numerator, denominator)
        const twice = 2n * (rounded * denominator - numerator)
        assert.ok(-denominator < twice && twice <= denominator)
      }),
    )
    assert.deepEqual([divideHalfUp(1n, 2n), divideHalfUp(3n, 2n), divideHalfUp(4n, 3n)], [1n, 2n, 1n])
  })

  test('percentages and fixed fees', () => {
    assert.equal(percentOf(1000n, { digits: 19n, scale: 0 }), 190n)
    assert.equal(percentOf(100n, { digits: 5n, scale: 1 }), 1n)
    assert.equal(percentOf(99n, { digits: 5n, scale: 1 }), 0n)
    assert.equal(fixedToMinor({ digits: 5n, scale: 1 }, 'CLP'), 1n)
    assert.equal(fixedToMinor({ digits: 49n, scale: 2 }, 'CLP'), 0n)
  })

  test('a conversion is enough, a multiple of the step, and one step less would not be enough', () => {
    fc.assert(
      fc.property(minor, decimal, currency, currency, fc.constantFrom(1n, 100n), (total, rate, from, to, step) => {
        fc.pre(from !== to)
        const paid = convertUp({ minor: total, currency: to }, rate, from, step)
        assert.equal(paid % step, 0n)
        assert.ok(paid > 0n)
        const covers = (amount: bigint) =>
          amount * rate.digits * unitOf(to) >= total * unitOf(from) * 10n ** BigInt(rate.scale)
        assert.ok(covers(paid))
        assert.ok(!covers(paid - step))
      }),
    )
  })
})

describe('splitting', () => {
  const weights = fc.array(fc.bigInt({ min: 0n, max: most }), { minLength: 1, maxLength: 20 })

  test('the parts sum to the whole, none is below nothing, none a unit away from its share', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: most }), weights, (total, given) => {
        const sum = given.reduce((a, b) => a + b, 0n)
        fc.pre(sum > 0n)
        const parts = allocate(total, given)
        assert.equal(
          parts.reduce((a, b) => a + b, 0n),
          total,
        )
        for (const [index, part] of parts.entries()) {
          const exact = total * (given[index] ?? 0n)
          assert.ok(part * sum > exact - sum && part * sum < exact + sum)
        }
      }),
    )
  })

  test('a part of what is left never takes more than is left: how refunds stay within each share', () => {
    fc.assert(
      fc.property(weights, fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 12 }), (shares, percents) => {
        let left = shares
        for (const percent of percents) {
          const sum = left.reduce((a, b) => a + b, 0n)
          if (sum === 0n) return
          const parts = allocate((sum * BigInt(percent)) / 100n, left)
          left = left.map((share, index) => share - (parts[index] ?? 0n))
          assert.ok(left.every((share) => share >= 0n))
        }
      }),
    )
  })

  test('weights that sum to nothing are refused', () => assert.throws(() => allocate(1n, [0n, 0n]), RangeError))
})

test('every currency has a unit', () => {
  for (const code of currencyCodes) assert.equal(unitOf(code as Currency), 10n ** BigInt(currencies[code]))
})
