/** Who gets in, and who does not. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { SignJWT } from 'jose'
import { type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { createClient, createMerchant, listClients, revokeClient, rotateClient } from './manage-clients.ts'

let t: TestApp
let client: Client
before(async () => {
  t = await startTestApp()
  client = t.client
})
after(() => t.close())

const anonymous = { authorization: undefined, 'x-api-key': undefined }

describe('POST /auth', () => {
  const signIn = (change: object = {}, headers: Record<string, string | undefined> = {}) =>
    client.call(
      'POST',
      '/auth',
      { clientId: client.clientId, clientSecret: client.clientSecret, ...change },
      { headers: { authorization: undefined, ...headers } },
    )

  it('200: a bearer token for an hour, without a User-Agent', async () => {
    const answer = await signIn({}, { 'user-agent': undefined })
    assert.equal(answer.status, 200)
    assert.equal(answer.body.tokenType, 'Bearer')
    assert.equal(answer.body.expiresIn, 3600)
    const read = await client.call('GET', '/identities', undefined, {
      headers: { authorization: `Bearer ${answer.body.accessToken}` },
    })
    assert.equal(read.status, 200)
  })
  it('400: what is missing is named', async () => {
    const answer = await signIn({ clientSecret: undefined })
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.body.errors, [{ pointer: '/clientSecret', detail: 'is required' }])
    assert.equal(answer.body.type, 'missingParam')
  })
  it('401: a wrong secret, a wrong id, a key of nobody, no key', async () => {
    for (const answer of [
      await signIn({ clientSecret: 'psk_sandbox_wrong' }),
      await signIn({ clientId: 'client_00000000000000000000000000' }),
      await signIn({}, { 'x-api-key': 'pak_sandbox_wrong' }),
      await signIn({}, { 'x-api-key': undefined }),
    ]) {
      assert.equal(answer.status, 401)
      assert.equal(answer.body.code, '41')
    }
  })
  it("401: another client's key with these credentials", async () => {
    const other = await t.newMerchant()
    assert.equal((await signIn({}, { 'x-api-key': other.apiKey })).status, 401)
  })
})

describe('every other operation', () => {
  const get = (headers: Record<string, string | undefined>) => client.call('GET', '/identities', undefined, { headers })

  it('401: without a key, without a token, with neither', async () => {
    for (const headers of [
      { 'x-api-key': undefined },
      { authorization: undefined },
      anonymous,
      { authorization: 'Basic abc' },
    ]) {
      assert.equal((await get(headers)).status, 401)
    }
  })
  it('401: key and token of different clients', async () => {
    const other = await t.newMerchant()
    assert.equal((await get({ 'x-api-key': other.apiKey })).status, 401)
  })
  it('401: a token signed with another key, and one without a signature', async () => {
    const forged = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('pasarela')
      .setSubject(client.clientId)
      .setExpirationTime('1h')
      .sign(new Uint8Array(32))
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const unsigned = `${part({ alg: 'none' })}.${part({ iss: 'pasarela', sub: client.clientId, exp: 9_999_999_999 })}.`
    for (const token of [forged, unsigned, 'nonsense'])
      assert.equal((await get({ authorization: `Bearer ${token}` })).status, 401)
  })
  it('400: without a User-Agent', async () => {
    const answer = await get({ 'user-agent': '' })
    assert.equal(answer.status, 400)
    assert.equal(answer.body.errors[0].pointer, '/headers/user-agent')
  })
  it('the version is echoed: none is v1, both headers can ask for v2, anything else is 400', async () => {
    const none = await get({ 'conomyhq-api-version': undefined })
    assert.equal(none.headers['conomyhq-api-version'], '')
    assert.equal((await get({ 'conomyhq-api-version': '' })).status, 200)
    const alias = await get({ 'conomyhq-api-version': undefined, 'pasarela-version': '24-04-2025' })
    assert.equal(alias.headers['conomyhq-api-version'], '24-04-2025')
    const unknown = await get({ 'conomyhq-api-version': '01-01-2020' })
    assert.equal(unknown.status, 400)
    assert.equal(unknown.body.errors[0].pointer, '/headers/conomyhq-api-version')
  })
  it('every answer names its trace, and a refusal repeats it', async () => {
    const answer = await get(anonymous)
    assert.equal(answer.headers['x-trace-id'], answer.body.traceId)
  })
})

describe('/sandbox', () => {
  it('serves the whole API to sandbox merchants, and 403 to live ones', async () => {
    assert.equal((await client.call('GET', '/sandbox/identities')).status, 200)
    const live = await t.newMerchant('live')
    assert.equal((await live.call('GET', '/sandbox/identities')).status, 403)
    assert.equal((await live.call('GET', '/identities')).status, 200)
  })
  it('what exists for testing alone is 404 to live merchants', async () => {
    const live = await t.newMerchant('live')
    assert.equal((await live.call('POST', '/payments/received', { id: 'pay_0' })).status, 404)
  })
})

describe('the rate limit', () => {
  it('429 with Retry-After for a client that has one; none for a client without', async () => {
    const merchant = await createMerchant(t.ctx.sql, { name: 'Limited', mode: 'sandbox' })
    const limited = await createClient(t.ctx.sql, { merchantId: merchant.id, name: 'limited', requestsPerSecond: 5 })
    const signedIn = await client.call(
      'POST',
      '/auth',
      { clientId: limited.clientId, clientSecret: limited.clientSecret },
      { headers: { 'x-api-key': limited.apiKey, authorization: undefined } },
    )
    const headers = { 'x-api-key': limited.apiKey, authorization: `Bearer ${signedIn.body.accessToken}` }
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => client.call('GET', '/identities', undefined, { headers })),
    )
    const refused = answers.filter((answer) => answer.status === 429)
    assert.ok(refused.length > 0)
    assert.equal(refused[0]?.headers['retry-after'], '1')
    assert.equal(refused[0]?.body.code, '32')
    const unlimited = await Promise.all(Array.from({ length: 60 }, () => client.call('GET', '/identities')))
    assert.ok(unlimited.every((answer) => answer.status === 200))
  })
})

describe('credentials', () => {
  it('are hashes in the database, and shown by no list', async () => {
    const [row] = await t.ctx.sql`select * from api_clients where id = ${client.clientId}`
    const stored = JSON.stringify({ row, listed: await listClients(t.ctx.sql, client.merchantId) })
    assert.ok(!stored.includes(client.clientSecret) && !stored.includes(client.apiKey))
  })
  it('a rotated client has new ones; its tokens live out their hour, then end', async () => {
    const other = await t.newMerchant()
    const read = (apiKey: string) =>
      t.app.inject({
        url: '/identities',
        headers: { 'x-api-key': apiKey, authorization: `Bearer ${other.token}`, 'user-agent': 'Tests/1.0' },
      })
    const fresh = await rotateClient(t.ctx.sql, other.clientId)
    await t.advance(5_000)
    assert.equal((await read(other.apiKey)).statusCode, 401)
    assert.equal((await read(fresh.apiKey)).statusCode, 200)
    await t.advance(3_600_000)
    const expired = await read(fresh.apiKey)
    assert.equal(expired.statusCode, 401)
    assert.match(expired.json().detail, /expired/)
  })
  it('a revoked client is refused within five seconds, and cannot be revoked twice', async () => {
    const other = await t.newMerchant()
    assert.equal((await other.call('GET', '/identities')).status, 200)
    await revokeClient(t.ctx.sql, other.clientId)
    await t.advance(5_000)
    assert.equal((await other.call('GET', '/identities')).status, 401)
    await assert.rejects(revokeClient(t.ctx.sql, other.clientId), /revoked already/)
    await assert.rejects(rotateClient(t.ctx.sql, other.clientId), /revoked/)
  })
})
