/** `npm run screenshots`: every screen of the hosted page, at phone and desktop width, as pictures for people to look at. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '@pasarela/postgres-embedded'
import { makeTemplate, urlVariable } from './database.ts'

const folder = fileURLToPath(new URL('../../../screenshots/', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 'pasarela-screenshots-'))
const only = process.argv[2]

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder)
const database = await startPostgres({
  dataDir: join(dataDir, 'data'),
  settings: { fsync: 'off' },
  holder: 'pasarela screenshots',
})
try {
  await makeTemplate(database.url)
  process.env[urlVariable] = database.url
  const { takeScreenshots } = await import('./e2e/scenes.ts')
  const names = await takeScreenshots(folder, only)
  console.log(`${names.length} pictures in ${folder}`)
} finally {
  await database.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
