/** What is brought to the disk: files of our database that have changed. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { findChanged, flush, startFlushing } from './flush.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'flush-'))
after(() => rmSync(dataDir, { recursive: true }))
const base = join(dataDir, 'postgres', 'base')
const file = (name: string, database = '16384') => join(base, database, name)

beforeEach(() => {
  rmSync(base, { recursive: true, force: true })
  for (const database of ['1', '16384']) mkdirSync(join(base, database), { recursive: true })
})

test('every file of ours once, and again when it has changed; the templates are left alone', () => {
  for (const path of [file('1249'), file('24576'), file('1249', '1')]) writeFileSync(path, 'page')
  const first = findChanged(dataDir, new Map())
  assert.deepEqual(first.changed.sort(), [file('1249'), file('24576')])
  const second = findChanged(dataDir, first.now)
  assert.deepEqual(second.changed, [])
  appendFileSync(file('24576'), 'page')
  utimesSync(file('24576'), new Date(), new Date(Date.now() + 1_000))
  const third = findChanged(dataDir, second.now)
  assert.deepEqual(third.changed, [file('24576')])
  rmSync(file('24576'))
  const fourth = findChanged(dataDir, third.now)
  assert.deepEqual([fourth.changed, [...fourth.now.keys()]], [[], [file('1249')]])
})

test('a file that is gone is no failure, one that the disk refuses is', {
  skip: process.platform !== 'linux',
}, async () => {
  await flush(file('dropped'))
  symlinkSync('/dev/null', file('broken'))
  await assert.rejects(flush(file('broken')), { code: 'EINVAL' })
  const reason = await new Promise<string>((resolve) => startFlushing(dataDir, resolve))
  assert.match(reason, /EINVAL/)
})

test('it ends when it is told to, also between two files', async () => {
  for (let number = 0; number < 5; number++) writeFileSync(file(`${24576 + number}`), 'page')
  const flushing = startFlushing(dataDir, assert.fail)
  const began = Date.now()
  await flushing.stop()
  assert.ok(Date.now() - began < 150)
})
