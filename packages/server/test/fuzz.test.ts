/** Bad input on every operation of the document: never a 500, never an undeclared answer, and a pointer in every 400. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { describeApi } from '../src/describe.ts'
import { type Answer, type Body, type Client, startTestApp, type TestApp } from './harness.ts'
import { prove } from './proof.ts'
import { makeShop, ok, pixOf, type Shop } from './shop.ts'

const bodiesEach = 100
const queriesEach = 60

type Operation = { method: string; path: string; example: unknown; hasBody: boolean; query: string[] }

let t: TestApp
let client: Client
let shop: Shop
let sessionId: string
let paymentId: string
before(async () => {
  t = await startTestApp()
  client = t.client
  shop = await makeShop(client)
  const session = await shop.session({ paymentMethodsAllowed: ['PIX', 'CARD'] })
  sessionId = session.id
  const paid = await shop.session()
  paymentId = (await ok(client, 'POST', `/checkout-sessions/${paid.id}/payments`, pixOf())).id
  await t.advance(1500)
  await t.advance(2500)
})
after(() => t.close())

const { paths } = (await describeApi()) as { paths: Record<string, Record<string, Body>> }
const operations: Operation[] = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => {
    const content = operation.requestBody?.content?.['application/json']
    const [example] = Object.values(content?.examples ?? {}) as Body[]
    return {
      method: method.toUpperCase(),
      path,
      example: example?.value,
      hasBody: content !== undefined,
      query: (operation.parameters ?? []).filter((p: Body) => p.in === 'query').map((p: Body) => p.name),
    }
  }),
)

/** A small generator of our own (mulberry32): the same operation meets the same input in every run. */
function randomOf(name: string) {
  let state = [...name].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) >>> 0, 7)
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z = (z + Math.imul(z ^ (z >>> 7), z | 61)) ^ z
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    upTo: (most: number) => Math.floor(next() * most),
    pick: <T>(list: readonly T[]) => list[Math.floor(next() * list.length)] as T,
  }
}
type Random = ReturnType<typeof randomOf>

const oddTexts = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '💳',
  'ñ'.repeat(300),
  'x'.repeat(5000),
  '0',
  '-0',
  '1e3',
  '0x10',
  'NaN',
  'null',
  '9'.repeat(40),
  '0.0000000001',
  '1'.repeat(16),
  '../..',
  '%00',
  "'; drop table payments; --",
  '{{7*7}}',
  'https://',
  'http://[',
  'javascript:1',
  '31/02/2025',
  '2025-13-45T99:99:99Z',
  'true',
  '\u202e',
  'a,b,,c',
  ',',
  '*',
  'CLP:CLP',
  'ZZZ',
  '6011111111111117',
]
const oddValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e21,
  Number.MAX_SAFE_INTEGER,
  [],
  {},
  [[]],
  [null],
  { a: { b: [] } },
  ...oddTexts,
]
const oddNames = [
  'foo',
  '',
  '__proto__x',
  'constructor',
  'toString',
  'a/b',
  'a~1b',
  'a.b',
  '\ud83d',
  'length',
  'x'.repeat(300),
]

/** The body with one to three places spoilt. */
function spoilt(example: unknown, random: Random): unknown {
  let body = structuredClone(example)
  for (let i = random.upTo(3); i >= 0; i--) body = spoilOnce(body, random)
  return body
}

function spoilOnce(body: unknown, random: Random): unknown {
  const places: [holder: Body, key: string | number][] = []
  collect(body, places)
  if (places.length === 0 || random.upTo(25) === 0) return structuredClone(random.pick(oddValues))
  const [holder, key] = random.pick(places)
  switch (random.upTo(6)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else delete holder[key]
      break
    case 1:
      if (Array.isArray(holder))
        holder.push(...Array.from({ length: 1 + random.upTo(120) }, () => structuredClone(holder[Number(key)])))
      else holder[random.pick(oddNames)] = structuredClone(random.pick(oddValues))
      break
    case 2:
      holder[key] = [holder[key]]
      break
    default:
      holder[key] = structuredClone(random.pick(oddValues))
  }
  return body
}

function collect(value: unknown, into: [Body, string | number][]): void {
  if (value === null || typeof value !== 'object') return
  for (const key of Object.keys(value)) {
    into.push([value, key])
    collect((value as Body)[key], into)
  }
}

/** The example with ids that exist, so that what is spoilt is not all that is wrong. */
function withRealIds(example: unknown): unknown {
  const text = JSON.stringify(example ?? null)
    .replaceAll(/idn_[0-9a-z]{26}/g, shop.identityId)
    .replaceAll('100000000001', shop.accounts['BRL']?.accountNumber ?? '')
    .replaceAll(/pay_[0-9a-z]{26}/g, paymentId)
  return JSON.parse(text)
}

const pathOf = (path: string) =>
  path
    .replace('{checkout_session_id}', sessionId)
    .replace('{payment_id}', paymentId)
    .replace(/^\/payments\/\{id\}/, `/payments/${paymentId}`)
    .replace(/^\/identities\/\{id\}/, `/identities/${shop.identityId}`)
    .replace(/^\/accounts\/\{id\}/, `/accounts/${shop.accounts['BRL']?.id}`)
    .replaceAll(/\{\w+\}/g, 'x')

function check(answer: Answer, sent: unknown, body?: unknown): void {
  const what = `${answer.status} ${JSON.stringify(answer.body)?.slice(0, 600)}\nsent ${JSON.stringify(sent)?.slice(0, 600)}`
  assert.ok(answer.status < 500, what)
  if (answer.status !== 400 || answer.body.type === 'parsingResource') return
  assert.ok(answer.body.errors?.length > 0, `no pointer: ${what}`)
  for (const { pointer, detail } of answer.body.errors) {
    assert.ok((pointer === '' || pointer.startsWith('/')) && detail, what)
    if (body !== undefined && !/^\/(query|path|headers)\//.test(pointer))
      assert.ok(leads(body, pointer), `${pointer} leads nowhere: ${what}`)
  }
}

/** Whether a pointer names a place of the body, or a field that is missing from one. */
function leads(body: unknown, pointer: string): boolean {
  if (pointer === '') return true
  const parts = pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  let at: Body = body
  for (const [index, part] of parts.entries()) {
    if (at === null || at === undefined) return index > 0
    if (typeof at !== 'object') return false
    at = at[part]
  }
  return true
}

describe('bodies', () => {
  for (const { method, path, example, hasBody } of operations.filter((operation) => operation.hasBody)) {
    it(`${method} ${path}`, async () => {
      assert.ok(hasBody)
      const random = randomOf(`${method} ${path}`)
      for (let i = 0; i < bodiesEach; i++) {
        const body = spoilt(withRealIds(example), random)
        check(await client.call(method, pathOf(path), body), body, body)
      }
      for (const raw of [
        '',
        '{',
        '[',
        '"',
        '\ufeff{}',
        '{"a":1}{}',
        '{"a":NaN}',
        `${'['.repeat(5000)}${']'.repeat(5000)}`,
      ]) {
        check(await client.call(method, pathOf(path), undefined, { raw }), raw)
      }
      const text = { 'content-type': 'text/plain' }
      const typed = await client.call(method, pathOf(path), undefined, { raw: '{}', headers: text })
      assert.equal(typed.status, 415)
    })
  }
})

describe('queries', () => {
  for (const { method, path, query } of operations.filter((operation) => operation.query.length > 0)) {
    it(`${method} ${path}`, async () => {
      const random = randomOf(`${method} ${path}?`)
      for (let i = 0; i < queriesEach; i++) {
        const pairs = Array.from({ length: 1 + random.upTo(3) }, () => [
          random.pick([...query, 'foo']),
          random.pick(oddTexts),
        ])
        const text = pairs
          .map(([name, value]) => `${name}=${encodeURIComponent((value ?? '').toWellFormed())}`)
          .join('&')
        check(await client.call(method, `${pathOf(path)}?${text}`), text)
      }
      for (const text of [
        '%',
        'limit=%E0%A4%A',
        '=',
        '&&&',
        'limit[]=1',
        'limit[a]=1',
        '__proto__=1',
        'a=1'.repeat(500),
      ]) {
        check(await client.call(method, `${pathOf(path)}?${text}`), text)
      }
    })
  }
})

describe('ids', () => {
  const odd = [
    'x',
    '%20',
    '..%2F',
    '%F0%9F%92%B3',
    "'",
    '%25',
    'null',
    '0',
    'undefined',
    'cs_',
    `cs_${'z'.repeat(26)}`,
    `pay_${'0'.repeat(26)}`,
    'a'.repeat(200),
    'a'.repeat(2000),
    '%00',
    '%E0%A4%A',
    '%ff',
    '[object Object]',
    'constructor',
    '__proto__',
  ]
  for (const { method, path, example } of operations.filter((operation) => operation.path.includes('{'))) {
    it(`${method} ${path}`, async () => {
      for (const id of odd) {
        const answer = await client.call(method, path.replaceAll(/\{\w+\}/g, id), withRealIds(example) ?? undefined)
        check(answer, id)
        assert.ok(answer.status >= 400 || /brand|banks/.test(path), `${id} was found: ${answer.status}`)
      }
    })
  }
})

it('after all of it the ledger agrees, and the last events are the objects', () => prove(t, client))
