/** A database that any earlier version made answers every list, by every filter and sort, as one that this version made. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { script } from '@pasarela/sql'
import { versionV2 } from '../src/access/caller.ts'
import { buildApp } from '../src/app.ts'
import { buildContext } from '../src/context.ts'
import { describeApi } from '../src/describe.ts'
import { openPool, type Sql } from '../src/kit/db.ts'
import { listMigrations, migrate } from '../src/kit/migrate.ts'
import { emptyDatabase } from './database.ts'
import { type Body, type Client, startTestApp, type TestApp } from './harness.ts'
import { anaPix, makeShop, ok, pixOf, type Shop } from './shop.ts'

/** The first version that had all that lists show; each migration since then is one that somebody may run. */
const firstVersion = 8

let t: TestApp
let client: Client
let urls: string[]
let expected: Map<string, Body>
before(async () => {
  t = await startTestApp()
  client = t.client
  const world = await makeWorld()
  urls = await listUrls(world)
  assert.ok(urls.length > 200, `only ${urls.length} lists are walked`)
  expected = new Map()
  for (const url of urls) expected.set(url, await ok(client, 'GET', url))
})
after(() => t.close())

type World = { shop: Shop; sample: Record<string, string>; today: string }

/** A merchant's rows of every kind that a list shows. */
async function makeWorld(): Promise<World> {
  const shop = await makeShop(client, ['BRL', 'CLP'])
  const endpoint = await ok(client, 'POST', '/webhook-endpoints', { url: 'http://127.0.0.1:9/hook', eventTypes: ['*'] })
  const fee = { description: 'Fee', feeType: 'FIXED', value: '1' }
  const rule = { type: 'FEE', identityId: shop.identityId, overwrites: false, filter: null, feeRule: fee }
  const { id: ruleId } = await ok(client, 'POST', '/rules', rule)
  await ok(client, 'PUT', '/exchange-rates', { rates: [{ product: 'BRL:CLP', exchangeRate: '170.5' }] })
  const customer = { firstName: 'Ana', email: 'ana@example.com' }
  const link = await ok(client, 'POST', '/payment-links', shop.body({ active: true, customer }))
  await ok(client, 'POST', `/payment-links/token/${link.checkoutToken}/checkout-sessions`, {})
  const pay = async (change: Record<string, unknown>, body: unknown = anaPix) => {
    const session = await shop.session(change)
    return ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, body)
  }
  const paid = await pay({})
  await pay({ duration: 60 }, pixOf('ana+declined@example.com'))
  await pay({}, pixOf('ana+wrong_amount@example.com'))
  const short = await shop.session({ duration: 60 })
  await shop.session({ duration: 86_400 })
  await t.advance(2_000)
  await t.advance(3_000)
  await ok(client, 'POST', `/payments/${paid.id}/refund`, { amount: '1.00' })
  await t.advance(120_000)
  await ok(client, 'POST', `/checkout-sessions/token/${short.checkoutToken}/refresh`, {})
  await pay({}, pixOf('ana+silent@example.com'))
  const accountNumber = shop.accounts.BRL?.accountNumber ?? ''
  const today = new Date(t.ctx.clock.nowMs()).toLocaleDateString('en-GB', { timeZone: 'America/Santiago' })
  const sample = {
    ...{ identityId: shop.identityId, 'owner.identityId': shop.identityId, parentId: shop.identityId },
    ...{ accountNumber, 'destination.accountNumber': accountNumber, externalId: 'none' },
    ...{ checkoutToken: short.checkoutToken, checkoutSessionId: paid.checkoutSessionId ?? short.id },
    ...{ parentPaymentId: paid.id, paymentId: paid.id, stream: short.id, types: 'payment.*', product: 'BRL:CLP' },
    ...{ 'customer.email': 'ana@example.com', email: 'loja@example.com', phone: '+56912345678', country: 'CHL' },
    ...{ documentNumber: '76086428-5', '/payment-links id': link.id, '/rules id': ruleId },
    ...{ '/webhook-endpoints/{id}/deliveries {id}': endpoint.id },
  }
  return { shop, sample, today }
}

type Parameter = { name: string; in: string; schema: { type?: string; enum?: string[]; pattern?: string } }

/** Every list of the document: each filter with each order, with and without days, in turns down and up; and the pages. */
async function listUrls({ sample, today }: World): Promise<string[]> {
  const paths = (await describeApi()).paths as Record<string, { get?: { parameters?: Parameter[] } }>
  return Object.entries(paths).flatMap(([path, { get }]) => {
    const parameters = get?.parameters ?? []
    if (!parameters.some(({ name }) => name === 'limit')) return []
    const at = path.replace(/\{\w+\}/g, (part) => encodeURIComponent(sample[`${path} ${part}`] ?? part))
    const apart = new Set(['sort', 'startDate', 'endDate', 'limit', 'offset', 'next', 'after'])
    const filters = parameters.filter(({ name, in: place }) => place === 'query' && !apart.has(name))
    const orders = parameters.find(({ name }) => name === 'sort')?.schema.enum ?? []
    const days = orders.length > 0 ? ['', `startDate=${today}`] : ['']
    const chosen = [
      '',
      ...filters.flatMap((filter) => valuesOf(path, filter, sample).map((v) => `${filter.name}=${v}`)),
    ]
    const sorts = ['', ...orders.map((order) => `sort=${order}`)]
    const inTurn = (filter: number, order: number) => filter === 0 || order === 0 || (filter + order) % 2 === 0
    const all = chosen.flatMap((filter, n) =>
      sorts.flatMap((sort, m) => (inTurn(n, m) ? days.map((range) => [filter, sort, range]) : [])),
    )
    const pages = [
      'limit=2',
      ...(orders.length > 0 ? ['limit=2&offset=1', 'limit=2&next=1', `startDate=01/01/2020&endDate=${today}`] : []),
    ]
    return [...all.map((parts) => parts.filter((part) => part !== '').join('&')), ...pages].map(
      (query) => `${at}?${query}`,
    )
  })
}

function valuesOf(path: string, { name, schema }: Parameter, sample: Record<string, string>): string[] {
  if (schema.type === 'boolean') return ['true', 'false']
  const words = schema.enum ?? /^\^\(([A-Z_|]+)\)/.exec(schema.pattern ?? '')?.[1]?.split('|')
  // One value, and all of them where the filter takes a list.
  const some = words && (schema.enum ? words.slice(0, 2) : [words[0] ?? '', words.join(',')])
  const values = some ?? [sample[`${path} ${name}`] ?? sample[name]].filter((value) => value !== undefined)
  assert.ok(values.length > 0, `give a sample for the filter ${name} of ${path}`)
  return values.map(encodeURIComponent)
}

describe('upgraded from', () => {
  for (const last of listMigrations().slice(firstVersion - 1, -1)) {
    it(`${last.version} ${last.name}`, async () => {
      const old = await emptyDatabase()
      const sql = openPool(old.url, { max: 1, applicationName: 'test', asApplication: false })
      try {
        await migrateUntil(sql, last.version)
        await copyRows(t.ctx.sql, sql)
        await migrate(old.url)
        await compareLists(old.url)
      } finally {
        await sql.end()
        await old.drop()
      }
    })
  }
})

async function compareLists(databaseUrl: string): Promise<void> {
  const reader = await readerOf(databaseUrl)
  try {
    const wrong: string[] = []
    for (const url of urls) {
      const { status, body } = await reader.get(url)
      if (status !== 200) wrong.push(`${status} ${url}`)
      else assert.deepEqual(body, expected.get(url), url)
    }
    assert.deepEqual(wrong, [])
  } finally {
    await reader.close()
  }
}

/** The schema as it was when this migration was the newest, with the record that its runner left. */
async function migrateUntil(sql: Sql, version: number): Promise<void> {
  await sql`create table schema_migrations (version bigint primary key, name text, md5 text, run_at timestamptz)`
  for (const migration of listMigrations()) {
    if (migration.version > version) break
    await script(sql, readFileSync(migration.file, 'utf8'))
    await sql`insert into schema_migrations values (${migration.version}, ${migration.name}, ${migration.md5}, now())`
  }
}

const ofSession = (column: string) =>
  `(select s.${column} from checkout_sessions s where s.merchant_id = r.merchant_id and s.id = r.session_id)`

/** Columns that are gone, and what the versions that had them wrote there. A dropped column that had no default needs a line here. */
const gone: Record<string, Record<string, string>> = {
  checkout_session_accounts: {
    status: ofSession('status'),
    expires_at: ofSession('expires_at'),
    total_order: ofSession('total_order'),
  },
}

/** What a version wrote: the columns that it had. Those that it had alone get what stands in `gone`, else their default. */
async function copyRows(from: Sql, to: Sql): Promise<void> {
  const columns = (sql: Sql) => sql<{ table: string; columns: string[] }[]>`
    select c.relname as table, array_agg(a.attname::text order by a.attnum) as columns
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'schema_migrations'
    group by c.relname order by c.relname`
  const [news, olds] = await Promise.all([columns(from), columns(to)])
  await to`set session_replication_role = replica`
  // Tables that look into others come last.
  for (const old of olds.toSorted((a, b) => Number(a.table in gone) - Number(b.table in gone))) {
    const both = news.find(({ table }) => table === old.table)?.columns.filter((name) => old.columns.includes(name))
    if (!both) continue
    const [row] = await from<{ rows: string | null }[]>`select json_agg(r)::text as rows from ${from(old.table)} r`
    if (!row?.rows) continue
    const alone = Object.entries(gone[old.table] ?? {}).filter(([name]) => old.columns.includes(name))
    const names = [...both, ...alone.map(([name]) => name)].join(', ')
    const values = [...both, ...alone.map(([, value]) => value)].join(', ')
    await script(
      to,
      `insert into ${old.table} (${names}) overriding system value
       select ${values} from json_populate_recordset(null::${old.table}, $1::text::json) r on conflict do nothing`,
      [row.rows],
    )
  }
}

/** The application as it is now on that database, for the same merchant at the same time. */
async function readerOf(databaseUrl: string) {
  const { publicUrl, masterKey, log, clock } = t.ctx
  const ctx = await buildContext({ databaseUrl, publicUrl, masterKey, log, clock, poolSize: 4 })
  const app = await buildApp(ctx)
  const { apiKey, clientId, clientSecret } = client
  const headers = { 'x-api-key': apiKey, 'user-agent': 'Tests/1.0', 'conomyhq-api-version': versionV2 }
  const signedIn = await app.inject({ method: 'POST', url: '/auth', headers, payload: { clientId, clientSecret } })
  const authorization = `Bearer ${signedIn.json().accessToken}`
  return {
    get: async (url: string) => {
      const answer = await app.inject({ method: 'GET', url, headers: { ...headers, authorization } })
      return { status: answer.statusCode, body: answer.json() as Body }
    },
    close: async () => {
      await app.close()
      await ctx.close()
    },
  }
}
