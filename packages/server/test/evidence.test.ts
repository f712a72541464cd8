/** The search at the end of a run finds what was planted, wherever it stands, and nothing else. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { searchEvidence } from './evidence.ts'

test('a planted secret is found in logs, refusals and events, also in the middle of a word', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evidence-'))
  try {
    writeFileSync(join(folder, 'planted-1'), 'pak_sandbox_abcdefghijklmnop\n4111111111111111\n')
    writeFileSync(
      join(folder, 'log-1'),
      '{"msg":"GET /pay/1-pak_sandbox_abcdefghijklmnop?x"}\n{"card":"4111111111111112"}\n',
    )
    writeFileSync(join(folder, 'events-2'), '{"note":"4111111111111111"}\n')
    writeFileSync(join(folder, 'refusals-2'), '{"detail":"pak_sandbox_abcdefghijklmno is not known"}\n')
    const { plantedCount, findings } = searchEvidence(folder)
    assert.equal(plantedCount, 2)
    assert.deepEqual(findings.map(({ kind, secret }) => [kind, secret]).sort(), [
      ['events-2', '4111111111111111'],
      ['log-1', 'pak_sandbox_abcdefghijklmnop'],
    ])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
