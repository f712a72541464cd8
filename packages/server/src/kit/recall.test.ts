/** Look-ups that are remembered: shared for their time, forgotten by merchant, bounded, and never a failure. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recall } from './recall.ts'

function memory(max = 100) {
  let nowMs = 1
  let loads = 0
  const kept = recall({ ttlMs: 1000, max, now: () => nowMs })
  const ask = (merchantId: number, key = 'rates') => kept.get(merchantId, key, async () => ++loads)
  return { ask, forget: kept.forget, wait: (ms: number) => (nowMs += ms), get: kept.get }
}

test('callers share one look-up until its time is over', async () => {
  const { ask, wait } = memory()
  assert.deepEqual(await Promise.all([ask(1), ask(1)]), [1, 1])
  wait(999)
  assert.equal(await ask(1), 1)
  wait(2)
  assert.equal(await ask(1), 2)
})

test('merchants and keys are apart', async () => {
  const { ask } = memory()
  assert.deepEqual(await Promise.all([ask(1), ask(2), ask(1, 'rails'), ask(11, 'ails')]), [1, 2, 3, 4])
})

test('a merchant is forgotten at once, its look-up under way included, and no other merchant', async () => {
  const { ask, forget, wait } = memory()
  const [before] = [ask(1), await ask(2)]
  forget(1)
  assert.deepEqual([await before, await ask(1), await ask(2)], [1, 3, 2])
  forget(1)
  assert.equal(await ask(1), 4)
  // What was loaded before the change never comes back, at whatever moment it is asked for.
  for (let ms = 0; ms < 3000; ms += 100) {
    wait(100)
    assert.ok((await ask(1)) >= 4)
  }
})

test('a failure is not remembered', async () => {
  const { get, ask } = memory()
  await assert.rejects(get(1, 'rates', () => Promise.reject(new Error('no database'))))
  assert.equal(await ask(1), 1)
})

test('the entry that was unused for longest makes room, not all of them', async () => {
  const { ask } = memory(3)
  for (const merchant of [1, 2, 3]) await ask(merchant)
  await ask(1)
  await ask(4)
  assert.deepEqual([await ask(1), await ask(3), await ask(4)], [1, 3, 4])
  assert.equal(await ask(2), 5)
})
