/** Accounts through the API, grouped by verb and status; what they hold is posted to the ledger. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Answer, type Body, type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { postEntry } from '../../test/post-entry.ts'
import { transaction } from '../kit/db.ts'
import { newId } from '../kit/id.ts'
import { Problem } from '../kit/problem.ts'
import { paidPostings, refundStartedPostings, settledPostings } from '../ledger/posting.ts'
import { isAccountNumber, newAccountNumber } from './account.ts'
import { activeCurrencies, findAccountsByNumbers } from './find.ts'
import { lockAvailable } from './lock-available.ts'

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

async function makeIdentity(client: Client): Promise<string> {
  const identity = {
    name: 'Ana',
    lastname: 'Rojas',
    email: 'a@example.com',
    phone: '+56912345678',
    documentType: 'RUT',
    documentNumber: '12345678-5',
    idv: false,
  }
  return (await client.call('POST', '/identities', identity)).body.id
}

const account = (more: Body = {}) => ({
  identityId,
  type: 'CHECKING',
  custody: 'BANK_ACCOUNT',
  currency: 'CLP',
  name: 'Ventas',
  ...more,
})

async function made(more: Body = {}): Promise<Body> {
  const answer = await shop.call('POST', '/accounts', account(more))
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body
}

const pointers = (answer: Answer) => answer.body.errors.map((error: { pointer: string }) => error.pointer).sort()
const ids = (answer: Answer) => answer.body.pagination.results.map((result: { id: string }) => result.id)

/** Pays `gross` minor units into the account; settles them if asked. */
async function pay(to: Body, gross: bigint, settle: boolean, fee = 0n): Promise<void> {
  const money = { minor: gross, currency: to.currency }
  const destinations = [{ accountId: to.id, gross, fee }]
  const entry = { merchantId: shop.merchantId, sourceId: newId('payment', 0), now: new Date(0) }
  await postEntry(app.ctx.sql, {
    ...entry,
    kind: 'paid',
    postings: paidPostings({ rail: 'PIX', purchase: money, gross: money, destinations }),
  })
  if (settle)
    await postEntry(app.ctx.sql, {
      ...entry,
      kind: 'settled',
      postings: settledPostings({ currency: to.currency, destinations }),
    })
}

describe('an account number', () => {
  test('is twenty digits that a slip of the finger breaks', () => {
    const number = newAccountNumber()
    assert.ok(isAccountNumber(number))
    for (let at = 0; at < 20; at += 1) {
      const digit = (Number(number[at]) + 1) % 10
      assert.equal(isAccountNumber(number.slice(0, at) + digit + number.slice(at + 1)), false)
    }
    const other = [...Array.from({ length: 100 }, newAccountNumber)]
    assert.equal(new Set([number, ...other]).size, 101)
    assert.ok(other.every(isAccountNumber))
  })
})

describe('POST /accounts', () => {
  test('201: an account is ACTIVE and empty, and gets its number from us', async () => {
    const custodyBankAccount = {
      accountNumber: '1',
      bank: 'BCI',
      currency: 'CLP',
      typeAccount: 'CHECKING',
      country: 'CHL',
    }
    const body = await made({ externalId: 'erp-1', custodyBankAccount })
    const { id, accountNumber, createdAt, updatedAt, ...rest } = body
    assert.match(id, /^acc_/)
    assert.ok(isAccountNumber(accountNumber))
    assert.equal(createdAt, updatedAt)
    const expected = {
      externalId: 'erp-1',
      custodyBankAccount,
      accountHolder: 'Ana Rojas',
      balance: '0',
      availableFunds: '0',
      status: 'ACTIVE',
      parentId: '',
    }
    assert.deepEqual(rest, { ...account(), ...expected })
    assert.deepEqual((await shop.call('GET', `/accounts/${id}`)).body, body)
  })

  test('201: without a reference of yours its own id is the reference', async () => {
    const body = await made()
    assert.equal(body.externalId, body.id)
  })

  test('201: below another account', async () => {
    const parent = await made()
    assert.equal((await made({ parentId: parent.id })).parentId, parent.id)
  })

  test('201: an Idempotency-Key answers twice and creates once, also after a crash', async () => {
    const headers = { 'idempotency-key': 'account-1' }
    const first = await shop.call('POST', '/accounts', account(), { headers })
    const second = await shop.call('POST', '/accounts', account(), { headers })
    assert.deepEqual([second.status, second.body], [201, first.body])
    await app.ctx
      .sql`update idempotency_keys set status = null, body = null, leased_until = '2020-01-01' where key = 'account-1'`
    const third = await shop.call('POST', '/accounts', account(), { headers })
    assert.deepEqual([third.status, third.body], [201, first.body])
  })

  test('400: what is missing is named, all at once', async () => {
    const answer = await shop.call('POST', '/accounts', {})
    assert.deepEqual([answer.status, answer.body.type], [400, 'missingParam'])
    assert.deepEqual(pointers(answer), ['/currency', '/identityId', '/name', '/type'])
  })

  const refused: [why: string, more: Body, pointer: string[]][] = [
    ['an unknown field', { balance: '5' }, ['/balance']],
    ['a type of the platform’s own', { type: 'ESCROW' }, ['/type']],
    ['a fee account', { type: 'FEE' }, ['/type']],
    ['a currency that is none', { currency: 'ZZZ' }, ['/currency']],
    ['an identity that is none', { identityId: 'idn_01k9v3m5x8e2wvq0c7d4n6t1ab' }, ['/identityId']],
    ['a parent that is none', { parentId: 'nonsense' }, ['/parentId']],
    ['nobody and nothing', { parentId: 'nonsense', identityId: 'nonsense' }, ['/identityId', '/parentId']],
    [
      'an unfinished bank account',
      { custodyBankAccount: { bank: 'BCI' } },
      ['/custodyBankAccount/accountNumber', '/custodyBankAccount/country', '/custodyBankAccount/currency'],
    ],
  ]
  for (const [why, more, expected] of refused) {
    test(`400: ${why}`, async () => {
      const answer = await shop.call('POST', '/accounts', account(more))
      assert.equal(answer.status, 400)
      assert.deepEqual(pointers(answer), expected)
    })
  }

  test('400: another merchant’s identity, a parent in another currency, a parent that is below another', async () => {
    const refusal = async (more: Body) => pointers(await shop.call('POST', '/accounts', account(more)))
    assert.deepEqual(await refusal({ identityId: await makeIdentity(other) }), ['/identityId'])
    const parent = await made({ currency: 'BRL' })
    assert.deepEqual(await refusal({ parentId: parent.id }), ['/currency'])
    const child = await made({ currency: 'BRL', parentId: parent.id })
    assert.deepEqual(await refusal({ currency: 'BRL', parentId: child.id }), ['/parentId'])
  })
})

describe('GET /accounts/{id}', () => {
  test('200: shows what is pending in the balance and what is settled as available, in major units', async () => {
    const brl = await made({ currency: 'BRL' })
    await pay(brl, 1990n, false, 20n)
    await pay(brl, 300n, true)
    const { body } = await shop.call('GET', `/accounts/${brl.id}`)
    assert.deepEqual([body.balance, body.availableFunds], ['22.70', '3.00'])
    await app.runJobs()
    assert.deepEqual((await shop.call('GET', `/accounts/${brl.id}`)).body, body)
  })

  test('404: unknown, malformed, or of another merchant', async () => {
    const { id } = await made()
    for (const wrong of ['acc_01k9v3m5x8e2wvq0c7d4n6t1ab', 'nonsense']) {
      assert.equal((await shop.call('GET', `/accounts/${wrong}`)).status, 404)
    }
    assert.equal((await other.call('GET', `/accounts/${id}`)).status, 404)
  })
})

describe('GET /accounts', () => {
  test('200: every filter finds what it should, in the published nesting', async () => {
    const owner = await makeIdentity(await app.newMerchant())
    assert.ok(owner)
    const first = await made({ currency: 'PEN', type: 'SAVINGS', externalId: 'x-1' })
    const second = await made({ currency: 'PEN', parentId: first.id })
    await pay(second, 55n, false)
    const find = async (query: string) => ids(await shop.call('GET', `/accounts?${query}`))
    const { body } = await shop.call('GET', '/accounts?currency=PEN')
    assert.deepEqual(Object.keys(body), ['pagination'])
    assert.deepEqual(body.pagination.pagination, { count: 2, next: 2, previous: 0, total: 2 })
    assert.deepEqual(
      body.pagination.results.map((a: Body) => [a.id, a.balance]),
      [
        [second.id, '0.55'],
        [first.id, '0.00'],
      ],
    )
    assert.deepEqual(await find(`accountNumber=${first.accountNumber},${second.accountNumber}`), [second.id, first.id])
    assert.deepEqual(await find('externalId=x-1'), [first.id])
    assert.deepEqual(await find('currency=PEN&type=SAVINGS'), [first.id])
    assert.deepEqual(await find(`parentId=${first.id}`), [second.id])
    assert.deepEqual(await find(`identityId=${identityId}&currency=PEN&sort=createdAt:asc&limit=1`), [first.id])
    assert.deepEqual(await find('currency=PEN&status=BLOCKED'), [])
    assert.deepEqual(await find('currency=PEN&startDate=01/01/2020&endDate=02/01/2020'), [])
    assert.deepEqual(ids(await other.call('GET', '/accounts')), [])
  })

  test('400: a currency, a type, a parameter that is none', async () => {
    for (const name of ['currency', 'type', 'status', 'colour']) {
      assert.deepEqual(pointers(await shop.call('GET', `/accounts?${name}=NONE`)), [`/query/${name}`])
    }
  })
})

describe('PATCH /accounts/{id}', () => {
  test('200: changes name, reference and status, and nothing else', async () => {
    const before = await made()
    const { status, body } = await shop.call('PATCH', `/accounts/${before.id}`, { status: 'BLOCKED', name: 'Cerrada' })
    assert.equal(status, 200)
    assert.deepEqual({ ...body, updatedAt: '' }, { ...before, status: 'BLOCKED', name: 'Cerrada', updatedAt: '' })
    assert.equal((await shop.call('PATCH', `/accounts/${before.id}`, { status: 'ACTIVE' })).body.status, 'ACTIVE')
    assert.equal((await shop.call('PATCH', `/accounts/${before.id}`, {})).body.name, 'Cerrada')
  })

  test('400: a status or a field that cannot be set', async () => {
    const { id } = await made()
    assert.deepEqual(pointers(await shop.call('PATCH', `/accounts/${id}`, { status: 'PENDING', currency: 'BRL' })), [
      '/currency',
      '/status',
    ])
  })

  test('404: of another merchant', async () => {
    const { id } = await made()
    assert.equal((await other.call('PATCH', `/accounts/${id}`, { name: 'x' })).status, 404)
  })
})

describe('what sessions ask of accounts', () => {
  test('accounts by number are the merchant’s own', async () => {
    const { id, accountNumber } = await made()
    const find = (merchantId: number) => findAccountsByNumbers(app.ctx.sql, merchantId, [accountNumber, '7'])
    assert.deepEqual(
      (await find(shop.merchantId)).map((found) => found.id),
      [id],
    )
    assert.deepEqual(await find(other.merchantId), [])
  })

  test('currencies are those of accounts that can be paid into', async () => {
    const { id } = await made({ currency: 'USDC' })
    assert.ok((await activeCurrencies(app.ctx.sql, shop.merchantId, identityId)).includes('USDC'))
    await shop.call('PATCH', `/accounts/${id}`, { status: 'BLOCKED' })
    assert.equal((await activeCurrencies(app.ctx.sql, shop.merchantId)).includes('USDC'), false)
  })
})

describe('taking available money', () => {
  const take = (from: Body, amountMinor: bigint) =>
    transaction(app.ctx.sql, async (tx) => {
      await lockAvailable(tx, shop.merchantId, [{ accountId: from.id, amountMinor }])
      const postings = refundStartedPostings({ currency: from.currency, taken: [{ accountId: from.id, amountMinor }] })
      await postEntry(tx, {
        merchantId: shop.merchantId,
        kind: 'refund_started',
        sourceId: newId('payment', 0),
        postings,
        now: new Date(0),
      })
    })
  const isShort = (error: unknown) => error instanceof Problem && error.key === 'insufficientFunds'

  test('never takes what is only pending, and never more than there is, however many try', async () => {
    const from = await made()
    await pay(from, 1000n, false)
    await assert.rejects(take(from, 1n), isShort)
    await pay(from, 100n, true)
    const tries = await Promise.allSettled(Array.from({ length: 10 }, () => take(from, 30n)))
    assert.equal(tries.filter((one) => one.status === 'fulfilled').length, 3)
    assert.ok(tries.every((one) => one.status === 'fulfilled' || isShort(one.reason)))
    const { body } = await shop.call('GET', `/accounts/${from.id}`)
    assert.deepEqual([body.balance, body.availableFunds], ['1010', '10'])
  })

  test('adds up what is taken from one account twice, and knows no other merchant’s accounts', async () => {
    const from = await made()
    await pay(from, 100n, true)
    const twice = [
      { accountId: from.id, amountMinor: 60n },
      { accountId: from.id, amountMinor: 60n },
    ]
    await assert.rejects(
      transaction(app.ctx.sql, (tx) => lockAvailable(tx, shop.merchantId, twice)),
      isShort,
    )
    await assert.rejects(
      transaction(app.ctx.sql, (tx) => lockAvailable(tx, other.merchantId, twice.slice(1))),
      Problem,
    )
  })
})
