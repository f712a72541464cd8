/** Requests at the edge: odd encodings, addresses, methods and headers are refused in our own words, and never with a 500. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { startTestApp, type TestApp } from '../../test/harness.ts'

let t: TestApp
before(async () => {
  t = await startTestApp()
})
after(() => t.close())

function send(method: string, url: string, headers: Record<string, string> = {}, payload?: string | Buffer) {
  const own = {
    'x-api-key': t.client.apiKey,
    authorization: `Bearer ${t.client.token}`,
    'user-agent': 'Tests/1.0',
    ...headers,
  }
  return t.app.inject({ method: method as 'GET', url, headers: own, ...(payload === undefined ? {} : { payload }) })
}

const identity = {
  name: 'Peña',
  email: 'pena@example.com',
  phone: '+56912345678',
  documentType: 'RUT',
  documentNumber: '12.345.678-5',
  country: 'CHL',
}

describe('bodies', () => {
  const text = JSON.stringify(identity)

  test('in UTF-8 are read whatever the charset parameter says of them', async () => {
    const answer = await send('POST', '/identities', { 'content-type': 'application/json; charset=utf-8' }, text)
    assert.equal(answer.statusCode, 200, answer.body)
    assert.equal(answer.json().name, 'Peña')
  })

  for (const type of ['application/json', 'application/json; charset=iso-8859-1', 'application/json;charset=UTF-8']) {
    test(`in ISO-8859-1 sent as ${type} are 400, and nothing is stored`, async () => {
      const bytes = Buffer.from(text.replace('pena@', 'latin@'), 'latin1')
      const answer = await send('POST', '/identities', { 'content-type': type }, bytes)
      assert.equal(answer.statusCode, 400)
      assert.equal(answer.json().type, 'parsingResource')
      assert.match(answer.json().detail, /not valid UTF-8/)
      assert.equal((await t.client.call('GET', '/identities?email=latin@example.com')).body.pagination.total, 0)
    })
  }

  test('of forms that are not UTF-8 are 400, escaped or not', async () => {
    for (const form of [Buffer.from('firstName=Pe\xf1a', 'latin1'), 'firstName=Pe%F1a', 'firstName=%']) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const answer = await send('POST', `/pay/1-${'a'.repeat(22)}/pay`, headers, form)
      assert.equal(answer.statusCode, 400, String(form))
    }
  })

  for (const url of ['/identities', '/auth', `/pay/1-${'a'.repeat(22)}/pay`, '/notifications/sandbox/con_1']) {
    test(`compressed, of POST ${url}, are 415 and name what is accepted`, async () => {
      for (const encoding of ['gzip', 'br', 'GZIP, identity']) {
        const headers = { 'content-type': 'application/json', 'content-encoding': encoding }
        const answer = await send('POST', url, headers, gzipSync(text))
        assert.equal(answer.statusCode, 415)
        assert.equal(answer.headers['accept-encoding'], 'identity')
        if (answer.headers['content-type']?.includes('json')) {
          assert.equal(answer.json().type, 'unsupportedMediaType')
          assert.match(answer.json().detail, /identity/)
        }
      }
    })
  }

  test('with Content-Encoding identity are read', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'identity' }
    assert.equal((await send('POST', '/identities', headers, '{}')).json().type, 'missingParam')
  })

  test('nested thousands deep in a field that takes anything are 400', async () => {
    for (const depth of [50, 500, 1_000, 5_000, 50_000]) {
      const deep = '["\\u0041",'.repeat(depth / 10) + '['.repeat(depth) + ']'.repeat(depth + depth / 10)
      for (const [nested, headers] of [
        [deep, {}],
        [deep.replaceAll('\\u0041', 'A'), { 'idempotency-key': `deep-${depth}` }],
      ] as const) {
        const body = text.replace('{', `{"bankAccount":{"x":${nested}},`).replace('pena@', `deep${depth}@`)
        const answer = await send('POST', '/identities', { 'content-type': 'application/json', ...headers }, body)
        if (depth < 1_000) assert.ok([200, 409].includes(answer.statusCode), answer.body)
        else assert.match(answer.json().detail, /nested more than 1000 levels/, answer.body)
      }
    }
  })
})
