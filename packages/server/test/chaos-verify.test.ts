/** The reckoning of `npm run chaos` finds what is wrong: each kind of fault, planted by the database's owner into a run that was right. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Sql } from '@pasarela/sql'
import { type Answered, digestOf } from '../../../chaos/client.ts'
import { type Findings, verify } from '../../../chaos/verify.ts'
import { openOwner } from './database.ts'
import { type Body, startTestApp, type TestApp } from './harness.ts'
import { makeShop, ok, pixOf } from './shop.ts'

let t: TestApp
let owner: Sql
const answers: Answered[] = []
const intents = { sessions: ['twin'], minted: [], payments: [], refunds: [] }
let session: Body
let payment: Body

before(async () => {
  t = await startTestApp()
  owner = openOwner(t.databaseUrl, 1)
  const shop = await makeShop(t.client)
  session = note('POST', '/checkout-sessions', await shop.session({ checkoutToken: 'twin' }))
  const path = `/checkout-sessions/${session.id}/payments`
  payment = note('POST', path, await ok(t.client, 'POST', path, pixOf()))
  await t.advance(2_000)
  await t.advance(4_000)
  await t.runJobs()
  note('GET', `/payments/${payment.id}`, await ok(t.client, 'GET', `/payments/${payment.id}`))
})
after(async () => {
  await owner.end()
  await t.close()
})

/** Writes an answer down, as the client does. */
function note(method: string, path: string, body: Body, key?: string): Body {
  const begunMs = answers.length * 10
  answers.push({ method, path, key, status: 200, begunMs, endedMs: begunMs + 5, id: body.id, digest: digestOf(body) })
  return body
}

function reckon(said: readonly Answered[] = answers): Promise<Findings> {
  return verify(t.ctx.sql, said, intents)
}

test('a run that was right has no fault', async () => {
  const { events, ...faults } = await reckon()
  assert.deepEqual(faults, { lost: [], doubled: [], wrong: [] })
  assert.ok(events >= 6)
})

describe('it finds', () => {
  test('an answered write that is not there, or not as it was answered, or older than what was read before', async () => {
    const [first] = answers
    assert.ok(first)
    const cases: [RegExp, Answered[]][] = [
      [/is not there/, [{ ...first, id: 'cs_01k9v3m5x8e2wvq0c7d4n6t1ab' }]],
      [/is not on record/, [{ ...first, digest: 'other' }]],
      [
        /older than an answer before it/,
        answers.map((answer, i) => ({ ...answer, begunMs: -i * 10, endedMs: -i * 10 + 5 })),
      ],
      [
        /is there again/,
        [{ ...first, method: 'DELETE', path: `/checkout-sessions/${session.id}`, id: undefined, digest: undefined }],
      ],
    ]
    for (const [expected, said] of cases) assert.match((await reckon(said)).lost.join('\n'), expected)
  })

  test('one Idempotency-Key with two results', async () => {
    const said = answers.slice(0, 2).map((answer) => ({ ...answer, path: '/x', key: 'k' }))
    assert.match((await reckon(said)).doubled.join(), /k made cs_\w+ and pay_\w+/)
  })

  // Each is planted in turn and stays, so the order is from the outside to the inside.
  const plants: [RegExp, 'doubled' | 'wrong', () => PromiseLike<unknown>][] = [
    [/no place in the log/, 'wrong', () => owner`delete from event_log where position = 2`],
    [/has gaps/, 'wrong', () => owner`select 1`],
    [
      /last event .* is not as it stands/,
      'wrong',
      () => owner`update checkout_sessions set success_url = 'https://x.example'`,
    ],
    [/sessions with the token twin/, 'doubled', twin],
    [/is FINISHED and nothing paid it/, 'wrong', () => owner`update payments set order_key = 'x'`],
    [
      /is SETTLED without its entry/,
      'wrong',
      () =>
        owner`delete from ledger_postings p using ledger_entries e
      where e.id = p.entry_id and e.kind = 'settled'`.then(
          () => owner`delete from ledger_entries where kind = 'settled'`,
        ),
    ],
    [/the ledger: .*balances say/, 'wrong', () => owner`select 1`],
    [
      /has number \d, expected \d/,
      'wrong',
      () => owner`delete from events where stream_id = ${session.id} and sequence = 2`,
    ],
    [
      /: RECEIVED → FAILED/,
      'wrong',
      () => owner`update events set data = (data::jsonb || '{"status":"FAILED"}')::json
      where type = 'payment.settled'`,
    ],
    [
      /the outbox still holds 1/,
      'wrong',
      () => owner`insert into event_outbox (merchant_id, stream_id, sequence, type, created_at)
      values (${t.client.merchantId}, ${session.id}, 1, 'checkout_session.created', now())`,
    ],
  ]
  for (const [expected, kind, plant] of plants) {
    test(String(expected), async () => {
      await plant()
      assert.match((await reckon())[kind].join('\n'), expected)
    })
  }

  /** A second session that one request made. */
  async function twin(): Promise<void> {
    const id = 'cs_01k9v3m5x8e2wvq0c7d4n6t1ab'
    const other = JSON.stringify({
      id,
      root_session_id: id,
      page_token: 'x'.repeat(22),
      deleted_at: '2026-01-01T00:00:00Z',
    })
    await owner`
      insert into checkout_sessions select (json_populate_record(s, (${other}::text)::json)).*
      from checkout_sessions s where id = ${session.id}`
  }
})
