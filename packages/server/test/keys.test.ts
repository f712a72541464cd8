/** Every key begins with the merchant, or the list here says why not. References stay within one merchant. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openPool, type Sql } from '../src/kit/db.ts'
import { schemaTable } from '../src/kit/migrate.ts'
import { type FreshDatabase, freshDatabase } from './database.ts'

let database: FreshDatabase
let sql: Sql
let tables: string[]

before(async () => {
  database = await freshDatabase()
  sql = openPool(database.url, { max: 2, applicationName: 'keys', asApplication: false })
  const rows = await sql<{ name: string }[]>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by relname`
  tables = rows.map((row) => row.name)
})
after(async () => {
  await sql.end()
  await database.drop()
})

/** Tables that do not belong to one merchant, or whose rows are found before the merchant is known. */
const unheld: Readonly<Record<string, string>> = {
  merchants: 'the root of isolation: its id is the merchant',
  api_clients: 'an API key and a clientId name the merchant, so both are unique over all merchants',
  connections: "a provider's notice names its connection before the merchant is known",
  sealed_keys: 'keys of the installation, which belong to no merchant',
  [schemaTable]: 'which migrations ran on the installation',
}

type Key = { name: string; tableName: string; primary: boolean; columns: string[] }

/** Primary keys and unique indexes, including partial ones; an expression column is shown as written. */
async function readKeys(): Promise<Key[]> {
  return sql<Key[]>`
    select c.relname as name, t.relname as table_name, i.indisprimary as primary,
      array(select pg_get_indexdef(i.indexrelid, n, false) from generate_series(1, i.indnkeyatts) n) as columns
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
    where t.relnamespace = 'public'::regnamespace and i.indisunique order by t.relname, c.relname`
}

function badKeys(keys: readonly Key[]): string[] {
  return keys.filter((key) => key.columns[0] !== 'merchant_id' && !(key.tableName in unheld)).map((key) => key.name)
}

test('every primary key and every unique index begins with merchant_id', async () => {
  const keys = await readKeys()
  assert.ok(keys.length > 40, `only ${keys.length}`)
  assert.deepEqual(badKeys(keys), [])
  const keyed = new Set(keys.filter((key) => key.primary).map((key) => key.tableName))
  assert.deepEqual(
    tables.filter((table) => !keyed.has(table)),
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

test('every exception exists, is needed, and has its reason', async () => {
  const keys = await readKeys()
  for (const [table, why] of Object.entries(unheld)) {
    assert.ok(why.length > 20, table)
    assert.ok(tables.includes(table), `${table} does not exist`)
    const own = keys.filter((key) => key.tableName === table)
    assert.ok(
      own.some((key) => key.columns[0] !== 'merchant_id'),
      `${table}: all its keys begin with merchant_id`,
    )
  }
})

test('a table references only rows of the same merchant', async () => {
  const references = await sql<{ name: string; target: string; definition: string }[]>`
    select conname as name, confrelid::regclass::text as target, pg_get_constraintdef(oid) as definition
    from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace order by conname`
  assert.ok(references.length > 5)
  for (const { name, target, definition } of references) {
    assert.match(definition, /^FOREIGN KEY \(merchant_id[,)]/, name)
    if (!(target in unheld)) assert.match(definition, /REFERENCES \w+\(merchant_id, /, name)
  }
})

test('no table has a trigger', async () => {
  const triggers = await sql`select tgname from pg_trigger where not tgisinternal`
  assert.equal(triggers.length, 0)
})
