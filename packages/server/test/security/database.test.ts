/** Least privilege in the database: what the application's role cannot do, and that every statement stays with its merchant. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { script } from '@pasarela/sql'
import { openPool, type Sql } from '../../src/kit/db.ts'
import { migrate } from '../../src/kit/migrate.ts'
import { type FreshDatabase, freshDatabase, openOwner } from '../database.ts'

let database: FreshDatabase
let app: Sql
let owner: Sql
before(async () => {
  database = await freshDatabase()
  app = openPool(database.url, { max: 1, applicationName: 'security test' })
  owner = openOwner(database.url, 1)
})
after(async () => {
  await app.end()
  await owner.end()
  await database.drop()
})

describe('the role of the application', () => {
  test('is no superuser, owns nothing, makes nothing, and cannot log in by itself', async () => {
    const [role] = await app`
      select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication, rolcanlogin from pg_roles where rolname = current_user`
    assert.deepEqual(Object.values(role ?? {}), [false, false, false, false, false, false])
    const [owned] = await app<
      { count: number }[]
    >`select count(*)::int as count from pg_class where relowner = current_user::regrole`
    assert.equal(owned?.count, 0)
    await refused('create table mine (a int)')
    await refused('create schema mine')
    await refused('truncate events')
    await refused('alter table payments drop column status')
    await refused("copy payments to '/tmp/x'")
    await refused("select pg_read_file('PG_VERSION')")
  })

  test('cannot rewrite history: no UPDATE, DELETE or TRUNCATE of ledger, events and decisions', async () => {
    for (const table of ['ledger_entries', 'ledger_postings', 'events', 'payment_resolutions']) {
      await refused(`update ${table} set merchant_id = merchant_id`)
      await refused(`delete from ${table}`)
      await refused(`truncate ${table}`)
    }
    await refused('update event_log set position = position')
    await refused('update checkout_session_accounts set account_number = account_number')
    await refused('delete from payments')
    await refused('delete from checkout_sessions')
    await refused('delete from payment_links')
    await refused('delete from accounts')
    await refused('delete from identities')
    await refused('delete from merchants')
    await refused('delete from api_clients')
    await refused('update sealed_keys set sealed = sealed')
    await refused('delete from sealed_keys')
    await refused('select * from schema_migrations')
  })

  test('has no right beyond the list, which a new migration must change knowingly', async () => {
    const rows = await owner<{ name: string; rights: string }[]>`
      select table_name as name, string_agg(lower(privilege_type), ' ' order by privilege_type) as rights
      from information_schema.role_table_grants where grantee = 'pasarela_app' group by table_name order by table_name`
    const deletable = rows.filter(({ rights }) => rights.includes('delete')).map(({ name }) => name)
    const kept = [
      'accounts',
      'api_clients',
      'checkout_sessions',
      'events',
      'identities',
      'ledger_entries',
      'ledger_postings',
      'payments',
    ]
    for (const name of kept) assert.ok(!deletable.includes(name), `${name} may be deleted from`)
    for (const { name, rights } of rows) assert.doesNotMatch(rights, /truncate|references|trigger/, name)
  })

  test('with a login that is only its member, as SECURITY.md advises, there is no way out of it', async () => {
    const login = `pasarela_run_${process.pid}`
    await script(
      owner,
      `create role ${login} login password 'x' in role pasarela_app; grant select on schema_migrations to ${login}`,
    )
    const url = new URL(database.url)
    url.username = login
    url.password = 'x'
    const run = openPool(url.href, { max: 1, applicationName: 'security test' })
    try {
      assert.deepEqual(await migrate(url.href), [], 'it starts: nothing is pending')
      await run`reset role`
      for (const statement of ['delete from events', 'update ledger_postings set number = 2', 'set role postgres'])
        await assert.rejects(() => script(run, statement), /permission denied|does not exist/)
    } finally {
      await run.end()
      await script(owner, `drop owned by ${login}; drop role ${login}`)
    }
  })

  async function refused(statement: string): Promise<void> {
    await assert.rejects(
      () => script(app, statement),
      (error: { code?: string }) => error.code === '42501',
      statement,
    )
  }
})

const src = fileURLToPath(new URL('../../src/', import.meta.url))

/** Statements that serve all merchants at once, or find out which merchant it is. File → function → why. */
const overMerchants: Record<string, Record<string, string>> = {
  'access/find.ts': { findMerchant: 'the merchant itself is named' },
  'access/store.ts': {
    insertMerchant: 'makes the merchant',
    listMerchants: 'for the operator at the machine',
    updateTimeZone: 'the merchant itself is named',
    advanceMerchantClock: 'the merchant itself is named',
    listMovedClocks: 'a job over all merchants',
    findClientByApiKeyHash: 'the key is what tells the merchant',
    findMerchantIdByClient: 'the operator names a client by its id alone',
  },
  'events/store.ts': {
    isOutboxFilled: 'the sequencer works over all merchants',
  },
  'identities/store.ts': { lockFamilyTree: 'the merchant itself is named' },
  'connections/store.ts': { findConnectionById: 'the connection is what tells the merchant' },
  'late-money/store.ts': {
    findPolicies: 'the merchant itself is named',
    updateDefaultPolicy: 'the merchant itself is named',
  },
  'ledger/store.ts': { sides: 'the check of the whole ledger' },
  'webhooks/delivery-store.ts': { insertDeliveries: 'a batch insert; the rows hold the merchant' },
  'webhooks/queue-store.ts': { findDueQueues: 'a claim over all merchants' },
  'webhooks/retention-store.ts': { listMerchantsWithEvents: 'a job over all merchants' },
}

type Statement = { file: string; name: string; text: string }

/** Every SQL statement of the source with the function it stands in. */
function statements(): Statement[] {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /(store|find|checks|-part|list-query)\.ts$/.test(file) && !file.endsWith('.test.ts'),
  )
  return files.flatMap((file) => {
    const text = readFileSync(src + file, 'utf8')
    const starts = [...text.matchAll(/^(?:export )?(?:async )?function (\w+)|^const (\w+) = \(/gm)]
    return starts.flatMap((start, index) => {
      const name = start[1] ?? start[2] ?? ''
      const whole = text.slice(start.index, starts[index + 1]?.index ?? text.length)
      return sqlIn(whole).map((sql) => ({ file, name, text: withParts(sql, whole) }))
    })
  })
}

/** The outermost SQL templates of a piece of code; what is put into them belongs to them. */
function sqlIn(code: string): string[] {
  const found: string[] = []
  for (let at = 0; ; ) {
    const start = /\b(?:sql|tx)(?:<[^`]*?>)?`/.exec(code.slice(at))
    if (!start) return found
    const begin = at + start.index + start[0].length
    const end = endOfTemplate(code, begin)
    found.push(code.slice(begin, end))
    at = end + 1
  }
}

/** The statement with the pieces of SQL that its function put into variables. */
function withParts(sql: string, whole: string): string {
  return sql.replace(/\$\{(\w+)\}/g, (put, name) => {
    const start = new RegExp(`const ${name} = sql(?:<[^\`]*?>)?\``).exec(whole)
    if (!start) return put
    const begin = start.index + start[0].length
    return whole.slice(begin, endOfTemplate(whole, begin))
  })
}

/** Whether it holds its rows to a merchant: compares the column, joins by it, or writes it. */
function namesMerchant(text: string): boolean {
  const compares = /\bmerchant_id\s*=|\(merchant_id\b|\bmerchant_id, [\w, ]+\) in\b/i.test(text)
  return compares || (/^\s*insert into/i.test(text) && /\bmerchant_id\b/.test(text))
}

function endOfTemplate(code: string, begin: number): number {
  let depth = 0
  for (let i = begin; i < code.length; i++) {
    if (code.startsWith('${', i)) depth += 1
    else if (code[i] === '}' && depth > 0) depth -= 1
    else if (code[i] === '`' && depth === 0) return i
    else if (code[i] === '`') i = endOfTemplate(code, i + 1)
  }
  throw new Error('a template does not end')
}

describe('SQL', () => {
  test('every statement on a table of merchants names merchant_id, or is on the list with its reason', async () => {
    const rows = await owner<{ name: string }[]>`
      select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'merchant_id'`
    const tables = [...rows.map((row) => row.name), 'merchants']
    const all = statements()
    assert.ok(all.length > 80, `only ${all.length} statements were found`)
    const touched = new RegExp(`\\b(?:from|join|update|into|using)\\s+(?:${tables.join('|')})\\b`, 'i')
    const silent = all.filter(({ text }) => touched.test(text) && !namesMerchant(text))
    const excused = ({ file, name }: Statement) => name in (overMerchants[file] ?? {})
    assert.deepEqual(
      silent.filter((statement) => !excused(statement)).map(({ file, name }) => `${file} ${name}`),
      [],
    )
    const used = new Set(silent.map(({ file, name }) => `${file} ${name}`))
    const known = Object.entries(overMerchants).flatMap(([file, names]) =>
      Object.keys(names).map((name) => `${file} ${name}`),
    )
    assert.deepEqual(
      known.filter((name) => !used.has(name)),
      [],
      'these need no excuse any more',
    )
  })

  test('no statement is put together from text, but for names of our own: columns and parts of statements', () => {
    const withNames = [
      'checkout-sessions/move-part.ts',
      'checkout-sessions/store.ts',
      'events/append-part.ts',
      'platform/idempotency-part.ts',
      'ledger/post-part.ts',
      'payments/write-part.ts',
    ]
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
      (file) =>
        file.endsWith('.ts') &&
        !file.endsWith('.test.ts') &&
        !/^(kit\/(migrate|application-role|grants|embedded-postgres|postgres|sql|statement)|commands\/)/.test(file),
    )
    const unsafe = files.filter((file) => /\bscript\(|\braw\(/.test(readFileSync(src + file, 'utf8')))
    assert.deepEqual(unsafe.sort(), withNames.sort())
  })

  test('every primary key and unique index of a merchant’s table begins with merchant_id, but for three that find the merchant', async () => {
    const rows = await owner<{ name: string }[]>`
      select i.indexrelid::regclass::text as name from pg_index i
      join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
      join pg_attribute m on m.attrelid = c.oid and m.attname = 'merchant_id'
      where i.indisunique and i.indkey[0] <> m.attnum order by 1`
    assert.deepEqual(
      rows.map((row) => row.name),
      ['api_clients_api_key', 'api_clients_id', 'connections_id'],
    )
  })
})
