/** Ids: their order is the order of creation, also within a millisecond. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idFloor, idPattern, isId, newId, uuidBytes } from './id.ts'

test('ids of one millisecond are in the order they were made in, and not below its floor', () => {
  const made = Array.from({ length: 4096 }, () => newId('payment', 1_700_000_000_000))
  assert.deepEqual([...made].sort(), made)
  assert.equal(new Set(made).size, made.length)
  assert.ok((made[0] ?? '') >= idFloor('payment', 1_700_000_000_000))
  assert.ok((made.at(-1) ?? '') < idFloor('payment', 1_700_000_000_001))
})

test('more than can be counted in a millisecond are still all different', () => {
  const made = Array.from({ length: 10_000 }, () => newId('payment', 5))
  assert.equal(new Set(made).size, made.length)
})

test('the bytes are a UUID of version 7', () => {
  const bytes = uuidBytes(1_700_000_000_000)
  assert.deepEqual([bytes.length, (bytes[6] ?? 0) >> 4, (bytes[8] ?? 0) >> 6], [16, 7, 2])
})

test('an id is one of its own kind only', () => {
  const id = newId('identity', 0)
  assert.ok(isId('identity', id))
  for (const wrong of [id.slice(0, -1), id.toUpperCase(), `${id}0`, id.replace('idn', 'acc'), 'nonsense', '']) {
    assert.equal(isId('identity', wrong), false, wrong)
  }
})

test('the pattern of ids takes exactly the ids', () => {
  const pattern = new RegExp(idPattern('account'), 'u')
  const id = newId('account', Date.UTC(2026, 0))
  const signs = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
  const others = [...signs.map((sign) => id.slice(0, -1) + sign), ...signs.map((sign) => `acc_${sign}${id.slice(5)}`)]
  for (const text of [id, idFloor('account', 0), newId('identity', 0), `${id}0`, id.slice(0, -1), ...others])
    assert.equal(pattern.test(text), isId('account', text), text)
})
