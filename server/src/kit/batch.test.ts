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
  const one = batcher({ most: 64, lanes: 2, gatherMs: 60_000 }, write)(7)
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

test('after a write of several the next waits for company, unless a crowd is there; after a write of one it does not', async () => {
  const begun: number[] = []
  const add = batcher<number, number>({ most: 64, lanes: 2, gatherMs: 40 }, async (items) => {
    begun.push(performance.now())
    return items
  })
  const times = async (...groups: number[]) => {
    begun.length = 0
    for (const size of groups) await Promise.all(Array.from({ length: size }, (_, n) => add(n)))
    return begun.slice(1).map((at, i) => at - (begun[i] ?? 0))
  }
  assert.ok((await times(1, 1, 1)).every((ms) => ms < 30))
  const [apart = 0] = await times(3, 3)
  assert.ok(apart >= 35, 'three wait')
  await sleep(50)
  const [crowded = 99] = await times(3, 20)
  assert.ok(crowded < 30, 'twenty do not')
})

test('nothing is written for nobody: a lane that slept while another took everything goes on', async () => {
  const sizes: number[] = []
  const add = batcher<number, number>({ most: 64, lanes: 2, gatherMs: 30 }, async (items) => {
    sizes.push(items.length)
    return items
  })
  await Promise.all([add(1), add(2)])
  const early = add(3)
  await turn()
  await Promise.all([early, ...Array.from({ length: 8 }, (_, n) => add(n))])
  await sleep(40)
  assert.ok(!sizes.includes(0), sizes.join())
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
