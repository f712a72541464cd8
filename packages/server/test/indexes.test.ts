/** Every documented filter finds its rows by an index: no list reads a merchant's whole table. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { script, type Value } from '@pasarela/sql'
import { foldSessionDeltas } from '../src/checkout-sessions/counts-store.ts'
import { listSessions, sessionSorts } from '../src/checkout-sessions/list-query.ts'
import { newSequencerState, sequenceEvents } from '../src/events/sequence.ts'
import { type Executor, openPool, type Sql, transaction } from '../src/kit/db.ts'
import { idFloor, newId } from '../src/kit/id.ts'
import { readPage } from '../src/kit/page.ts'
import { listLinks } from '../src/payment-links/list-query.ts'
import { claimPaymentsDue } from '../src/payments/find.ts'
import { listPayments, paymentSorts } from '../src/payments/list-query.ts'
import { dispatchEvents } from '../src/webhooks/dispatch.ts'
import { addToQueues, claimQueues } from '../src/webhooks/queue-store.ts'
import { openOwner } from './database.ts'
import { type Client, startTestApp, type TestApp } from './harness.ts'
import { anaPix, makeShop, ok } from './shop.ts'

const rows = 100_000
/** A page may look at this many pages of 8 KB; the tables have several thousand. */
const buffersMax = 500

let t: TestApp
let client: Client
let owner: Sql
let ids: { session: string; payment: string; link: string; identity: string; account: string }
before(async () => {
  t = await startTestApp()
  client = t.client
  const shop = await makeShop(client, ['BRL'])
  const session = await shop.session()
  const payment = await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, anaPix)
  const link = await ok(client, 'POST', '/payment-links', shop.body({ customer: { email: 'ana@example.com' } }))
  await t.advance(1500)
  owner = openPool(t.databaseUrl, {
    max: 1,
    applicationName: 'filler',
    asApplication: false,
    statementTimeoutMs: 60_000,
  })
  await fill(owner, { session: session.id, payment: payment.id, link: link.id })
  ids = {
    session: session.id,
    payment: payment.id,
    link: link.id,
    identity: shop.identityId,
    account: shop.accounts['BRL']?.accountNumber ?? '',
  }
})
after(async () => {
  await owner?.end()
  await t.close()
})

/** Copies one row of each table many times: other ids, owners, accounts and tokens, so that each filter is worth an index. */
async function fill(sql: Sql, of: { session: string; payment: string; link: string }): Promise<void> {
  const id = (prefix: string) => `'${prefix}_0' || lpad(n::text, 25, '0')`
  const identity = `'idn_0' || lpad((n % 5000)::text, 25, '0')`
  const shared = {
    checkout_token: `'token-' || n`,
    page_token: `lpad(n::text, 22, '0')`,
    owner_identity_id: identity,
    items: `'[]'`,
  }
  // References are not what is looked at here, and checking them takes longer than writing the rows.
  await sql`set session_replication_role = replica`
  await copies(sql, 'checkout_sessions', of.session, {
    ...shared,
    id: id('cs'),
    root_session_id: id('cs'),
    status: `case when n % 1000 = 0 then 'FAILED' else 'ATTEMPT' end`,
    expires_at: `o.expires_at + n % 777 * interval '1 hour'`,
    total_order: 'n % 9999',
    order_key: `'cs-' || n`,
    quote: `'{}'`,
    finished_at: 'null',
  })
  await sql`
    insert into checkout_session_accounts (merchant_id, account_number, session_id)
    select s.merchant_id, 'number-' || n % 5000, s.id
    from generate_series(1, ${rows}::int) n join checkout_sessions s on s.merchant_id = ${client.merchantId} and s.id = 'cs_0' || lpad(n::text, 25, '0')`
  await count(sql)
  await copies(sql, 'payments', of.payment, {
    id: id('pay'),
    session_id: id('cs'),
    order_key: `'cs-' || n`,
    identity_id: identity,
    account_number: `'number-' || n % 5000`,
    status: `case when n % 1000 = 0 then 'AUTHORIZED' else 'RECEIVED' end`,
    connector_ref: `'ref-' || n`,
    origin: 'null',
    next_check_at: 'null',
    accepted_at: 'null',
    attention: `case when n % 5000 = 0 then 'Look.' end`,
    refunded_at: 'case when n % 5000 = 1 then o.created_at end',
  })
  await copies(sql, 'payment_links', of.link, {
    ...shared,
    id: id('pl'),
    account_numbers: `array['number-' || n % 5000]`,
    customer: `json_build_object('email', 'payer' || n % 5000 || '@example.com')`,
    status: `case when n % 1000 = 0 then 'FINISHED' else 'ATTEMPT' end`,
  })
  // As autovacuum would: an index-only walk needs pages that are known to be visible.
  await sql`vacuum (analyze) checkout_sessions, checkout_session_accounts, checkout_session_totals, payments, payment_links`
}

/** Counts the rows that no writer has counted. */
async function count(sql: Sql): Promise<void> {
  await sql`
    insert into checkout_session_deltas (merchant_id, created_day, owner_identity_id, account_numbers, status, change)
    select s.merchant_id, s.created_day + n % 300, s.owner_identity_id, array['number-' || n % 5000] || case when n % 5 = 0 then array['platform'] end, s.status, 1
    from generate_series(1, ${rows}::int) n join checkout_sessions s on s.merchant_id = ${client.merchantId} and s.id = 'cs_0' || lpad(n::text, 25, '0')`
  while ((await foldSessionDeltas(sql, 50_000)) > 0);
}

/** Inserts copies of the row `o` numbered `n`, with some columns given as expressions. */
async function copies(sql: Sql, table: string, of: string, given: Record<string, string>): Promise<void> {
  const columns = await sql<{ name: string }[]>`
    select attname as name from pg_attribute where attrelid = ${table}::regclass and attnum > 0 and not attisdropped order by attnum`
  const values = columns.map(({ name }) => given[name] ?? `o.${name}`)
  await script(
    sql,
    `insert into ${table} select ${values.join(', ')} from ${table} o, generate_series(1, ${rows}) n where o.id = $1`,
    [of],
  )
}

type Plan = {
  'Node Type': string
  'Relation Name'?: string
  Plans?: Plan[]
  'Actual Rows': number
  'Shared Hit Blocks': number
  'Shared Read Blocks': number
}

/** The plans of the statements that `run` sends, with the values it sends them with. */
async function plansOf(run: (sql: Executor) => Promise<unknown>, which = /^\s*select/): Promise<Plan[]> {
  const sent: { text: string; values: readonly Value[] }[] = []
  const watched = openOwner(t.databaseUrl, 1)
  watched.seen = (statement) => sent.push(statement)
  try {
    await run(watched)
    const looked = sent.filter(({ text }) => which.test(text))
    return await Promise.all(
      looked.map(async ({ text, values }) => {
        const explained = `explain (analyze, buffers, format json) ${text}`
        const [row] = await script<{ 'QUERY PLAN': [{ Plan: Plan }] }[]>(owner, explained, values)
        const plan = row?.['QUERY PLAN'][0].Plan
        assert.ok(plan, text)
        return plan
      }),
    )
  } finally {
    await watched.end()
  }
}

function scans(plan: Plan): string[] {
  const here = plan['Node Type'] === 'Seq Scan' ? [plan['Relation Name'] ?? ''] : []
  return [...here, ...(plan.Plans ?? []).flatMap(scans)]
}

/** Pages of 8 KB that a plan, or a part of it, looked at. */
const pagesOf = (plan: Plan) => plan['Shared Hit Blocks'] + plan['Shared Read Blocks']

/** The parts of a plan that read this table. */
function scansOf(plan: Plan, table: string): Plan[] {
  const here = plan['Relation Name'] === table && plan['Node Type'].includes('Scan') ? [plan] : []
  return [...here, ...(plan.Plans ?? []).flatMap((part) => scansOf(part, table))]
}

async function check(
  run: (sql: Executor) => Promise<unknown>,
  most = { statements: 5, buffers: buffersMax },
): Promise<void> {
  const plans = await plansOf(run)
  assert.ok(plans.length >= 2 && plans.length <= most.statements, 'the rows, the total, and what to go along')
  for (const plan of plans) {
    assert.deepEqual(scans(plan), [])
    const buffers = pagesOf(plan)
    assert.ok(buffers <= most.buffers, `${buffers} pages read`)
  }
}

describe('checkout sessions', () => {
  const page = (query = {}) => readPage(query, 'checkoutSession', 'America/Santiago', sessionSorts)
  const orders = Object.keys(sessionSorts).flatMap((sort) => [`${sort}:asc`, `${sort}:desc`])
  const filters: Record<string, () => Record<string, string>> = {
    'no filter': () => ({}),
    identityId: () => ({ identityId: ids.identity }),
    'several identityId': () => ({ identityId: `${ids.identity},idn_0${'7'.padStart(25, '0')}` }),
    accountNumber: () => ({ accountNumber: 'number-7' }),
    'several accountNumber': () => ({ accountNumber: `${ids.account},number-7` }),
    status: () => ({ status: 'FAILED,FINISHED' }),
    checkoutToken: () => ({ checkoutToken: 'token-5,token-77777' }),
    'identityId and status': () => ({ identityId: ids.identity, status: 'ATTEMPT' }),
    'accountNumber and status': () => ({ accountNumber: 'number-7', status: 'ATTEMPT' }),
  }
  for (const [name, query] of Object.entries(filters)) {
    for (const sort of orders) {
      it(`${name}, ${sort}`, () => check((sql) => listSessions(sql, client.merchantId, query(), page({ sort }))))
    }
  }
  for (const sort of orders) {
    it(`the 10,000th, ${sort}: its way there reads an index and no rows`, () =>
      check((sql) => listSessions(sql, client.merchantId, {}, page({ sort, offset: 10_000 })), {
        statements: 3,
        buffers: 1000,
      }))
    it(`identityId and accountNumber, ${sort}`, () =>
      check(
        (sql) =>
          listSessions(sql, client.merchantId, { identityId: ids.identity, accountNumber: 'number-7' }, page({ sort })),
        { statements: 5, buffers: buffersMax },
      ))
    it(`startDate and endDate, ${sort}`, () => {
      const days = {
        ...page({ sort }),
        fromId: idFloor('checkoutSession', Date.now() - 60_000),
        beforeId: idFloor('checkoutSession', Date.now() + 60_000),
      }
      return check((sql) => listSessions(sql, client.merchantId, {}, { ...days, fromDay: 20_000, untilDay: 20_001 }))
    })
  }
  it('status with days and after', () => {
    const after = { ...page(), after: ids.session }
    return check((sql) => listSessions(sql, client.merchantId, { status: 'FAILED' }, after))
  })
  it('many values', () => {
    const identityId = Array.from({ length: 100 }, (_, n) => `idn_0${String(n).padStart(25, '0')}`).join()
    return check((sql) => listSessions(sql, client.merchantId, { identityId }, page()), {
      statements: 2,
      buffers: 5000,
    })
  })
})

describe('payments', () => {
  const page = () => readPage({}, 'payment', 'America/Santiago', paymentSorts)
  const filters: Record<string, () => Record<string, unknown>> = {
    identityId: () => ({ identityId: ids.identity }),
    accountNumber: () => ({ accountNumber: `${ids.account},number-7` }),
    checkoutSessionId: () => ({ checkoutSessionId: ids.session }),
    parentPaymentId: () => ({ parentPaymentId: ids.payment }),
    type: () => ({ type: 'REFUND' }),
    status: () => ({ status: 'AUTHORIZED,CREATED' }),
    attention: () => ({ attention: true }),
  }
  for (const [name, query] of Object.entries(filters)) {
    it(name, () => check((sql) => listPayments(sql, client.merchantId, 'v2', query(), page())))
  }
  it('status as v1 reads it', async () => {
    for (const status of ['REFUNDED', 'PENDING', 'PENDING,REFUNDED']) {
      await check((sql) => listPayments(sql, client.merchantId, 'v1', { status }, page()))
    }
  })
})

describe('payment links', () => {
  const page = () => readPage({}, 'paymentLink', 'America/Santiago')
  const filters = {
    id: () => ids.link,
    status: () => 'FINISHED',
    checkoutToken: () => 'token-5,token-77777',
    'destination.accountNumber': () => 'number-7',
    'customer.email': () => 'Payer7@example.com',
    'owner.identityId': () => ids.identity,
  }
  for (const [name, value] of Object.entries(filters)) {
    it(name, () => check((sql) => listLinks(sql, client.merchantId, { [name]: value() }, page())))
  }
})

describe('jobs', () => {
  it('look at nothing but what is due', async () => {
    const due = {
      sessions: owner`select merchant_id, id from checkout_sessions where status in ('ATTEMPT', 'ACTIVE') and deleted_at is null and expires_at <= ${new Date(0)} order by expires_at limit 500`,
      links: owner`select merchant_id, id from payment_links where status in ('ATTEMPT', 'ACTIVE', 'PROCESSING_PAYMENT') and deleted_at is null and expires_at <= ${new Date(0)} order by expires_at limit 500`,
      payments: owner`select merchant_id, id from payments where next_check_at <= ${new Date(0)} order by next_check_at limit 50`,
    }
    for (const [what, query] of Object.entries(due)) {
      const plan = await owner<{ 'QUERY PLAN': [{ Plan: Plan }] }[]>`explain (analyze, buffers, format json) ${query}`
      const root = Object.values(plan[0] ?? {})[0]?.[0]?.Plan
      assert.ok(root, what)
      assert.deepEqual(scans(root), [], what)
      assert.ok(pagesOf(root) < 50, what)
    }
  })

  it('claim what is due by its key, whatever statistics say', async () => {
    const waiting = owner`id < ${`pay_0${'3000'.padStart(25, '0')}`}`
    await owner`update payments set next_check_at = now() + interval '1 hour' where ${waiting}`
    await owner`analyze payments`
    // Now all of them are due, and the planner still believes that none is.
    await owner`update payments set next_check_at = now() - interval '1 second' where ${waiting}`
    const now = new Date()
    const due = { now, leaseMs: 0, merchantId: null, most: 100 }
    const [plan] = await plansOf((sql) => claimPaymentsDue(sql, due), /^\s*with due/)
    assert.ok(plan)
    const buffers = pagesOf(plan)
    assert.ok(buffers < 5_000, `${buffers} pages read to claim 100 payments`)
    // A second claim neither waits for the rows of the first nor takes any of them.
    const both = await transaction(t.ctx.sql, async (first) => [
      ...(await claimPaymentsDue(first, due)),
      ...(await transaction(t.ctx.sql, (second) => claimPaymentsDue(second, due))),
    ])
    assert.equal(new Set(both.map(({ id }) => id)).size, 200)
    await owner`update payments set next_check_at = null, leased_until = null where ${waiting}`
  })

  it('claim queues of webhooks by their keys, whatever statistics say', async () => {
    const { merchantId } = client
    const keys = Array.from({ length: 3000 }, (_, n) => ({
      merchantId,
      endpointId: `whe_0${'7'.padStart(25, '0')}`,
      streamId: `cs_0${String(n).padStart(25, '0')}`,
    }))
    const at = (ms: number) => new Date(Date.now() + ms)
    await owner`analyze webhook_queues`
    await addToQueues(
      owner,
      keys.map((key) => ({ ...key, pending: 1 })),
      at(3_600_000),
    )
    await owner`analyze webhook_queues`
    await owner`update webhook_queues set due_at = ${at(-1000)} where merchant_id = ${merchantId}`
    const claimed = { now: at(0), leasedUntil: at(60_000) }
    const [plan] = await plansOf((sql) => claimQueues(sql, keys.slice(0, 64), claimed), /^\s*with due/)
    assert.ok(plan)
    const buffers = pagesOf(plan)
    assert.ok(buffers < 2_500, `${buffers} pages read to claim 64 queues`)
    await owner`delete from webhook_queues where merchant_id = ${merchantId}`
  })

  it('place events without walking over those that were placed, although somebody reads an older state', async () => {
    const reader = openOwner(t.databaseUrl, 1)
    try {
      await reader.begin(async (snapshot) => {
        await snapshot`set transaction isolation level repeatable read`
        await snapshot`select 1 from event_outbox limit 1`
        const state = newSequencerState()
        const arrive = async (count: number) => {
          const rows = await owner<{ arrival: bigint }[]>`
            insert into event_outbox (merchant_id, stream_id, sequence, type, created_at)
            select ${client.merchantId}, ${newId('checkoutSession', 1)}, n, 'checkout_session.created', now()
            from generate_series(1, ${count}::int) n returning arrival`
          return rows.at(-1)?.arrival ?? 0n
        }
        let last = 0n
        for (let round = 0; round < 50; round++) {
          last = await arrive(400)
          await dispatchEvents(t.ctx, state)
        }
        // Transactions of other tests may keep it from moving on for a while.
        for (const deadline = Date.now() + 20_000; state.walk.begin < last; ) {
          assert.ok(Date.now() < deadline, 'the walk does not move on')
          await arrive(1)
          await dispatchEvents(t.ctx, state)
        }
        assert.equal((await owner`select 1 from event_outbox limit 1`).length, 0)
        await owner`analyze event_outbox`
        await arrive(3)
        // Rolled back, so that they wait still when the plan is looked at.
        const attempt = async (sql: Executor) => {
          const round = transaction(sql as Sql, async (tx) => {
            await sequenceEvents(tx, state, 500)
            throw new Error('enough')
          })
          await assert.rejects(round, /enough/)
        }
        const [plan] = await plansOf(attempt, /^\s*with next/)
        assert.ok(plan)
        const read = scansOf(plan, 'event_outbox')
        assert.deepEqual(
          read.map((scan) => scan['Actual Rows']),
          [3, 3],
        )
        const buffers = read.map(pagesOf)
        assert.ok(Math.max(...buffers) < 20, `${buffers} pages read to find 3 events behind 20,000 that were placed`)
      })
    } finally {
      await reader.end()
    }
  })
})
