/** The code keeps its shape: who imports whom, what is private, how long things are, what is said where. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { importsOf, pure, ranks, secondWriters, violations, writersOf } from './architecture.ts'

const src = fileURLToPath(new URL('../src/', import.meta.url))
const migrations = fileURLToPath(new URL('../migrations/', import.meta.url))

const root = fileURLToPath(new URL('../../../', import.meta.url))
const packages = readdirSync(`${root}packages`)

const read = (path: string) => readFileSync(root + path, 'utf8')
const isTestPath = (path: string) => path.endsWith('.test.ts') || path.startsWith('test/')

function readTree(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) =>
    file.name.endsWith('.ts'),
  )
  const paths = files.map((file) => join(file.parentPath, file.name))
  return new Map(paths.map((path) => [relative(folder, path), readFileSync(path, 'utf8')]))
}

const tree = readTree(src)

test('the code breaks no rule of the architecture', () => {
  assert.deepEqual(violations(tree), [])
})

test('a package imports another one by its front door, and only those that package.json names', () => {
  for (const name of packages) {
    const { dependencies } = JSON.parse(read(`packages/${name}/package.json`))
    const wrong = [...readTree(`${root}packages/${name}/`)].flatMap(([path, text]) => {
      const named = [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map((match) => match[1] ?? '')
      const outside = named.filter((to) => to.startsWith('.') && join(path, '..', to).startsWith('..'))
      const unnamed = named.filter((to) => {
        const ours = /^@pasarela\/[\w-]+/.exec(to)?.[0]
        return ours !== undefined && !(ours in (dependencies ?? {}))
      })
      // Tests of the whole may look at the tools of the repository.
      const looksOut = path.startsWith('test/') ? [] : outside
      return [...looksOut, ...unnamed].map((to) => `${name}/${path} imports ${to}`)
    })
    assert.deepEqual(wrong, [])
  }
})

test('a table is written by one slice, but for those that are listed with their reason', () => {
  const schema = read('packages/server/schema.sql')
  const tables = new Set([...schema.matchAll(/^create table (\w+)/gm)].map((match) => match[1]))
  const writers = [...writersOf(tree)].filter(([table]) => tables.has(table))
  assert.ok(writers.length > 25, `only ${writers.length} tables are written`)
  const shared = writers.filter(([, slices]) => slices.size > 1)
  const pairs = shared.flatMap(([table, slices]) => [...slices].map((slice) => `${slice} ${table}`))
  const excused = pairs.filter((pair) => pair in secondWriters)
  assert.deepEqual(excused.sort(), Object.keys(secondWriters))
  for (const [table, slices] of shared) {
    const owners = [...slices].filter((slice) => !(`${slice} ${table}` in secondWriters))
    assert.equal(owners.length, 1, `${table} is written by ${[...slices].join(' and ')}`)
  }
})

test('the files that are held to be pure exist', () => {
  assert.deepEqual(
    pure.filter((path) => !tree.has(path)),
    [],
  )
})

test('app.ts registers the slices in the order of their ranks', () => {
  const app = tree.get('app.ts') ?? ''
  const slices = new Map(
    [...app.matchAll(/import \{ (\w+) \} from '\.\/([\w-]+)\/routes\.ts'/g)].map((match) => [match[1], match[2]]),
  )
  const called = [...app.matchAll(/^ {2}(?:await )?(\w+)\(/gm)].flatMap((match) => slices.get(match[1]) ?? [])
  assert.equal(called.length, slices.size)
  assert.deepEqual(
    called,
    ranks.filter((slice) => called.includes(slice)),
  )
})

test('no column holds a float', () => {
  for (const file of readdirSync(migrations)) {
    const code = readFileSync(join(migrations, file), 'utf8').replace(/--.*|'(?:''|[^'])*'/g, '')
    assert.doesNotMatch(code, /\b(float\d?|real|double precision|money)\b/i, file)
  }
})

test('every runtime dependency is used, and has its line in ADR 14', () => {
  const named = packages.flatMap((name) => {
    const { dependencies, optionalDependencies } = JSON.parse(read(`packages/${name}/package.json`))
    return Object.keys({ ...dependencies, ...optionalDependencies })
  })
  const theirs = named.filter((name) => !name.startsWith('@pasarela/'))
  // One line for all platforms of a binary: only their names differ.
  const declared = [...new Set(theirs.map((name) => name.replace(/\/(?:darwin|linux)-\w+$/, '')))].sort()
  const lines = [...read('docs/adr/0014-runtime-dependencies.md').matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1])
  assert.deepEqual(lines.sort(), declared)
  const code = packages.flatMap((name) =>
    [...readTree(`${root}packages/${name}/`)].filter(([path]) => !isTestPath(path)).map(([, text]) => text),
  )
  code.push(read('packages/server/bin/pasarela.js'))
  const unused = declared.filter((name) => !code.some((text) => new RegExp(`['"\`]${name}['"/]`).test(text)))
  assert.deepEqual(unused, [])
})

test('a production install brings a Node that runs the server, and an older one may start it', () => {
  const { engines } = JSON.parse(read('package.json'))
  const { dependencies } = JSON.parse(read('packages/server/package.json'))
  const needed = Number(/^const nodeMajorMin = (\d+)$/m.exec(read('packages/server/bin/pasarela.js'))?.[1])
  assert.ok(Number(/^\^(\d+)/.exec(dependencies.node)?.[1]) >= needed)
  assert.equal(engines.node, '>=20', 'the oldest Node whose npm and whose syntax suffice to hand over')
})

/** A tree of one innocent file and the given ones. */
function planted(files: Record<string, string>): string[] {
  const innocent = { 'kit/machine.ts': '/** Machines. */\nexport const a = 1\n' }
  return violations(new Map(Object.entries({ ...innocent, ...files })))
}

function caught(files: Record<string, string>, expected: RegExp): void {
  const found = planted(files)
  assert.ok(
    found.some((line) => expected.test(line)),
    `expected ${expected}, found: ${found.join('\n') || 'nothing'}`,
  )
}

describe('the checker catches what is planted', () => {
  const file = (code: string) => `/** A file. */\n${code}\n`

  test('an innocent tree has no violation', () => {
    assert.deepEqual(planted({ 'payments/create.ts': file("import { a } from '../kit/machine.ts'") }), [])
  })
  test('an import upwards, also of a type, also lazily', () => {
    const upwards = /kit\/x\.ts: imports payments\/payment\.ts, which ranks higher/
    caught({ 'kit/x.ts': file("import { p } from '../payments/payment.ts'") }, upwards)
    caught({ 'kit/x.ts': file("import type { P } from '../payments/payment.ts'") }, upwards)
    caught({ 'kit/x.ts': file("const p = await import('../payments/payment.ts')") }, upwards)
    caught({ 'kit/x.ts': file("import {\n  p,\n} from '../payments/payment.ts'") }, upwards)
  })
  test('a slice that imports the assembly, a file outside, a folder without a rank', () => {
    caught({ 'payments/create.ts': file("import { app } from '../app.ts'") }, /imports app\.ts, which ranks higher/)
    caught({ 'payments/create.ts': file("import { g } from '../platform/http/guard.ts'") }, /ranks higher/)
    caught({ 'kit/x.ts': file("import { h } from '../../../test/harness.ts'") }, /outside the slices/)
    caught({ 'helpers/x.ts': file('export const x = 1') }, /has no place in the order/)
  })
  test('what is private to another slice', () => {
    caught(
      { 'processing/settle/settle.ts': file("import * as s from '../../payments/store.ts'") },
      /private to its slice/,
    )
    caught(
      { 'processing/settle/settle.ts': file("import { s } from '../../payments/list-store.ts'") },
      /private to its slice/,
    )
    caught({ 'payments/find.ts': file("export { s } from './store.ts'") }, /hands on what a store exports/)
    caught(
      { 'processing/settle/settle.ts': file("import { j } from '../../payments/jobs.ts'") },
      /private to its slice/,
    )
    caught({ 'commands/doctor.ts': file("import * as s from '../payments/store.ts'") }, /private to its slice/)
    assert.deepEqual(planted({ 'app.ts': file("import { paymentRoutes } from './payments/routes.ts'") }), [])
  })
  test('a rail that knows another, or the database', () => {
    caught({ 'rails/pix/rail.ts': file("import { c } from '../card/rail.ts'") }, /stand alone/)
    caught({ 'rails/pix/rail.ts': file("import type { Sql } from '@pasarela/sql'") }, /sees the database/)
    assert.deepEqual(planted({ 'rails/pix/rail.ts': file("import { text } from '../fields.ts'") }), [])
  })
  test('a circle of imports', () => {
    const files = { 'kit/a.ts': file("import { b } from './b.ts'"), 'kit/b.ts': file("import { a } from './a.ts'") }
    caught(files, /circle of imports: kit\/a\.ts → kit\/b\.ts → kit\/a\.ts/)
  })
  test('what is too long', () => {
    caught({ 'kit/x.ts': file('const a = 1\n'.repeat(300)) }, /more than 300/)
    const body = '  a()\n'.repeat(60)
    caught({ 'kit/x.ts': file(`export async function f(\n  a: number,\n): void {\n${body}}`) }, /line 2: a function/)
    caught({ 'kit/x.ts': file(`const f = () => {\n${body}}`) }, /line 2: a function of 62 lines/)
    caught({ 'kit/x.ts': file(`class A {\n  async run(a: number) {\n${body}  }\n}`) }, /line 3: a function/)
  })
  test('words that have no place', () => {
    caught({ 'kit/x.ts': 'export const x = 1\n' }, /begin with a comment/)
    caught({ 'kit/x.ts': file('// TO' + 'DO later') }, /unfinished business/)
    caught({ 'kit/x.ts': file('enum Colour { red }') }, /an enum/)
    caught({ 'kit/x.ts': file('const x = y as any') }, /any: use unknown/)
    caught({ 'payments/index.ts': file("export * from './payment.ts'") }, /a barrel/)
    assert.deepEqual(planted({ 'kit/x.ts': file('// any enum { in words } of process.env\nexport const x = 1') }), [])
  })
  test('an amount as a number', () => {
    caught({ 'quotes/x.ts': file('const a = Number(row.totalMinor)') }, /an amount as a number/)
    caught({ 'quotes/x.ts': file('const a = parseFloat(text)') }, /a float/)
    caught({ 'quotes/x.ts': file('const a = Math.round(amount)') }, /arithmetic on an amount/)
    caught({ 'payments/store.ts': file('const a = sql`select total_minor::float`') }, /a float in SQL/)
  })
  test('what is said out of its place', () => {
    caught({ 'kit/x.ts': file('const p = process.env.PORT') }, /reads process\.env/)
    caught({ 'payments/create.ts': file('const now = new Date()') }, /reads the clock/)
    caught({ 'payments/create.ts': file('const now = Date.now()') }, /reads the clock/)
    caught({ 'payments/create.ts': file('await sql<Row[]>`select 1`') }, /has SQL/)
    caught({ 'payments/store.ts': file('await transaction(sql, work)') }, /for verbs/)
    caught({ 'payments/create.ts': file('await ctx.sql.begin(work)') }, /below the pool/)
    caught({ 'payments/payment.ts': file('const row = await load()') }, /this file is pure/)
  })
  test('imports are read whatever their form', () => {
    const code =
      "import a from './a.ts'\nimport './b.ts'\nexport { c } from '../c/c.ts'\n// from './no.ts'\nimport x from 'fastify'"
    assert.deepEqual(importsOf('kit/x.ts', code), ['kit/a.ts', 'kit/b.ts', 'c/c.ts'])
  })
})
