/** The migrations lead to packages/server/schema.sql, twice is once, and every table keeps merchants apart. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { Sql } from '@pasarela/sql'
import { migrate, schemaTable } from '../src/kit/migrate.ts'
import { grants } from '../src/vocabulary/grants.ts'
import { limits } from '../src/vocabulary/limits.ts'
import { emptyDatabase, type FreshDatabase, openOwner } from './database.ts'
import { dumpSchema } from './schema-dump.ts'

let database: FreshDatabase
let sql: Sql
let ran: string[]

before(async () => {
  database = await emptyDatabase()
  ran = await migrate(database.url)
  sql = openOwner(database.url, 2)
})
after(async () => {
  await sql.end()
  await database.drop()
})

test('migrating from zero leads to packages/server/schema.sql; `npm run generate` renews it', async () => {
  assert.ok(ran.length > 0)
  assert.equal(await dumpSchema(sql), readFileSync(new URL('../schema.sql', import.meta.url), 'utf8'))
})

test('migrating again runs nothing and changes nothing', async () => {
  const schema = await dumpSchema(sql)
  assert.deepEqual(await migrate(database.url), [])
  assert.equal(await dumpSchema(sql), schema)
})

/** Tables that belong to no merchant; keys.test.ts holds the keys of all others. */
const withoutMerchant = ['merchants', 'sealed_keys', schemaTable]

test('every table has a primary key, and a merchant_id where it is not explained', async () => {
  const rows = await sql<{ name: string; keyed: boolean; owned: boolean }[]>`
    select relname as name,
      exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary) as keyed,
      exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'merchant_id' and a.attnotnull) as owned
    from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'r'`
  assert.deepEqual(
    rows.filter((row) => !row.keyed || !(row.owned || withoutMerchant.includes(row.name))),
    [],
  )
})

test('every constraint has a name that we chose: <table>_<what>', async () => {
  const rows = await sql<{ name: string; owner: string; type: string; columns: string }[]>`
    select k.conname as name, coalesce(c.relname, t.typname) as owner, k.contype as type,
      (select string_agg(a.attname, '_' order by a.attnum) from pg_attribute a
        where a.attrelid = k.conrelid and a.attnum = any (k.conkey)) as columns
    from pg_constraint k left join pg_class c on c.oid = k.conrelid left join pg_type t on t.oid = k.contypid
    where k.connamespace = 'public'::regnamespace and k.contype <> 'n'`
  assert.ok(rows.length > 50)
  const unchosen = rows.filter(({ name, owner, type, columns }) => {
    if (owner === schemaTable) return false
    if (type === 'p') return name !== `${owner}_pkey`
    return !name.startsWith(`${owner}_`) || /_(?:check|fkey)\d*$/.test(name) || name === `${owner}_${columns}_key`
  })
  assert.deepEqual(
    unchosen.map((row) => row.name),
    [],
  )
})

test('a reference names the merchant on both sides', async () => {
  const rows = await sql<{ name: string; columns: string[] }[]>`
    select k.conname as name, array(select a.attname::text from unnest(k.conkey) with ordinality as u (num, ord)
      join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.num order by u.ord) as columns
    from pg_constraint k where k.contype = 'f' and k.connamespace = 'public'::regnamespace`
  assert.ok(rows.length > 0)
  assert.deepEqual(
    rows.filter((row) => row.columns[0] !== 'merchant_id').map((row) => row.name),
    [],
  )
})

test('every table has its row in the list of rights', async () => {
  const rows = await sql<{ name: string }[]>`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname`
  const listed = [...Object.keys(grants), schemaTable].sort()
  assert.deepEqual(
    rows.map((row) => row.name),
    listed,
  )
})

test('the application may not rewrite history', async () => {
  const rows = await sql<{ name: string; allowed: string[] }[]>`
    select t.name, array(select p from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p
      where has_table_privilege('pasarela_app', t.name, p)) as allowed
    from unnest(array['ledger_entries', 'ledger_postings', 'events', 'payment_resolutions']) as t (name)`
  for (const { name, allowed } of rows) assert.deepEqual(allowed, ['SELECT', 'INSERT'], name)
})

/** Which maximum each text column keeps; a number: text of our own making, which no caller chooses. */
const lengths: Record<string, string | number> = {
  account_holder: 250,
  account_number: 60,
  attention: 500,
  body: 65_536,
  checkout_token: 'checkoutTokenLength',
  connector_ref: 200,
  custody: 60,
  dismissed_why: 'descriptionLength',
  description: 'descriptionLength',
  document_key: 'documentNumberLength',
  document_number: 'documentNumberLength',
  document_type: 40,
  email: 'emailLength',
  error: 'webhookErrorLength',
  external_id: 'externalIdLength',
  failed_url: 'urlLength',
  failure_reason: 500,
  fee_description: 'nameLength',
  key: 'idempotencyKeyLength',
  lastname: 'nameLength',
  logo: 12_288,
  name: 'nameLength',
  nickname: 'nameLength',
  order_key: 520,
  other_body: 65_536,
  page_token: 22,
  reason: 'descriptionLength',
  ref: 200,
  success_url: 'urlLength',
  url: 'urlLength',
}

describe('limits.ts and the columns say the same number', () => {
  test('lengths of text', async () => {
    const rows = await sql<{ name: string; definition: string }[]>`
      select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
      where contype = 'c' and contypid = 0 and connamespace = 'public'::regnamespace and pg_get_constraintdef(oid) ~ 'length\\((\\(?\\w+\\)?)'`
    assert.ok(rows.length > 20)
    for (const { name, definition } of rows) {
      const match = /length\(\(?(\w+)\)?(?:::text\))?\)?(?: >= \d+\)\) AND \(length\(\w+\))? (?:<=|=) (\d+)/.exec(
        definition,
      )
      assert.ok(match?.[1], `${name}: ${definition} is not understood`)
      if (match[1].endsWith('_hash') || match[1] === 'seed') continue
      const limit = lengths[match[1]]
      assert.ok(limit !== undefined, `${name}: name the limit of ${match[1]} in schema.test.ts`)
      const most = typeof limit === 'number' ? limit : (limits as Record<string, unknown>)[limit]
      assert.equal(match[2], String(most), name)
    }
  })

  test('durations and amounts', async () => {
    const rows = await sql<{ name: string; definition: string }[]>`
      select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
      where connamespace = 'public'::regnamespace and (conname like '%_duration' or conname = 'minor_amount_range')`
    assert.equal(rows.length, 3)
    for (const { name, definition } of rows) {
      const numbers = [...definition.matchAll(/'?(\d+)'?(?=::bigint|\)|$)/g)].map((match) => BigInt(match[1] ?? 0))
      const bounds =
        name === 'minor_amount_range'
          ? [1n, limits.amountMinorMax]
          : [BigInt(limits.durationSecondsMin), BigInt(limits.durationSecondsMax)]
      assert.deepEqual(numbers, bounds, `${name}: ${definition}`)
    }
  })
})
