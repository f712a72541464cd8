/** No statement reads or changes rows of merchants that it does not name, but those that are listed here, each with its reason. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openPool, type Sql } from '../src/kit/db.ts'
import { startTestApp, type TestApp } from './harness.ts'
import { crossedTables } from './plans.ts'
import { cameFrom, oneLine, type SqlTemplate, templatesOf } from './sql-templates.ts'
import { useEverything } from './use-everything.ts'

let t: TestApp
let owner: Sql
let recorded: Map<string, number[]>
let templates: SqlTemplate[]
let merchantTables: string[]

const src = fileURLToPath(new URL('../src/', import.meta.url))

before(async () => {
  t = await startTestApp()
  recorded = recordStatements(t.ctx.sql)
  await useEverything(t)
  owner = openPool(t.databaseUrl, { max: 1, applicationName: 'plans', asApplication: false })
  await owner`set plan_cache_mode = force_generic_plan`
  const sources = globSync('**/*.ts', { cwd: src, exclude: ['**/*.test.ts'] }).sort()
  templates = sources
    .filter((path) => !/^(?:kit|commands)\//.test(path) || path === 'platform/idempotency-store.ts')
    .flatMap((path) => templatesOf(path, readFileSync(src + path, 'utf8')))
    .filter((template) => template.isStatement)
  const tables = await owner<{ name: string }[]>`
    select attrelid::regclass::text as name from pg_attribute join pg_class c on c.oid = attrelid
    where attname = 'merchant_id' and relnamespace = 'public'::regnamespace and relkind = 'r'`
  merchantTables = tables.map((row) => row.name)
})
after(async () => {
  await owner?.end()
  await t.close()
})

/** Text of every statement that a pool sends from now on → the types of its parameters. */
function recordStatements(sql: Sql): Map<string, number[]> {
  const sent = new Map<string, number[]>()
  // No type is declared: where one matters, the text has a cast.
  sql.seen = ({ text, values }) =>
    sent.set(
      text,
      values.map(() => 0),
    )
  return sent
}

test('every statement of the stores is in the record of a walk through the product', () => {
  const texts = [...recorded.keys()]
  assert.ok(templates.length > 120, `only ${templates.length}`)
  const unseen = templates.filter((template) => !texts.some((text) => cameFrom(text, template)))
  assert.deepEqual(
    [...new Set(unseen.map((template) => template.place))],
    [],
    'send them in use-everything.ts, so that they can be looked at',
  )
})

/** THE LIST of statements that reach rows of merchants whom they do not name. */
const crossing: Record<string, string> = {
  'access/store.ts findClientByApiKeyHash': 'a secret that is unique over all merchants tells the merchant',
  'access/store.ts findMerchantIdByClient': 'an operator names a client by its id alone',
  'connections/store.ts findConnectionById': "a provider's notice names its connection before the merchant is known",
  'events/store.ts isOutboxFilled': 'the sequencer works for all merchants',
  'events/store.ts moveIntoLog': 'the sequencer works for all merchants',
  'checkout-sessions/store.ts moveSessionsDue': 'the claim of a job',
  'payment-links/store.ts moveLinksDue': 'the claim of a job',
  'payments/find.ts claimPaymentsDue': 'the claim of a job',
  'notices/store.ts claimNoticesDue': 'the claim of a job',
  'sandbox/store.ts claimNoticesToSend': 'the claim of a job',
  'webhooks/queue-store.ts findDueQueues': 'the claim of a job',
  'webhooks/queue-store.ts findDueQueuesBeside': 'the claim of a job',
  'ledger/store.ts foldDeltas': 'a job that folds what all merchants appended',
  'checkout-sessions/counts-store.ts foldSessionDeltas': 'a job that folds what all merchants appended',
  'notices/store.ts deleteOldNotices': 'a job that deletes what is old',
  'platform/idempotency-store.ts deleteOldKeys': 'a job that deletes what is old',
  'ledger/store.ts findWrongBalances': 'the doctor reads everything',
  'ledger/store.ts findUnbalanced': 'the doctor reads everything',
  'checkout-sessions/checks.ts findWrongTotals': 'the doctor reads everything',
  'checkout-sessions/checks.ts findWrongCounts': 'tests read everything',
  'checkout-sessions/checks.ts findWrongAccountRows': 'tests read everything',
}

test('no statement crosses merchants but the named ones, and every one that is named does', async () => {
  const found = new Set<string>()
  for (const [text, types] of recorded) {
    const place = placeOf(text)
    if (place === undefined) continue
    const crossed = await crossedTables(owner, { text, types }, merchantTables)
    if (crossed.length > 0) found.add(place)
    if (crossed.length > 0 && !crossing[place]) console.log(`${place} reaches all of ${crossed.join(', ')}`)
  }
  assert.deepEqual([...found].sort(), Object.keys(crossing).sort())
})

/** The function whose statement this is: of several templates that fit from the beginning, the longest. Undefined: of a test. */
function placeOf(text: string): string | undefined {
  const length = (template: SqlTemplate) => template.chunks.join('').length
  const begins = (template: SqlTemplate) =>
    oneLine(text)
      .trim()
      .startsWith(template.chunks[0] ?? '')
  const fitting = templates.filter((template) => begins(template) && cameFrom(text, template))
  return fitting.sort((a, b) => length(b) - length(a))[0]?.place
}

describe('a statement that crosses merchants is found', () => {
  const planted: Record<string, [string, string[]]> = {
    'a read by an id alone': ['select * from payments where id = $1', ['payments']],
    'a join that forgets one side': [
      'select 1 from payments p join checkout_sessions s on s.id = p.session_id where p.merchant_id = $1',
      ['checkout_sessions'],
    ],
    'a join that holds two tables by each other alone': [
      'select 1 from payments p join checkout_sessions s on s.merchant_id = p.merchant_id and s.id = p.session_id where p.id = $1',
      ['checkout_sessions', 'payments'],
    ],
    'a merchant beside an OR': [
      'update payments set attention = null where id = $1 and (merchant_id = $2 or attention is null)',
      ['payments'],
    ],
    'a subquery': [
      'select 1 from payments where merchant_id = $1 and session_id in (select session_id from checkout_session_accounts where account_number = $2)',
      ['checkout_session_accounts'],
    ],
    'a delete inside of a statement': [
      'with gone as (delete from sandbox_notices where payment_id = $1 returning merchant_id) select * from gone',
      ['sandbox_notices'],
    ],
  }
  for (const [what, [text, tables]] of Object.entries(planted)) {
    test(what, async () => {
      const types = Array.from({ length: text.includes('$2') ? 2 : 1 }, () => 0)
      assert.deepEqual((await crossedTables(owner, { text, types }, merchantTables)).sort(), tables)
    })
  }

  test('and one that names it is not', async () => {
    const named = [
      'select 1 from payments p join checkout_sessions s on s.merchant_id = p.merchant_id and s.id = p.session_id where s.merchant_id = $1',
      'update payments p set attention = null from json_to_recordset($1::json) as k (merchant_id int, id text) where p.merchant_id = k.merchant_id and p.id = k.id',
    ]
    for (const text of named) assert.deepEqual(await crossedTables(owner, { text, types: [0] }, merchantTables), [])
  })
})

test('no statement finds rows by their physical place, which changes when a row is updated', () => {
  assert.deepEqual([...recorded.keys()].filter((text) => /\b(?:ctid|tableoid)\b/.test(text)).map(placeOf), [])
})

test('rows that draw their number in the outbox, and rows that are counted, do so in an order that the statement states', () => {
  const queueing = [...recorded.keys()].filter((text) => /insert into event_outbox\b/.test(text))
  assert.ok(queueing.length > 0, 'no recorded statement queues events')
  const stated = /insert into event_outbox \([^)]*\)\s+select \* from \w+ order by merchant_id, stream_id, sequence\b/
  const unstated = /row_number\(\) over \((?![^)]*order by)/
  const wrong = [
    ...queueing.filter((text) => !stated.test(text)),
    ...[...recorded.keys()].filter((text) => unstated.test(text)),
  ]
  assert.deepEqual(wrong.map(placeOf), [])
})
