/**
 * `npm run bench`: every figure that is promised, beside its yardstick in the same run on the same machine.
 * Options: --only names, --seconds N (per figure, default 5), --database-url, --seed-sessions N, --expire-sessions N,
 * --memory-minutes N. docs/performance.md explains the figures.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../packages/postgres-embedded/src/embedded-postgres.ts'
import { migrate } from '../packages/server/src/kit/migrate.ts'
import { openTarget, type Row, type Scenario } from './scenario.ts'

/** In this order: the later ones leave more behind. Each has a database of its own. */
const names = ['creates', 'reads', 'flows', 'hot-account', 'webhooks', 'overload', 'start', 'expiry', 'lists', 'memory']

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    folder: { type: 'string', default: tmpdir() },
    'seed-sessions': { type: 'string' },
    'expire-sessions': { type: 'string' },
    'memory-minutes': { type: 'string' },
  },
})
const { only, seconds, folder, ...options } = values
const chosen = only?.split(',') ?? names
const unknown = chosen.filter((name) => !names.includes(name))
if (unknown.length > 0) throw new Error(`there is no scenario ${unknown.join(', ')}; there are ${names.join(', ')}`)

console.log('| what | figure | yardstick of the same run | its figure | ratio | target | |')
console.log('| --- | ---: | --- | ---: | ---: | ---: | --- |')
const notes: string[] = []
let missed = 0
for (const name of chosen) {
  const { scenario } = (await import(`./scenarios/${name}.ts`)) as { scenario: Scenario }
  for (const row of await runScenario(scenario)) print(row)
}
if (notes.length > 0) console.log(`\n${notes.map((note) => `- ${note}`).join('\n')}`)
if (missed > 0) console.log(`\n${missed} below their target.`)

/** Runs a scenario on a fresh database: what one left behind must not slow the next. */
async function runScenario(scenario: Scenario): Promise<Row[]> {
  const dataDir = join(folder, `pasarela-bench-${process.pid}-${scenario.name}`)
  mkdirSync(folder, { recursive: true })
  const database = await startPostgres({ dataDir, holder: 'pasarela bench' })
  try {
    await migrate(database.url)
    const masterKey = randomBytes(32)
    return await scenario.run({
      databaseUrl: database.url,
      socketUrl: database.socketUrl,
      masterKey,
      seconds: Number(seconds),
      options: options as Record<string, string>,
      openTarget: () => openTarget(database.socketUrl, masterKey),
      note: (text) => notes.push(`${scenario.name}: ${text}`),
    })
  } finally {
    await database.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

function print(row: Row): void {
  if (row.met === false) missed += 1
  const ratio = row.ratio === undefined ? '' : row.ratio.toFixed(2)
  const verdict = row.met === undefined ? '' : row.met ? 'met' : 'missed'
  console.log(`| ${[row.what, row.figure, row.yardstick, row.its, ratio, row.target, verdict].join(' | ')} |`)
}
