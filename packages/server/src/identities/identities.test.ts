/** Identities through the API, grouped by verb and status. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Answer, type Body, type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { limits } from '../vocabulary/limits.ts'

let app: TestApp
let shop: Client
let other: Client

before(async () => {
  app = await startTestApp()
  shop = app.client
  other = await app.newMerchant()
})
after(() => app.close())

let drawn = 0
/** A user that no other test has. */
function user(more: Body = {}): Body {
  drawn += 1
  return {
    name: 'Ana',
    lastname: 'Rojas',
    email: `ana${drawn}@example.com`,
    phone: '+56912345678',
    documentType: 'RUT',
    documentNumber: '12.345.678-5',
    idv: false,
    ...more,
  }
}

async function made(client: Client, more: Body = {}): Promise<Body> {
  const answer = await client.call('POST', '/identities', user(more))
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body
}

const children = (client: Client, method: string, id: string, ids: string[]) =>
  client.call(method, `/identities/${id}/children`, { children: ids })

const pointers = (answer: Answer) => answer.body.errors.map((error: { pointer: string }) => error.pointer).sort()
const ids = (answer: Answer) => answer.body.data.map((identity: { id: string }) => identity.id)

describe('POST /identities', () => {
  test('200: an identity is ACTIVE, and shows all that was given', async () => {
    const given = user({
      type: 'USER',
      nickname: 'Anita',
      country: 'CHL',
      externalId: 'crm-7',
      phone: '+56 9 1234 5678',
      idv: { level: 2 },
      securityOptions: { twoFactorAuth: true, accessControl: { scopes: ['account:read'] } },
      bankAccount: { bank: 'BCI', accountNumber: '123' },
      address: { street: 'Los Leones', streetNumber: '12', country: 'CHL' },
      children: [],
      rules: [],
    })
    const { status, body } = await shop.call('POST', '/identities', given)
    assert.equal(status, 200)
    const { id, createdAt, updatedAt, rules, ...rest } = body
    const { rules: _, ...kept } = given
    assert.match(id, /^idn_[0-9a-z]{26}$/)
    assert.deepEqual(rest, { ...kept, phone: '+56912345678', status: 'ACTIVE' })
    assert.equal(createdAt, updatedAt)
    assert.equal(rules, undefined)
    assert.deepEqual((await shop.call('GET', `/identities/${id}`)).body, body)
  })

  test('200: users share a document with another email or phone', async () => {
    const first = await made(shop)
    const sameEmail = { email: first.email, phone: '+56987654321' }
    assert.notEqual((await made(shop, sameEmail)).id, first.id)
  })

  test('200: another merchant has an organisation of its own with the same document', async () => {
    const organisation = { type: 'ORGANIZATION', documentNumber: '76.543.210-3' }
    await made(shop, organisation)
    await made(other, organisation)
  })

  test('200: children are adopted, and seen from both sides', async () => {
    const child = await made(shop)
    const parent = await made(shop, { children: [{ id: child.id, name: child.name, email: child.email }] })
    assert.deepEqual(parent.children, [{ id: child.id, name: child.name, email: child.email }])
    assert.equal((await shop.call('GET', `/identities/${child.id}`)).body.parentId, parent.id)
  })

  test('200: an Idempotency-Key answers twice and creates once', async () => {
    const headers = { 'idempotency-key': 'identity-1' }
    const body = user()
    const first = await shop.call('POST', '/identities', body, { headers })
    const second = await shop.call('POST', '/identities', body, { headers })
    assert.deepEqual(second.body, first.body)
    assert.equal(second.headers['idempotent-replayed'], 'true')
  })

  test('200: a request that died before its answer finds what it made', async () => {
    const headers = { 'idempotency-key': 'identity-2' }
    const body = user()
    const first = await shop.call('POST', '/identities', body, { headers })
    await app.ctx.sql`
      update idempotency_keys set status = null, body = null, leased_until = '2020-01-01' where key = 'identity-2'`
    const second = await shop.call('POST', '/identities', body, { headers })
    assert.deepEqual([second.status, second.body.id], [200, first.body.id])
    assert.equal(second.headers['idempotent-replayed'], undefined)
  })

  test('400: what is missing is named, all at once', async () => {
    const answer = await shop.call('POST', '/identities', {})
    assert.deepEqual([answer.status, answer.body.type], [400, 'missingParam'])
    assert.deepEqual(pointers(answer), ['/documentNumber', '/documentType', '/email', '/name', '/phone'])
  })

  const refused: [why: string, more: Body, pointer: string][] = [
    ['an unknown field', { surname: 'Rojas' }, '/surname'],
    [
      'an unknown field deep inside',
      { securityOptions: { accessControl: { role: 1 } } },
      '/securityOptions/accessControl/role',
    ],
    ['a wrong check digit', { documentNumber: '12.345.678-4' }, '/documentNumber'],
    ['a document of another country', { documentType: 'CPF', documentNumber: '12.345.678-5' }, '/documentNumber'],
    ['an email that is none', { email: 'ana' }, '/email'],
    ['a phone without its country', { phone: '912345678' }, '/phone'],
    ['a phone of another country', { phone: '+5511987654321', country: 'CHL' }, '/phone'],
    ['a country that is no alpha-3 code', { country: 'CL' }, '/country'],
    ['a type that is none', { type: 'ROBOT' }, '/type'],
    ['a name that is a number', { name: 7 }, '/name'],
    ['a name of nothing', { name: '' }, '/name'],
    ['a name that is too long', { name: 'x'.repeat(limits.nameLength + 1) }, '/name'],
    ['rules, which have their own place', { rules: [{ type: 'FEE' }] }, '/rules'],
    ['a child that is none', { children: [{ id: 'idn_nobody' }] }, '/children/0/id'],
  ]
  for (const [why, more, pointer] of refused) {
    test(`400: ${why}`, async () => {
      const answer = await shop.call('POST', '/identities', user(more))
      assert.deepEqual([answer.status, answer.body.type], [400, 'invalidParam'])
      assert.deepEqual(pointers(answer), [pointer])
    })
  }

  test('400: several faults at once, and nothing half made', async () => {
    const { total } = (await shop.call('GET', '/identities')).body.pagination
    const answer = await shop.call('POST', '/identities', user({ phone: '1', documentNumber: '1', rules: 5 }))
    assert.deepEqual(pointers(answer), ['/documentNumber', '/phone', '/rules'])
    await shop.call('POST', '/identities', user({ children: [{ id: 'idn_nobody' }] }))
    assert.equal((await shop.call('GET', '/identities')).body.pagination.total, total)
  })

  test('409: an organisation with a document that another has, however it is written', async () => {
    const body = { type: 'ORGANIZATION', documentType: 'CUIT', documentNumber: '30-70308853-4' }
    const first = await made(shop, body)
    const answer = await shop.call(
      'POST',
      '/identities',
      user({ ...body, documentType: 'cuit', documentNumber: '30703088534' }),
    )
    assert.deepEqual([answer.status, answer.body.type, answer.body.resourceId], [409, 'alreadyExist', first.id])
  })

  test('409: a user with the same document, email and phone', async () => {
    const first = await made(shop)
    const answer = await shop.call('POST', '/identities', user({ email: first.email.toUpperCase() }))
    assert.deepEqual([answer.status, answer.body.resourceId], [409, first.id])
  })

  test('409: of twelve at the same moment one is made', async () => {
    const body = user({ type: 'ORGANIZATION', documentType: 'CUIT', documentNumber: '30-50001091-2' })
    const answers = await Promise.all(Array.from({ length: 12 }, () => shop.call('POST', '/identities', body)))
    const statuses = answers.map((answer) => answer.status).sort()
    assert.deepEqual(statuses, [200, ...Array.from({ length: 11 }, () => 409)])
  })
})

describe('GET /identities/{id}', () => {
  test('404: unknown, malformed, or of another merchant', async () => {
    const { id } = await made(shop)
    for (const wrong of ['idn_01k9v3m5x8e2wvq0c7d4n6t1ab', 'nonsense', 'acc_01k9v3m5x8e2wvq0c7d4n6t1ab']) {
      assert.equal((await shop.call('GET', `/identities/${wrong}`)).status, 404, wrong)
    }
    assert.equal((await other.call('GET', `/identities/${id}`)).status, 404)
  })
})

describe('GET /identities', () => {
  test('200: every filter finds what it should and nothing else', async () => {
    const mine = await app.newMerchant()
    const organisation = await made(mine, {
      type: 'ORGANIZATION',
      country: 'ARG',
      phone: '+541123456789',
      documentType: 'CUIT',
      documentNumber: '30-70308853-4',
      externalId: 'o-1',
    })
    const child = await made(mine, { email: 'Eva@Example.com' })
    await children(mine, 'POST', organisation.id, [child.id])
    const find = async (query: string) => ids(await mine.call('GET', `/identities?${query}`))
    assert.deepEqual(await find(''), [child.id, organisation.id])
    assert.deepEqual(await find('type=ORGANIZATION'), [organisation.id])
    assert.deepEqual(await find('email=eva@example.com'), [child.id])
    assert.deepEqual(await find('documentNumber=30703088534'), [organisation.id])
    assert.deepEqual(await find('documentNumber=30-70308853-4'), [organisation.id])
    assert.deepEqual(await find('phone=%2B541123456789'), [organisation.id])
    assert.deepEqual(await find('phone=+541123456789'), [organisation.id])
    assert.deepEqual(await find('country=ARG'), [organisation.id])
    assert.deepEqual(await find('status=PENDING,ACTIVE&sort=createdAt:asc'), [organisation.id, child.id])
    assert.deepEqual(await find('status=SCREENING'), [])
    assert.deepEqual(await find('externalId=o-1'), [organisation.id])
    assert.deepEqual(await find(`parentId=${organisation.id}`), [child.id])
    assert.deepEqual(await find('type=USER&country=ARG'), [])
  })

  test('200: pages by offset, next and after, and counts as published', async () => {
    const mine = await app.newMerchant()
    const all: string[] = []
    for (let i = 0; i < 5; i += 1) all.unshift((await made(mine)).id)
    const page = async (query: string) => (await mine.call('GET', `/identities?${query}`)).body
    const first = await page('limit=2')
    assert.deepEqual(first.pagination, { count: 2, next: 2, previous: 0, total: 5 })
    const second = await page(`limit=2&offset=${first.pagination.next}`)
    assert.deepEqual(second.pagination, { count: 4, next: 4, previous: 0, total: 5 })
    assert.deepEqual(ids({ body: await page('limit=2&next=2') } as Answer), ids({ body: second } as Answer))
    const third = await page('limit=2&offset=4')
    assert.deepEqual(third.pagination, { count: 5, next: 5, previous: 2, total: 5 })
    assert.deepEqual(
      [first, second, third].flatMap((body) => ids({ body } as Answer)),
      all,
    )
    assert.deepEqual(ids({ body: await page(`limit=2&after=${all[1]}`) } as Answer), all.slice(2, 4))
    assert.deepEqual(ids({ body: await page(`sort=createdAt:asc&after=${all[1]}`) } as Answer), [all[0]])
    assert.deepEqual((await page('offset=9')).pagination, { count: 9, next: 9, previous: 0, total: 5 })
  })

  test('200: days are the merchant’s, and both ends belong to them', async () => {
    const mine = await app.newMerchant()
    const { id, createdAt } = await made(mine)
    const day = (ms: number) => {
      const [year, month, date] = new Date(Date.parse(createdAt) + ms)
        .toLocaleDateString('en-CA', { timeZone: 'America/Santiago' })
        .split('-')
      return `${date}/${month}/${year}`
    }
    const find = async (from: string, to: string) =>
      ids(await mine.call('GET', `/identities?startDate=${from}&endDate=${to}`))
    assert.deepEqual(await find(day(0), day(0)), [id])
    assert.deepEqual(await find(day(86_400_000), day(2 * 86_400_000)), [])
    assert.deepEqual(await find(day(-2 * 86_400_000), day(-86_400_000)), [])
  })

  test('200: by the merchant’s own clock, also for what an Idempotency-Key made', async () => {
    const mine = await app.newMerchant()
    await app.ctx.sql`update merchants set clock_offset_ms = ${3 * 86_400_000} where id = ${mine.merchantId}`
    app.ctx.auth.forget(mine.merchantId)
    const { body } = await mine.call('POST', '/identities', user(), { headers: { 'idempotency-key': 'moved' } })
    const [year, month, date] = new Date(Date.parse(body.createdAt))
      .toLocaleDateString('en-CA', { timeZone: 'America/Santiago' })
      .split('-')
    const day = `${date}/${month}/${year}`
    assert.deepEqual(ids(await mine.call('GET', `/identities?startDate=${day}&endDate=${day}`)), [body.id])
    assert.ok(Date.parse(body.createdAt) > app.ctx.clock.nowMs() + 2 * 86_400_000)
  })

  const refused: [query: string, pointer: string][] = [
    ['limit=0', '/query/limit'],
    ['limit=101', '/query/limit'],
    ['limit=ten', '/query/limit'],
    ['limit=2.5', '/query/limit'],
    ['offset=-1', '/query/offset'],
    ['sort=name:asc', '/query/sort'],
    ['sort=createdAt', '/query/sort'],
    ['startDate=2026-01-05', '/query/startDate'],
    ['endDate=31/02/2026', '/query/endDate'],
    ['status=ACTIVE,GONE', '/query/status'],
    ['after=idn_nobody', '/query/after'],
    ['colour=red', '/query/colour'],
    ['type=USER&type=USER', '/query/type'],
  ]
  for (const [query, pointer] of refused) {
    test(`400: ${query}`, async () => {
      const answer = await shop.call('GET', `/identities?${query}`)
      assert.equal(answer.status, 400)
      assert.deepEqual(pointers(answer), [pointer])
    })
  }
})

describe('PATCH /identities/{id}', () => {
  test('200: changes what is given, clears what is null, leaves the rest', async () => {
    const before = await made(shop, { nickname: 'Anita', address: { street: 'A' }, idv: true })
    const { status, body } = await shop.call('PATCH', `/identities/${before.id}`, {
      name: 'Eva',
      nickname: null,
      phone: '+57 300 1234567',
      country: 'COL',
      bankAccount: { bank: '1007' },
    })
    assert.equal(status, 200)
    const { nickname, updatedAt, ...rest } = before
    const changed = { name: 'Eva', phone: '+573001234567', country: 'COL', bankAccount: { bank: '1007' } }
    assert.deepEqual({ ...body, updatedAt }, { ...rest, ...changed, updatedAt })
    assert.deepEqual((await shop.call('GET', `/identities/${before.id}`)).body, body)
  })

  test('400: unknown fields, the document, a phone of another country', async () => {
    const { id } = await made(shop, { country: 'CHL' })
    const patch = async (body: Body) => pointers(await shop.call('PATCH', `/identities/${id}`, body))
    assert.deepEqual(await patch({ documentNumber: '1', status: 'ACTIVE' }), ['/documentNumber', '/status'])
    assert.deepEqual(await patch({ phone: '+5511987654321' }), ['/phone'])
    assert.deepEqual(await patch({ country: 'BRA' }), ['/phone'])
  })

  test('404: of another merchant', async () => {
    const { id } = await made(shop)
    assert.equal((await other.call('PATCH', `/identities/${id}`, { name: 'Eva' })).status, 404)
  })

  test('409: into the place of another user', async () => {
    const [first, second] = [await made(shop), await made(shop)]
    const answer = await shop.call('PATCH', `/identities/${second.id}`, { email: first.email })
    assert.deepEqual([answer.status, answer.body.resourceId], [409, first.id])
  })
})

describe('POST and DELETE /identities/{id}/children', () => {
  test('200: put under a parent, twice, and taken away, twice', async () => {
    const [parent, child] = [await made(shop), await made(shop)]
    for (let i = 0; i < 2; i += 1) {
      const { status, body } = await children(shop, 'POST', parent.id, [child.id])
      assert.deepEqual([status, body.children.map((c: Body) => c.id)], [200, [child.id]])
    }
    for (let i = 0; i < 2; i += 1) {
      const { status, body } = await children(shop, 'DELETE', parent.id, [child.id])
      assert.deepEqual([status, body.children], [200, []])
    }
    assert.equal((await shop.call('GET', `/identities/${child.id}`)).body.parentId, undefined)
  })

  test('400: nobody, or somebody of another merchant, and then nobody is moved', async () => {
    const [parent, child, foreign] = [await made(shop), await made(shop), await made(other)]
    assert.deepEqual(pointers(await children(shop, 'POST', parent.id, [])), ['/children'])
    assert.deepEqual(pointers(await children(shop, 'POST', parent.id, [child.id, foreign.id])), ['/children/1'])
    assert.deepEqual(pointers(await children(shop, 'DELETE', parent.id, ['nobody'])), ['/children/0'])
    assert.deepEqual((await shop.call('GET', `/identities/${parent.id}`)).body.children, [])
  })

  test('404: under an identity of another merchant', async () => {
    const [parent, child] = [await made(other), await made(shop)]
    assert.equal((await children(shop, 'POST', parent.id, [child.id])).status, 404)
    assert.equal((await children(shop, 'DELETE', parent.id, [child.id])).status, 404)
  })

  test('422: itself, an ancestor, a child of another, a tree too deep', async () => {
    const refused = async (parent: string, child: string) => {
      const answer = await children(shop, 'POST', parent, [child])
      assert.deepEqual(
        [answer.status, answer.body.type, pointers(answer)],
        [422, 'failedPrecondition', ['/children/0']],
      )
    }
    const line = [await made(shop)]
    for (let i = 1; i < limits.identityDepthMax; i += 1) {
      const next = await made(shop)
      assert.equal((await children(shop, 'POST', line.at(-1).id, [next.id])).status, 200)
      line.push(next)
    }
    const [top, second] = line
    await refused(top.id, top.id)
    await refused(line.at(-1).id, top.id)
    await refused(second.id, top.id)
    const alone = await made(shop)
    await refused(alone.id, second.id)
    await refused(line.at(-1).id, alone.id)
    await refused(alone.id, top.id)
  })

  test('422: two that together would close a circle, at the same moment', async () => {
    for (let i = 0; i < 5; i += 1) {
      const [a, b] = [await made(shop), await made(shop)]
      const answers = await Promise.all([children(shop, 'POST', a.id, [b.id]), children(shop, 'POST', b.id, [a.id])])
      assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 422])
    }
  })
})
