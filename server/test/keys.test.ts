/** Every key begins with the merchant or says why not, and the same list leads the tables to the nodes of Citus. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import postgres from 'postgres'
import type { Call } from '../src/commands/command.ts'
import { type Catalogue, distributionPlan, kindOf, readCatalogue, undistributed } from '../src/commands/distribution.ts'
import { run as runMigrate } from '../src/commands/migrate.ts'
import { openPool, type Sql } from '../src/kit/db.ts'
import { OperatorError } from '../src/kit/operator-error.ts'
import { emptyDatabase, type FreshDatabase, freshDatabase } from './database.ts'

let database: FreshDatabase
let sql: Sql
let catalogue: Catalogue

before(async () => {
  database = await freshDatabase()
  sql = openPool(database.url, { max: 2, applicationName: 'keys', asApplication: false })
  catalogue = await readCatalogue(sql, false)
})
after(async () => {
  await sql.end()
  await database.drop()
})

type Key = { name: string; tableName: string; primary: boolean; columns: string[] }

/** Primary keys and unique indexes, with partial ones; a column that is an expression is shown as it is written. */
async function readKeys(): Promise<Key[]> {
  return sql<Key[]>`
    select c.relname as name, t.relname as table_name, i.indisprimary as primary,
      array(select pg_get_indexdef(i.indexrelid, n, false) from generate_series(1, i.indnkeyatts) n) as columns
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
    where t.relnamespace = 'public'::regnamespace and i.indisunique order by t.relname, c.relname`
}

function badKeys(keys: readonly Key[]): string[] {
  return keys
    .filter((key) => key.columns[0] !== 'merchant_id' && kindOf(key.tableName) === 'distributed')
    .map((key) => key.name)
}

test('every primary key and every unique index of a distributed table begins with merchant_id', async () => {
  const keys = await readKeys()
  assert.ok(keys.length > 40, `only ${keys.length}`)
  assert.deepEqual(badKeys(keys), [])
  const keyed = new Set(keys.filter((key) => key.primary).map((key) => key.tableName))
  assert.deepEqual(
    catalogue.tables.filter((table) => !keyed.has(table)),
    [],
    'tables without a primary key',
  )
})

test('a key that forgets the merchant is found, also a partial one', async () => {
  await sql`create table planted (merchant_id int not null, id text not null, token text, primary key (merchant_id, id))`
  await sql`create unique index planted_token on planted (token, merchant_id) where token is not null`
  assert.deepEqual(badKeys(await readKeys()), ['planted_token'])
  await sql`drop table planted`
})

test('the list of undistributed tables names none that is not there or could be distributed, and each has its reason', async () => {
  const keys = await readKeys()
  for (const [table, { kind, why }] of Object.entries(undistributed)) {
    assert.ok(why.length > 20, table)
    if (kind === 'local') continue
    assert.ok(catalogue.tables.includes(table), `${table} is not there`)
    const own = keys.filter((key) => key.tableName === table)
    assert.ok(
      own.some((key) => key.columns[0] !== 'merchant_id'),
      `${table}: all its keys begin with merchant_id, so it can be distributed`,
    )
  }
})

test('a distributed table references only tables of its own merchant, or tables that are on every node', () => {
  assert.ok(catalogue.references.length > 5)
  for (const { name, table, target, definition } of catalogue.references) {
    if (kindOf(table) !== 'distributed') assert.notEqual(kindOf(target), 'distributed', name)
    assert.match(definition, /^FOREIGN KEY \(merchant_id[,)]/, name)
    if (kindOf(target) === 'distributed') assert.match(definition, /REFERENCES \w+\(merchant_id, /, name)
  }
})

test('what Citus cannot distribute is not in a distributed table: triggers, narrow identities', async () => {
  const triggers = await sql`select tgname from pg_trigger where not tgisinternal`
  assert.equal(triggers.length, 0)
  const narrow = catalogue.narrowIdentities.filter(({ table }) => kindOf(table) === 'distributed')
  assert.deepEqual(narrow, [])
})

/**
 * Stands in for the functions of Citus, which cannot be installed with npm: they only write down what they were asked.
 * Everything else of the plan runs as it is.
 */
async function installRecorder(): Promise<void> {
  await sql.unsafe(`
    create table calls (number int generated always as identity primary key, name text, kind text, grouped text);
    create function create_reference_table(name regclass) returns void language sql as
      $$ insert into calls (name, kind) values (name::text, 'reference') $$;
    create function create_distributed_table(name regclass, by text, colocate_with text) returns void language sql as
      $$ insert into calls (name, kind, grouped) values (name::text, 'distributed', colocate_with) $$;`)
}

const referencesNow = async () => [...(await readCatalogue(sql, false)).references]

test('the plan puts every table into one group or on every node, between taking references away and giving them back', async () => {
  await installRecorder()
  const before = await referencesNow()
  await sql`insert into merchants (name, mode) values ('Before', 'live')`
  for (const statement of distributionPlan(catalogue)) {
    if (!statement.startsWith('alter role')) await sql.unsafe(statement)
    // While tables change their kind, nothing may hold two of them together.
    if (/create_(?:reference|distributed)_table/.test(statement)) assert.deepEqual(await referencesNow(), [])
  }
  assert.deepEqual(await referencesNow(), before)
  const calls = await sql<{ name: string; kind: string; grouped: string | null }[]>`select * from calls order by number`
  const expected = catalogue.tables.filter((table) => kindOf(table) !== 'local')
  assert.deepEqual(calls.map((call) => call.name).sort(), [...expected].sort())
  for (const { name, kind } of calls) assert.equal(kind, kindOf(name), name)
  const groups = calls.filter((call) => call.kind === 'distributed').map((call) => call.grouped)
  assert.equal(groups[0], 'none', 'the first table founds the group')
  assert.deepEqual([...new Set(groups.slice(1))], [calls.find((call) => call.kind === 'distributed')?.name])
  const firstDistributed = calls.findIndex((call) => call.kind === 'distributed')
  assert.ok(calls.slice(firstDistributed).every((call) => call.kind === 'distributed'))
})

test('numbers of merchants go on after the plan, also for the application', async () => {
  const app = postgres(database.url, { max: 1, connection: { role: 'pasarela_app' } })
  try {
    const [last] = await sql<{ id: number }[]>`select max(id) as id from merchants`
    const [made] = await app<{ id: number }[]>`insert into merchants (name, mode) values ('After', 'live') returning id`
    assert.equal(made?.id, (last?.id ?? 0) + 1)
  } finally {
    await app.end()
  }
})

test('the plan is empty where every table is in its place, and takes only a new table otherwise', () => {
  const placed = catalogue.tables.filter((table) => kindOf(table) !== 'local')
  assert.deepEqual(distributionPlan({ ...catalogue, placed }), [])
  const plan = distributionPlan({ ...catalogue, placed: placed.filter((table) => table !== 'payment_resolutions') })
  const [anchor] = placed.filter((table) => kindOf(table) === 'distributed')
  assert.deepEqual(plan.slice(2), [
    'alter table payment_resolutions drop constraint payment_resolutions_payment',
    `select create_distributed_table('payment_resolutions', 'merchant_id', colocate_with => '${anchor}')`,
    `alter table payment_resolutions add constraint payment_resolutions_payment ${
      catalogue.references.find((reference) => reference.name === 'payment_resolutions_payment')?.definition
    }`,
  ])
})

test('migrate --distributed without Citus says so and changes nothing', async () => {
  const empty = await emptyDatabase()
  const call = { config: { databaseUrl: empty.url }, values: { distributed: true }, words: [], name: 'migrate' }
  try {
    await assert.rejects(runMigrate(call as unknown as Call), (error) => {
      assert.ok(error instanceof OperatorError)
      assert.match(error.message, /no Citus extension.*Nothing was changed.*docs\/scaling\.md/)
      return true
    })
    const look = postgres(empty.url, { max: 1 })
    const tables = await look`select relname from pg_class where relnamespace = 'public'::regnamespace`
    await look.end()
    assert.equal(tables.length, 0)
  } finally {
    await empty.drop()
  }
})
