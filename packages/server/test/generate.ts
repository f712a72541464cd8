/** `npm run generate`: writes every generated file. With `--check`: writes nothing and fails when one differs from its source. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '@pasarela/postgres-embedded'
import { migrate } from '../src/kit/migrate.ts'
import { openOwner } from './database.ts'
import { generatedFiles } from './generated.ts'
import { dumpSchema } from './schema-dump.ts'

const project = fileURLToPath(new URL('../../../', import.meta.url))
const checkOnly = process.argv.includes('--check')

const files = await generatedFiles()
files.set('packages/server/schema.sql', await schemaOfMigrations())
const differing = [...files].filter(([path, content]) => content !== contentOf(path))
for (const [path, content] of differing) {
  if (checkOnly) {
    console.error(`${path} differs from its source; run npm run generate and commit it.`)
    continue
  }
  mkdirSync(dirname(join(project, path)), { recursive: true })
  writeFileSync(join(project, path), content)
  console.log(`wrote ${path}`)
}
if (checkOnly && differing.length > 0) process.exitCode = 1

function contentOf(path: string): string | undefined {
  return existsSync(join(project, path)) ? readFileSync(join(project, path), 'utf8') : undefined
}

async function schemaOfMigrations(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'pasarela-generate-'))
  const database = await startPostgres({
    dataDir: join(dataDir, 'data'),
    settings: { fsync: 'off' },
    holder: 'pasarela generate',
  })
  try {
    await migrate(database.url)
    const sql = openOwner(database.url, 2)
    const schema = await dumpSchema(sql)
    await sql.end()
    return schema
  } finally {
    await database.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
