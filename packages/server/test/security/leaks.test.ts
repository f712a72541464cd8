/**
 * Planted card numbers and secrets reach no log, no event, no stored answer and no error body: a workload with a log at its
 * most talkative, then a search for exactly what was planted, in everything that was written.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { maskSecrets } from '../../src/kit/mask.ts'
import { openLog } from '../../src/platform/log.ts'
import { type Answer, type Body, type Client, startTestApp, type TestApp } from '../harness.ts'
import { makeShop, ok, pixOf, type Shop } from '../shop.ts'

const cards = ['4111111111111111', '5555 5555 5555 4444', '3782-822463-10005', '6011000990139424']
const document = '52998224725'
const planted = {
  apiKey: `pak_sandbox_${'PlantedKey_'.repeat(4)}`,
  clientSecret: `psk_sandbox_${'PlantedSecret_'.repeat(3)}`,
  token: `eyJhbGciOiJub25lIn0.eyJzdWIiOiJwbGFudGVkIn0.${'PlantedSignature'.repeat(2)}`,
}

let t: TestApp
let client: Client
let shop: Shop
let endpoint: Body
const lines: string[] = []
const refusals: { name: string; text: string }[] = []

before(async () => {
  t = await startTestApp({ log: openLog('trace', { write: (line) => void lines.push(line) }) })
  client = t.client
  shop = await makeShop(client)
  endpoint = await ok(client, 'POST', '/webhook-endpoints', {
    url: 'http://127.0.0.1:9/hook',
    format: 'standard',
    eventTypes: ['*'],
  })
  await sell()
  await tryCards()
  await trySecrets()
  await breakDatabase()
  await t.advance(5_000)
})
after(() => t.close())

/** Calls and keeps what was refused. */
async function attempt(name: string, method: string, url: string, body?: unknown, options = {}): Promise<Answer> {
  const answer = await client.call(method, url, body, options)
  if (answer.status >= 400) refusals.push({ name, text: JSON.stringify(answer.body) })
  return answer
}

const sessions: Body[] = []

/** Everything that goes well: sessions, links, payments, refunds, the hosted page. */
async function sell(): Promise<void> {
  for (const scenario of ['normal', 'declined', 'storm', 'wrong_amount']) {
    const session = await shop.session({ customer: { ...payer(), email: `ana+${scenario}@example.com` } })
    sessions.push(session)
    const headers = { 'idempotency-key': `pay-${scenario}` }
    await attempt('pay', 'POST', `/checkout-sessions/${session.id}/payments`, pixOf(`ana+${scenario}@example.com`), {
      headers,
    })
    const { pathname } = new URL(session.url)
    await t.app.inject({ method: 'GET', url: pathname })
    await t.app
      .inject({ method: 'GET', url: `${pathname}/nothing-here` })
      .then((r) => refusals.push({ name: 'page', text: r.body }))
    await t.app.inject({ method: 'POST', url: `${pathname}/open` })
  }
  const link = await ok(client, 'POST', '/payment-links', shop.body({ active: true }))
  sessions.push(
    link,
    await ok(client, 'POST', '/checkout-sessions', { checkoutToken: link.checkoutToken, customer: payer() }),
  )
  await t.advance(2_000)
  await t.advance(4_000)
}

function payer() {
  return {
    firstName: 'Ana',
    lastName: 'Souza',
    email: 'ana@example.com',
    documentType: 'CPF',
    documentNumber: document,
  }
}

/** Card numbers wherever somebody may put one, through every door. */
async function tryCards(): Promise<void> {
  const session = await shop.session({ paymentMethodsAllowed: ['PIX', 'CARD'] })
  const path = `/checkout-sessions/${session.id}/payments`
  for (const [index, card] of cards.entries()) {
    const nodes: object[] = [
      { token: card },
      { token: 'tok_sandbox_approved', pan: card },
      { token: 'tok_sandbox_approved', customer: { ...payer(), firstName: card } },
      { [card]: 'tok' },
      { token: 'tok_sandbox_approved', cvv: '123', number: card },
    ]
    for (const node of nodes) {
      const body = { origins: [{ type: 'CARD', currency: 'BRL', card: node }] }
      const answer = await attempt('card node', 'POST', path, body, { headers: { 'idempotency-key': `card-${index}` } })
      assert.equal(answer.status, 400, JSON.stringify(node))
    }
    const inPath = encodeURIComponent(card)
    await attempt('path', 'GET', `/payments/${inPath}`)
    await attempt('path', 'GET', `/identities/${inPath}`)
    await attempt('unknown path', 'GET', `/nothing/${inPath}`)
    await attempt('query', 'GET', `/payments?status=${inPath}`)
    await attempt('query name', 'GET', `/payments?${inPath}=1`)
    await attempt('field name', 'POST', '/checkout-sessions', { [card]: 1 })
    await attempt('broken JSON', 'POST', '/checkout-sessions', undefined, { raw: `{"pan":"${card}"` })
    await attempt('broken JSON', 'POST', '/checkout-sessions', undefined, { raw: `{"a":${card}x}` })
    await attempt('token', 'POST', `/checkout-sessions/token/${inPath}/refresh`, {})
    await attempt('version', 'GET', '/payments', undefined, { headers: { 'pasarela-version': card } })
  }
}

/** Secrets in their own places and in wrong ones. */
async function trySecrets(): Promise<void> {
  const { apiKey, clientSecret, token } = planted
  const { clientId } = client
  await attempt('auth', 'POST', '/auth', { clientId, clientSecret })
  await attempt('auth', 'POST', '/auth', { clientId: clientSecret, clientSecret }, { headers: { 'x-api-key': apiKey } })
  await attempt('auth', 'POST', '/auth', { clientId, clientSecret, [clientSecret]: 1 })
  await attempt('auth', 'POST', '/auth', undefined, { raw: `{"clientSecret":"${clientSecret}"` })
  await attempt('key', 'GET', '/payments', undefined, { headers: { 'x-api-key': apiKey } })
  await attempt('token', 'GET', '/payments', undefined, { headers: { authorization: `Bearer ${token}` } })
  await attempt('token', 'GET', '/payments', undefined, { headers: { authorization: token } })
  await attempt('query', 'GET', `/payments?apiKey=${apiKey}`)
  await attempt('path', 'GET', `/payments/${token}`)
  await attempt('path', 'GET', `/rules/${apiKey}`)
  await attempt('path', 'GET', `/accounts/${endpoint.secret.replaceAll('/', '%2F')}`)
}

/** A bug of ours: the database refuses a row, and says which. */
async function breakDatabase(): Promise<void> {
  const sql = t.ctx.sql
  await sql.begin(async (tx) => {
    await tx`set local role none`
    await tx`alter table checkout_sessions add constraint planted check (checkout_token not like 'boom%') not valid`
  })
  const customer = { documentNumber: document, documentType: 'CPF' }
  const body = shop.body({ checkoutToken: 'boom-1', customer })
  assert.equal((await attempt('a bug', 'POST', '/checkout-sessions', body)).status, 500)
}

/** What must be found nowhere: card numbers as written and as digits, and secrets. */
function neverAnywhere(): string[] {
  const own = [client.apiKey, client.clientSecret, client.token, endpoint.secret]
  return [...cards, ...cards.map((card) => card.replace(/\D/g, '')), ...Object.values(planted), ...own]
}

function pageTokens(): string[] {
  return sessions.map(
    ({ url }) =>
      new URL(url).pathname
        .split('/')
        .at(-1)
        ?.replace(/^[0-9a-z]+-/, '') ?? assert.fail(),
  )
}

function assertAbsent(text: string, secrets: readonly string[], where: string): void {
  for (const secret of secrets) {
    const at = text.indexOf(secret)
    assert.ok(at === -1, `${where}: …${text.slice(Math.max(0, at - 120), at + secret.length + 20)}…`)
  }
}

describe('what was planted', () => {
  test('is in no line of the log', () => {
    assert.ok(lines.length > 100)
    const log = lines.join('')
    assert.ok(log.includes('"planted"'), 'the bug was logged')
    for (const line of lines) assert.doesNotThrow(() => JSON.parse(line), line)
    assertAbsent(log, [...neverAnywhere(), ...pageTokens(), document], 'log')
  })

  test('is in no refusal', () => {
    assert.ok(refusals.length > 60)
    for (const { name, text } of refusals) assertAbsent(text, [...neverAnywhere(), ...pageTokens(), document], name)
  })

  test('is in no event', async () => {
    const rows = await t.ctx.sql<{ text: string }[]>`select e::text as text from events e`
    assert.ok(rows.length > 20)
    // The payer's document is part of the object that an event tells of.
    for (const { text } of rows) assertAbsent(text, [...neverAnywhere(), ...pageTokens()], 'event')
  })

  test('is in no stored answer, except the address that a repeated create is to answer', async () => {
    const rows = await t.ctx.sql<{ text: string }[]>`select k::text as text from idempotency_keys k`
    assert.ok(rows.length > 3)
    for (const { text } of rows) assertAbsent(text, neverAnywhere(), 'idempotency key')
    const { body } = await client.call('POST', '/checkout-sessions', shop.body(), {
      headers: { 'idempotency-key': 'url-1' },
    })
    const [kept] = await t.ctx.sql<{ body: string }[]>`select body from idempotency_keys where key = 'url-1'`
    assert.equal(JSON.parse(kept?.body ?? '').url, body.url)
  })

  test('is in no table at all, and a page token only where it is looked up', async () => {
    const tables = await t.ctx.sql<{ name: string }[]>`
      select tablename as name from pg_tables where schemaname = 'public'
        and has_table_privilege(format('%I.%I', schemaname, tablename), 'select') order by 1`
    assert.ok(tables.length > 20)
    for (const { name } of tables) {
      const rows = await t.ctx.sql<{ text: string }[]>`select x::text as text from ${t.ctx.sql(name)} x`
      const text = rows.map((row) => row.text).join('\n')
      assertAbsent(text, neverAnywhere(), name)
      const mayHold = ['checkout_sessions', 'payment_links', 'idempotency_keys'].includes(name)
      if (!mayHold) assertAbsent(text, pageTokens(), name)
    }
  })
})

describe('the net under it', () => {
  test('masks card numbers and secrets, and leaves the rest alone', () => {
    for (const secret of [...cards, ...Object.values(planted), client.apiKey, client.token, endpoint.secret]) {
      assert.ok(!maskSecrets(`seen ${secret} here`).includes(secret), secret)
      assert.ok(!maskSecrets(JSON.stringify({ a: secret })).includes(secret), secret)
    }
    const { pathname } = new URL(sessions[0].url)
    assert.ok(!maskSecrets(`GET ${pathname}/x`).includes(pathname))
    const line =
      '{"time":1795349173619,"traceId":"d3488b8a-e95f-46ba-9bc2-f6dcb162d98b","id":"cs_01k9v3m5x8e2wvq0c7d4n6t1ab"}'
    assert.equal(maskSecrets(line), line)
  })
})
