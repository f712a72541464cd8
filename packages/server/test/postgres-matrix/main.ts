/**
 * `npm run postgres-matrix`: which databases Pasarela works on. Each major by each kind of owner, directly and through PgBouncer;
 * every cell works, or refuses in one sentence. Options: --majors 15,18, --owners plain, --ways direct, --tools folder (kept, so
 * that the next run need not download), --folder. Needs PgBouncer, and pg_dump of the newest major or Python with pip.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Outcome, type Owner, tryCell, type Way } from './cell.ts'
import { type Cluster, startCluster, stopAll } from './servers.ts'
import { installTools, majors } from './tools.ts'

const owners: readonly Owner[] = ['superuser', 'createrole', 'plain']
const ways: readonly Way[] = [
  { name: 'direct' },
  { name: 'session', mode: 'session' },
  { name: 'transaction', mode: 'transaction' },
]

const { values } = parseArgs({
  options: {
    majors: { type: 'string' },
    owners: { type: 'string' },
    ways: { type: 'string' },
    tools: { type: 'string' },
  },
})
const wantedMajors = choose('majors', majors, values.majors)
const wantedOwners = choose('owners', owners, values.owners)
const wantedWays = choose('ways', names(ways), values.ways)

const folder = mkdtempSync(join(tmpdir(), 'pasarela-matrix-'))
// The database's user, who is not root, works below it.
chmodSync(folder, 0o755)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void finish(130))
try {
  const results = await tryAll()
  print(results)
  await finish([...results.values()].some(({ is }) => is === 'FAILS') ? 1 : 0)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  await finish(1)
}

async function tryAll(): Promise<Map<string, Outcome>> {
  const tools = await installTools(values.tools ?? join(folder, 'tools'), wantedMajors)
  const results = new Map<string, Outcome>()
  for (const major of wantedMajors) {
    const [first, second] = await Promise.all(
      ['a', 'b'].map((name) => startCluster(tools, major, join(folder, `${major}${name}`))),
    )
    for (const owner of wantedOwners) {
      for (const way of ways.filter(({ name }) => wantedWays.includes(name))) {
        const home = join(folder, `${major}-${owner}-${way.name}`)
        const clusters = { first: first as Cluster, second: second as Cluster }
        const outcome = await tryCell({ owner, way, tools, folder: home, ...clusters })
        results.set(`${major} ${owner} ${way.name}`, outcome)
        console.log(`Postgres ${major}, ${owner}, ${way.name}: ${outcome.is} ${outcome.says}`)
      }
    }
    await stopAll()
  }
  return results
}

function print(results: Map<string, Outcome>): void {
  const row = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`)
  console.log()
  row(['Postgres', 'owner', ...wantedWays])
  row(['---', '---', ...wantedWays.map(() => '---')])
  for (const major of wantedMajors)
    for (const owner of wantedOwners)
      row([major, owner, ...wantedWays.map((way) => results.get(`${major} ${owner} ${way}`)?.is ?? '')])
  const sentences = [...results.values()].map(
    ({ is, says }) => `${is}: ${says.replaceAll(/127\.0\.0\.1:\d+/g, 'host:port')}`,
  )
  for (const sentence of new Set(sentences)) if (!sentence.startsWith('works')) console.log(`\n${sentence}`)
}

async function finish(code: number): Promise<void> {
  await stopAll()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  process.exit(code)
}

function names(list: readonly Way[]): string[] {
  return list.map(({ name }) => name)
}

function choose<T extends string>(option: string, all: readonly T[], given: string | undefined): T[] {
  const wanted = given?.split(',') ?? [...all]
  const unknown = wanted.filter((name) => !all.includes(name as T))
  if (unknown.length > 0) throw new Error(`--${option} knows no ${unknown.join(', ')}; it knows ${all.join(', ')}`)
  return all.filter((name) => wanted.includes(name))
}
