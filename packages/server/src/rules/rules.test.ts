/** Rules through the API, grouped by verb and status; and the owner with all rules that reach it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Answer, type Body, type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { loadOwner } from './load-owner.ts'

let app: TestApp
let shop: Client
let other: Client
let identityId: string

before(async () => {
  app = await startTestApp()
  shop = app.client
  other = await app.newMerchant()
  identityId = await makeIdentity(shop)
})
after(() => app.close())

let drawn = 0
async function makeIdentity(client: Client): Promise<string> {
  drawn += 1
  const email = `r${drawn}@example.com`
  const identity = {
    name: 'Ana',
    email,
    phone: '+56912345678',
    documentType: 'RUT',
    documentNumber: '12345678-5',
    country: 'CHL',
    idv: false,
  }
  return (await client.call('POST', '/identities', identity)).body.id
}

const feeRule = { description: 'Pix fee', feeType: 'PERCENTAGE', value: '0.99' }
const rule = (more: Body = {}) => ({ type: 'FEE', identityId, overwrites: false, feeRule, ...more })

async function made(more: Body = {}): Promise<Body> {
  const answer = await shop.call('POST', '/rules', rule(more))
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body
}

const pointers = (answer: Answer) => answer.body.errors.map((error: { pointer: string }) => error.pointer).sort()
const ids = (answer: Answer) => answer.body.results.map((result: { id: string }) => result.id)

describe('POST /rules', () => {
  test('201: shows what was given, and whose it is', async () => {
    const filter = [
      { name: 'paymentMethod', value: 'PIX' },
      { name: 'product', value: 'BRL:CLP' },
    ]
    const { id, createdAt, ...rest } = await made({ filter })
    assert.match(id, /^rule_/)
    assert.ok(Date.parse(createdAt))
    assert.deepEqual(rest, { ...rule({ filter }), owner: 'CLIENT', target: 'TRANSACTION' })
  })

  test('201: no filter, a null filter, no description, a value of zero', async () => {
    assert.deepEqual((await made()).filter, [])
    assert.deepEqual((await made({ filter: null })).filter, [])
    const { feeRule: kept } = await made({ overwrites: true, feeRule: { feeType: 'FIXED', value: '0' } })
    assert.deepEqual(kept, { description: 'Fee', feeType: 'FIXED', value: '0' })
  })

  test('201: an Idempotency-Key creates once, also after a crash', async () => {
    const headers = { 'idempotency-key': 'rule-1' }
    const first = await shop.call('POST', '/rules', rule(), { headers })
    await app.ctx
      .sql`update idempotency_keys set status = null, body = null, leased_until = '2020-01-01' where key = 'rule-1'`
    const second = await shop.call('POST', '/rules', rule(), { headers })
    assert.deepEqual([second.status, second.body], [201, first.body])
  })

  test('400: what is missing is named, all at once', async () => {
    const answer = await shop.call('POST', '/rules', {})
    assert.deepEqual([answer.body.type, pointers(answer)], ['missingParam', ['/identityId', '/overwrites', '/type']])
    const without = await shop.call('POST', '/rules', rule({ feeRule: undefined }))
    assert.deepEqual([without.status, without.body.type, pointers(without)], [400, 'missingParam', ['/feeRule']])
  })

  const refused: [why: string, more: Body, pointer: string][] = [
    ['an unknown field', { priority: 1 }, '/priority'],
    ['an identity that is none', { identityId: 'idn_01k9v3m5x8e2wvq0c7d4n6t1ab' }, '/identityId'],
    ['a malformed identity', { identityId: 'nonsense' }, '/identityId'],
    ['a flag that is a text', { overwrites: 'true' }, '/overwrites'],
    ['a fee type that is none', { feeRule: { ...feeRule, feeType: 'FREE' } }, '/feeRule/feeType'],
    ['a value that is a number', { feeRule: { ...feeRule, value: 1 } }, '/feeRule/value'],
    ['a negative value', { feeRule: { ...feeRule, value: '-1' } }, '/feeRule/value'],
    ['a value with an exponent', { feeRule: { ...feeRule, value: '1e3' } }, '/feeRule/value'],
    ['more than all of it', { feeRule: { ...feeRule, value: '100.01' } }, '/feeRule/value'],
    ['a filter by what there is not', { filter: [{ name: 'colour', value: 'red' }] }, '/filter/0/name'],
    ['a method that there is not', { filter: [{ name: 'paymentMethod', value: 'Pix' }] }, '/filter/0/value'],
    ['a currency that there is not', { filter: [{ name: 'currency', value: 'ZZZ' }] }, '/filter/0/value'],
    ['a type that is not charged', { filter: [{ name: 'transactionType', value: 'P2P' }] }, '/filter/0/value'],
    ['a country that is no alpha-3 code', { filter: [{ name: 'country', value: 'CL' }] }, '/filter/0/value'],
    ['a pair that is none', { filter: [{ name: 'product', value: 'BRL-CLP' }] }, '/filter/0/value'],
    [
      'what belongs to another type',
      { allowedValuesRule: { key: 'currency', allowedValues: ['CLP'] } },
      '/allowedValuesRule',
    ],
  ]
  for (const [why, more, pointer] of refused) {
    test(`400: ${why}`, async () => {
      const answer = await shop.call('POST', '/rules', rule(more))
      assert.equal(answer.status, 400)
      assert.deepEqual(pointers(answer), [pointer])
    })
  }

  test('400: for an identity of another merchant', async () => {
    assert.deepEqual(pointers(await other.call('POST', '/rules', rule())), ['/identityId'])
  })

  test('501: rules of allowed values', async () => {
    const body = rule({
      type: 'ALLOWED_VALUES',
      feeRule: undefined,
      allowedValuesRule: { key: 'currency', allowedValues: ['CLP'] },
    })
    const answer = await shop.call('POST', '/rules', body)
    assert.deepEqual([answer.status, answer.body.type], [501, 'unimplemented'])
  })
})

describe('GET and DELETE /rules/{id}', () => {
  test('200, 204, then 404', async () => {
    const created = await made()
    assert.deepEqual((await shop.call('GET', `/rules/${created.id}`)).body, created)
    const deleted = await shop.call('DELETE', `/rules/${created.id}`)
    assert.deepEqual([deleted.status, deleted.body], [204, undefined])
    assert.equal((await shop.call('GET', `/rules/${created.id}`)).status, 404)
    assert.equal((await shop.call('DELETE', `/rules/${created.id}`)).status, 404)
  })

  test('404: malformed, or of another merchant', async () => {
    const { id } = await made()
    for (const method of ['GET', 'DELETE']) {
      assert.equal((await shop.call(method, '/rules/nonsense')).status, 404)
      assert.equal((await other.call(method, `/rules/${id}`)).status, 404)
    }
    assert.equal((await shop.call('GET', `/rules/${id}`)).status, 200)
  })
})

describe('GET /rules', () => {
  test('200: every filter finds what it should', async () => {
    const owner = await makeIdentity(shop)
    const [first, second] = [await made({ identityId: owner }), await made({ identityId: owner })]
    const find = async (query: string) => ids(await shop.call('GET', `/rules?identityId=${owner}&${query}`))
    assert.deepEqual(await find(''), [second.id, first.id])
    assert.deepEqual(await find('sort=createdAt:asc&limit=1'), [first.id])
    assert.deepEqual(await find(`id=${first.id}`), [first.id])
    assert.deepEqual(await find('type=FEE&owner=CLIENT&target=TRANSACTION'), [second.id, first.id])
    for (const none of ['type=ALLOWED_VALUES', 'owner=CONOMY_HQ', 'target=IDENTITY'])
      assert.deepEqual(await find(none), [])
    const { pagination } = (await shop.call('GET', `/rules?identityId=${owner}&limit=1&next=1`)).body
    assert.deepEqual(pagination, { count: 2, next: 2, previous: 0, total: 2 })
    assert.deepEqual(ids(await other.call('GET', '/rules')), [])
  })

  test('400: a filter that is none', async () => {
    for (const query of ['type=TAX', 'owner=me', 'name=x', 'limit=0']) {
      assert.equal((await shop.call('GET', `/rules?${query}`)).status, 400, query)
    }
  })
})

describe('the owner of an offer', () => {
  test('comes with its own rules and those of its ancestors, nearest last, and none of its siblings', async () => {
    const [root, parent, owner, sibling] = [
      await makeIdentity(shop),
      await makeIdentity(shop),
      await makeIdentity(shop),
      await makeIdentity(shop),
    ]
    await shop.call('POST', `/identities/${root}/children`, { children: [parent] })
    await shop.call('POST', `/identities/${parent}/children`, { children: [owner, sibling] })
    const filter = [{ name: 'currency', value: 'CLP' }]
    const own = await made({ identityId: owner, overwrites: true, filter })
    await made({ identityId: sibling })
    const parents = await made({ identityId: parent })
    const roots = await made({ identityId: root })
    const loaded = await loadOwner(app.ctx.sql, shop.merchantId, owner)
    assert.deepEqual(
      loaded?.rules.map((found) => [found.id, found.identityId, found.depth]),
      [
        [roots.id, root, 2],
        [parents.id, parent, 1],
        [own.id, owner, 0],
      ],
    )
    assert.deepEqual(loaded?.rules.at(-1), {
      id: own.id,
      identityId: owner,
      depth: 0,
      overwrites: true,
      filter,
      feeDescription: 'Pix fee',
      feeType: 'PERCENTAGE',
      feeValue: '0.99',
    })
    assert.deepEqual([loaded?.id, loaded?.name, loaded?.country, loaded?.status], [owner, 'Ana', 'CHL', 'ACTIVE'])
  })

  test('has no rules where none were made, and is nobody elsewhere', async () => {
    const owner = await makeIdentity(shop)
    assert.deepEqual((await loadOwner(app.ctx.sql, shop.merchantId, owner))?.rules, [])
    assert.equal(await loadOwner(app.ctx.sql, other.merchantId, owner), undefined)
    assert.equal(await loadOwner(app.ctx.sql, shop.merchantId, 'nonsense'), undefined)
  })
})
