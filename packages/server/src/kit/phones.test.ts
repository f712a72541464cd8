/** Phone numbers: checked by their country's plan when the country is known. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { checkPhone } from './phones.ts'

const good: [prefix: string | undefined, number: string, canonical: string][] = [
  ['+56', '912345678', '+56912345678'],
  ['57', '300 123 4567', '+573001234567'],
  ['+55', '(11) 98765-4321', '+5511987654321'],
  ['+54', '91123456789', '+5491123456789'],
  ['+51', '987654321', '+51987654321'],
  ['+591', '71234567', '+59171234567'],
  ['+52', '5512345678', '+525512345678'],
  ['+1', '2125550123', '+12125550123'],
  ['+57', '+57 300 1234567', '+573001234567'],
  [undefined, '+56912345678', '+56912345678'],
  [undefined, '300 123 4567', '3001234567'],
]
const bad: [prefix: string | undefined, number: string][] = [
  ['+56', '123'],
  ['+57', '573001234567'],
  ['+57', '+56912345678'],
  ['+57', 'abc'],
  ['x', '912345678'],
  ['+56', ''],
  [undefined, '123'],
  [undefined, 'not a number'],
]

describe('checkPhone', () => {
  for (const [prefix, number, canonical] of good) {
    test(`takes ${prefix} ${number}`, () => assert.deepEqual(checkPhone(prefix, number), { ok: true, canonical }))
  }
  for (const [prefix, number] of bad) {
    test(`refuses ${prefix} ${number}`, () => assert.equal(checkPhone(prefix, number).ok, false))
  }
  test('answers anything with a verdict, never with an exception', () => {
    fc.assert(
      fc.property(fc.option(fc.string(), { nil: undefined }), fc.string(), (prefix, number) => {
        assert.equal(typeof checkPhone(prefix, number).ok, 'boolean')
      }),
    )
  })
})
