/** Collecting writes: who waits for whom, and for how long. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { batcher, handOut } from './batch.ts'

/** A write that lasts until it is let go, and what it was given each time. */
function heldWrite() {
  const given: number[][] = []
  const letGo: (() => void)[] = []
  const write = (items: number[]) => {
    given.push(items)
    return new Promise<number[]>((resolve) => letGo.push(() => resolve(items.map((item) => item * 10))))
  }
  return { given, write, letGo: () => letGo.shift()?.() }
}

const turn = () => sleep(1)

test('an item that is alone is written at once, and gets its own result', async () => {
  const { given, write, letGo } = heldWrite()
  const one = batcher({ most: 64, lanes: 2 }, write)(7)
  await turn()
  assert.deepEqual(given, [[7]])
  letGo()
  assert.equal(await one, 70)
})

test('what arrives during a write shares the next one; only a crowd begins another beside it, up to so many lanes', async () => {
  const { given, write, letGo } = heldWrite()
  const add = batcher({ most: 64, lanes: 2 }, write)
  const all = [add(0)]
  await turn()
  for (let n = 1; n <= 7; n++) all.push(add(n))
  await turn()
  assert.deepEqual(given, [[0]], 'seven wait')
  all.push(add(8))
  await turn()
  assert.deepEqual(given, [[0], [1, 2, 3, 4, 5, 6, 7, 8]], 'the eighth made them a crowd')
  for (let n = 9; n <= 40; n++) all.push(add(n))
  await turn()
  assert.equal(given.length, 2, 'both lanes are taken')
  letGo()
  await turn()
  assert.equal(given[2]?.length, 32)
  letGo()
  letGo()
  assert.deepEqual(
    await Promise.all(all),
    all.map((_, n) => n * 10),
  )
})

test('a write that takes long holds up nobody who came after it', async () => {
  const { given, write, letGo } = heldWrite()
  const add = batcher({ most: 64, lanes: 2 }, write)
  const stuck = add(1)
  await turn()
  const next = [add(2), add(3)]
  await sleep(120)
  assert.deepEqual(given, [[1], [2, 3]])
  letGo()
  letGo()
  assert.deepEqual(await Promise.all([stuck, ...next]), [10, 20, 30])
})

test('when a write of several fails, only the bad one does', async () => {
  const add = batcher<number, number>({ most: 64, lanes: 1 }, async (items) => {
    if (items.includes(13)) throw new Error('unlucky')
    return items
  })
  const results = await Promise.allSettled([1, 13, 2].map(add))
  assert.deepEqual(
    results.map((result) => result.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
})

test('who asks for the same name as another gets a value of his own', () => {
  const found: [string, { n: number }][] = [
    ['a', { n: 1 }],
    ['a', { n: 2 }],
  ]
  const [first, missing, second] = handOut(['a', 'b', 'a'], found)
  assert.equal(missing, undefined)
  assert.notEqual(first, second)
})
