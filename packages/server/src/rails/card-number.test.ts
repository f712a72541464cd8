/** Card numbers are found wherever they hide in a card node; tokens, short numbers and other people's numbers are not taken for one. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { findCardNumber, passesLuhn } from './card-number.ts'

const found: [value: unknown, pointer: string][] = [
  [{ pan: 'x' }, '/card/pan'],
  [{ CVV: '' }, '/card/CVV'],
  [{ card_number: null }, '/card/card_number'],
  [{ customer: { 'security-code': 1 } }, '/card/customer/security-code'],
  [{ token: '4111111111111111' }, '/card/token'],
  [{ token: 'tok_4111111111111111' }, '/card/token'],
  [{ holder: 'Ana 4111 1111 1111 1111 Rojas' }, '/card/holder'],
  [{ token: '4111-1111-1111-1111' }, '/card/token'],
  [{ token: '４１１１１１１１１１１１１１１１' }, '/card/token'],
  [{ mask: 4111111111111111 }, '/card/mask'],
  [{ list: [{ a: ['378282246310005'] }] }, '/card/list/0/a/0'],
  [{ '4111111111111111': 1 }, '/card/4111111111111111'],
  [{ 'a/b~c': '4111111111111111' }, '/card/a~1b~0c'],
]
const clean: unknown[] = [
  { token: 'tok_sandbox_approved', mask: '1111', holder: 'Ana Rojas', scheme: 'VISA' },
  { token: '4111111111111112' },
  { token: 'tok4111111111111111' },
  { token: '411111111111' },
  { token: '41111111111111111111' },
  { customer: { documentNumber: '11.222.333/0001-81', phoneNumber: '+5511987654321', phoneNumberPrefix: '+55' } },
  { expiryMonth: '12', expiryYear: '2030', country: 'CHL' },
  [],
  null,
  true,
]

describe('findCardNumber', () => {
  for (const [value, pointer] of found) {
    test(`finds ${JSON.stringify(value)}`, () => assert.equal(findCardNumber(value, '/card'), pointer))
  }
  for (const value of clean) {
    test(`lets ${JSON.stringify(value)} pass`, () => assert.equal(findCardNumber(value, '/card'), undefined))
  }

  test('finds every number with its check digit, in groups of any length', () => {
    const body = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 12, maxLength: 18 })
    const separators = fc.array(fc.constantFrom('', '', ' ', '-', ' - ', '.'), { minLength: 19, maxLength: 19 })
    fc.assert(
      fc.property(body, separators, (digits, between) => {
        const last = [...'0123456789'].find((digit) => passesLuhn(digits + digit)) ?? ''
        const text = [...digits, last].map((digit, i) => digit + (i < digits.length ? between[i] : '')).join('')
        assert.equal(findCardNumber({ note: text }), '/note')
      }),
    )
  })

  test('knows the check digit', () => {
    for (const number of ['4111111111111111', '5555555555554444', '378282246310005', '6011111111111117']) {
      assert.ok(passesLuhn(number))
      assert.ok(!passesLuhn(number.slice(0, -1) + ((Number(number.at(-1)) + 1) % 10)))
    }
  })
})
