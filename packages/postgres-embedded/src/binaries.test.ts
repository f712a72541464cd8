/** The binaries from npm run although npm was told to run no install scripts. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, lstatSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { findBinaries, restoreLinks } from './binaries.ts'

const copy = mkdtempSync(join(tmpdir(), 'pasarela-binaries-'))
after(() => rmSync(copy, { recursive: true }))

test('a package without the links between its libraries gets them', async () => {
  const { postgres } = await findBinaries(undefined)
  const native = dirname(dirname(postgres))
  const linkless = (file: string) => !lstatSync(file).isSymbolicLink()
  cpSync(native, join(copy, 'native'), { recursive: true, filter: linkless })
  const version = () => promisify(execFile)(join(copy, 'native', 'bin', 'postgres'), ['--version'], { env: {} })
  await assert.rejects(version(), /shared librar|Library not loaded/)
  restoreLinks(copy)
  restoreLinks(copy)
  assert.match((await version()).stdout, /^postgres \(PostgreSQL\) 18\./)
})
