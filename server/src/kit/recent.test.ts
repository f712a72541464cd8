/** What was just written is remembered: for how long, and how much of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { recent } from './recent.ts'

test('a value is given out once, to who names its merchant and id', () => {
  const memory = recent<string>(1000, 4)
  memory.keep(1, 'a', 'mine')
  assert.equal(memory.take(2, 'a'), undefined)
  assert.equal(memory.take(1, 'a'), 'mine')
  assert.equal(memory.take(1, 'a'), undefined)
})

test('the last value that was kept under a name counts, also when the one before it lies in the older half', () => {
  const memory = recent<string>(1000, 2)
  memory.keep(1, 'a', 'first')
  memory.keep(1, 'b', 'other')
  memory.keep(1, 'a', 'second')
  assert.equal(memory.take(1, 'a'), 'second')
  assert.equal(memory.take(1, 'a'), undefined, 'what was there before is not what is on record')
})

test('the last so many are there, and never more than twice as many', () => {
  const memory = recent<number>(1000, 10)
  for (let n = 0; n < 95; n++) memory.keep(1, String(n), n)
  const there = Array.from({ length: 95 }, (_, n) => memory.take(1, String(n))).filter((n) => n !== undefined)
  assert.ok(there.length >= 10 && there.length <= 20, String(there.length))
  assert.deepEqual(there.slice(-10), [85, 86, 87, 88, 89, 90, 91, 92, 93, 94])
})

test('what is older than its time is not given out', async () => {
  const memory = recent<string>(5, 4)
  memory.keep(1, 'a', 'old')
  await sleep(10)
  assert.equal(memory.take(1, 'a'), undefined)
})
