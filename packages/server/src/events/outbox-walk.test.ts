/** Where walks of the outbox begin: never behind an event that may still come, and soon behind all that were placed. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { newOutboxWalk, walkAfter } from './outbox-walk.ts'

const at = (last: bigint | null, own: bigint, oldestRunning: bigint, server = 'one') => ({
  last,
  own,
  oldestRunning,
  server,
})

describe('the beginning of a walk', () => {
  const first = walkAfter(newOutboxWalk(), at(50n, 104n, 100n))

  test('moves behind what was placed when all who could have drawn an earlier arrival are over', () => {
    assert.deepEqual(first, { begin: 0n, next: 50n, nextOwn: 104n, server: 'one' })
    assert.deepEqual(walkAfter(first, at(63n, 110n, 104n)), { begin: 50n, next: 63n, nextOwn: 110n, server: 'one' })
  })

  test('stays while one of them runs, however many others come and go', () => {
    assert.equal(walkAfter(first, at(900n, 110n, 103n)), first)
    assert.equal(walkAfter(first, at(900n, 5000n, 103n)), first)
    assert.equal(walkAfter(first, at(null, 5003n, 5000n)).begin, 50n)
  })

  test('does not go back where an earlier arrival was placed late', () => {
    const late = walkAfter({ begin: 50n, next: 63n, nextOwn: 110n, server: 'one' }, at(55n, 112n, 111n))
    assert.deepEqual(late, { begin: 63n, next: 63n, nextOwn: 112n, server: 'one' })
  })

  test('is unknown on another database, whatever its numbers', () => {
    const known = { begin: 50n, next: 63n, nextOwn: 110n, server: 'one' }
    assert.deepEqual(walkAfter(known, at(7n, 500n, 499n, 'two')), { begin: 0n, next: 7n, nextOwn: 500n, server: 'two' })
  })
})
