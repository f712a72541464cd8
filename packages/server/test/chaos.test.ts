/** A short life under kill -9: servers, worker and Postgres die at random moments, and nothing that was answered is lost or doubled. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { killEverything, runChaos } from '../../../chaos/chaos.ts'

const folder = mkdtempSync(join(tmpdir(), 'pasarela-chaos-'))
after(() => rmSync(folder, { recursive: true, force: true }))
process.on('exit', killEverything)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

test('every answered write survives, nothing is doubled, money and events agree', { timeout: 120_000 }, async (t) => {
  const report = await runChaos({
    seconds: 12,
    seed: 20261122,
    folder,
    shoppers: 6,
    pauseMs: [400, 2_000],
    hurry: true,
  })
  assert.deepEqual(
    { lost: report.lost, doubled: report.doubled, wrong: report.wrong },
    { lost: [], doubled: [], wrong: [] },
  )
  const kills = Object.values(report.kills).reduce((sum, count) => sum + count, 0)
  assert.ok(kills >= 2, `${kills} kills`)
  assert.ok(report.answeredWrites >= 8, `${report.answeredWrites} answered writes`)
  assert.ok(report.events > 8)
  t.diagnostic(
    `${kills} kills, ${report.answeredWrites} answered writes, ${report.sessions} sessions, ${report.events} events`,
  )
})
