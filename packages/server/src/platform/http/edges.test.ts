/** Requests at the edge: odd encodings, addresses, methods and headers are refused in our own words, and never with a 500. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { startTestApp, type TestApp } from '../../../test/harness.ts'
import { versionV2 } from '../../access/caller.ts'
import { listRoutes } from './openapi.ts'

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

describe('addresses', () => {
  const token = 'a'.repeat(22)
  for (const path of [
    '/pay/%E4%B8%AD/x',
    '/link/%E4%B8%AD/x',
    '/pay/%E4%B8%AD',
    '/pay/1-x/return',
    `/brand-logos/zzzzzz-${token}`,
  ]) {
    test(`GET ${path} is 404`, async () => {
      assert.equal((await send('GET', path)).statusCode, 404)
    })
  }

  test('of every route, with every odd value in every place, are never 500', async () => {
    const odd = [
      '%E4%B8%AD',
      '%FF',
      '%00',
      '%',
      '%0D%0Ax:%20y',
      '\u4e2d',
      `zzzzzz-${token}`,
      `1-${token}`,
      '999999999999999999999',
      '-1',
      `idn_${'z'.repeat(26)}`,
      '..%2f..%2f',
      'a'.repeat(200),
      'é'.repeat(199),
      'a'.repeat(5_000),
    ]
    let sent = 0
    for (const { method, url } of listRoutes(t.app).filter(({ url }) => /[:*]/.test(url))) {
      for (const value of odd) {
        const path = url.replaceAll(/:\w+|\*/g, value)
        for (const place of [path, `${path}?lang=${value}&method=${value}&v=${value}`]) {
          const headers = {
            cookie: `draft=${value.slice(0, 50)}; lang=${value.slice(0, 50)}`.replaceAll(/[^\x21-\x7e ]/g, ''),
          }
          const answer = await send(method, place, headers)
          assert.ok(
            answer.statusCode < 500,
            `${method} ${place.slice(0, 100)}: ${answer.statusCode} ${answer.body.slice(0, 200)}`,
          )
          sent += 1
        }
      }
    }
    assert.ok(sent > 1_000, `${sent}`)
  })
})

describe('methods', () => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND']

  test('that a known path does not take are 405, and Allow names those that it takes', async () => {
    for (const [method, path, allow] of [
      ['PUT', '/checkout-sessions', 'GET, HEAD, POST'],
      ['OPTIONS', '/checkout-sessions', 'GET, HEAD, POST'],
      ['QUERY', '/sandbox/checkout-sessions/', 'GET, HEAD, POST'],
      ['PUT', '/payments/received', 'GET, HEAD, POST'],
      ['OPTIONS', '/auth', 'POST'],
      ['POST', `/pay/1-${'a'.repeat(22)}`, 'GET, HEAD'],
      ['DELETE', '/sandbox/bank/1-abc', 'GET, HEAD'],
    ] as const) {
      const answer = await send(method, path, { 'content-type': 'application/json', authorization: '' }, '{"a":')
      assert.equal(answer.statusCode, 405, `${method} ${path}: ${answer.body}`)
      assert.equal(answer.headers.allow, allow, path)
      assert.equal(answer.json().type, 'methodNotAllowed')
      assert.equal(answer.headers['cache-control'], 'no-store')
    }
  })

  test('on paths that do not exist are 404, whatever body they have', async () => {
    for (const method of methods) {
      for (const type of [undefined, 'application/json', 'text/x', '/']) {
        const answer = await send(method, '/nowhere/at/all', type ? { 'content-type': type } : {}, '{')
        assert.equal(answer.statusCode, 404, `${method} ${type}`)
        assert.equal(answer.headers.allow, undefined)
      }
    }
  })

  test('every method on every route is below 500', async () => {
    for (const url of new Set(listRoutes(t.app).map((route) => route.url))) {
      for (const method of methods) {
        const answer = await send(method, url.replaceAll(/:\w+|\*/g, 'x'))
        assert.ok(answer.statusCode < 500, `${method} ${url}: ${answer.statusCode} ${answer.body}`)
      }
    }
  })
})

describe('the version', () => {
  for (const [ours, alias, status] of [
    [versionV2, versionV2, 200],
    [versionV2, '', 200],
    ['', versionV2, 200],
    [versionV2, 'garbage', 400],
    ['garbage', versionV2, 400],
    ['', 'garbage', 400],
  ] as const) {
    test(`"${ours}" with the alias "${alias}" is ${status}`, async () => {
      const answer = await send('GET', '/payments', { 'conomyhq-api-version': ours, 'pasarela-version': alias })
      assert.equal(answer.statusCode, status)
      if (status === 400) {
        const wrong = ours === 'garbage' ? 'conomyhq-api-version' : 'pasarela-version'
        assert.equal(answer.json().errors[0].pointer, `/headers/${wrong}`)
      }
    })
  }
})

describe('on the bare connection', () => {
  let port: number
  before(async () => {
    await t.app.listen({ host: '127.0.0.1', port: 0 })
    port = (t.app.server.address() as { port: number }).port
  })

  /** Everything that comes back until the server closes. */
  function exchange(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text))
      let got = ''
      socket.on('data', (part) => (got += part))
      socket.on('close', () => resolve(got))
      socket.on('error', reject)
    })
  }

  function bodyOf(answer: string) {
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    assert.match(head, /content-type: application\/json; charset=utf-8/i)
    assert.match(head, /connection: close/i)
    assert.equal(Number(/content-length: (\d+)/i.exec(head)?.[1]), Buffer.byteLength(body))
    const parsed = JSON.parse(body)
    assert.equal(Number(head.split(' ')[1]), parsed.status)
    assert.equal(/x-trace-id: (\S+)/i.exec(head)?.[1], parsed.traceId)
    return parsed
  }

  test('headers that are too large are 431 in our own body', async () => {
    const body = bodyOf(await exchange(`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(20_000)}\r\n\r\n`))
    assert.deepEqual([body.status, body.type], [431, 'headersTooLarge'])
  })

  test('what is not HTTP is 400 in our own body', async () => {
    const body = bodyOf(await exchange('hello\r\n\r\n'))
    assert.deepEqual([body.status, body.type], [400, 'parsingResource'])
  })

  test('a request that does not arrive in time is 408 in our own body', async () => {
    const { server } = t.app
    const usual = server.requestTimeout
    server.requestTimeout = 500
    try {
      const body = bodyOf(await exchange('POST /auth HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n'))
      assert.deepEqual([body.status, body.type], [408, 'requestTimeout'])
    } finally {
      server.requestTimeout = usual
    }
  })

  test('an absolute address and a missing host are answered, never 500', async () => {
    for (const line of [
      'GET http://x/nowhere HTTP/1.1\r\nhost: x',
      'GET /nowhere HTTP/1.0',
      'GET * HTTP/1.1\r\nhost: x',
    ]) {
      const answer = await exchange(`${line}\r\nconnection: close\r\n\r\n`)
      assert.match(answer, /^HTTP\/1\.1 40[04] /, answer.slice(0, 200))
    }
  })
})
