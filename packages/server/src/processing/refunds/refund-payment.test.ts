/** Refunds (design section 5, contract section 10.5), through HTTP. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Body, type Client, startTestApp, type TestApp } from '../../../test/harness.ts'
import { funds, pointers, prove, sumOf } from '../../../test/proof.ts'
import { anaPix, makeShop, ok, pixOf, type Shop } from '../../../test/shop.ts'

let t: TestApp
let client: Client
let shop: Shop
before(async () => {
  t = await startTestApp()
})
after(() => t.close())
beforeEach(async () => {
  client = await t.newMerchant()
  shop = await makeShop(client, ['BRL', 'CLP'])
})

/** A payment that is SETTLED. */
async function settled(change: Record<string, unknown> = {}, body: unknown = anaPix): Promise<Body> {
  const session = await shop.session(change)
  const payment = await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, body)
  await t.advance(1500)
  await t.advance(3000)
  const read = await ok(client, 'GET', `/payments/${payment.id}`)
  assert.equal(read.status, 'SETTLED')
  return read
}
const refund = (payment: Body, body?: unknown) => client.call('POST', `/payments/${payment.id}/refund`, body)
const listed = (payment: Body) => ok(client, 'GET', `/payments/${payment.id}/refund`)
/** 2,029 CLP paid with 11.91 BRL. */
const inPesos = async () => {
  await ok(client, 'PUT', '/exchange-rates', { rates: [{ product: 'BRL:CLP', exchangeRate: '170.5' }] })
  return {
    currency: 'CLP',
    items: [{ description: 'Café', preTaxAmount: '2029', totalAmount: '2029' }],
    destinations: [{ type: 'ACCOUNT', amount: '2029', account: { accountNumber: shop.accounts.CLP?.accountNumber } }],
  }
}

describe('POST /payments/{id}/refund 201', () => {
  it('without an amount all of it goes back; the parent stays SETTLED and reads REFUNDED in v1', async () => {
    const payment = await settled()
    const { status, body } = await refund(payment)
    assert.equal(status, 201)
    assert.deepEqual(
      [body.parentPaymentId, body.status, body.totalAmount, body.currency],
      [payment.id, 'RECEIVED', '11.90', 'BRL'],
    )
    assert.deepEqual(await funds(client, shop), ['0.00', '0.00'])
    assert.equal(await sumOf(t, client, 'refunding:BRL'), 1190n)
    await t.advance(1500)
    const parent = await ok(client, 'GET', `/payments/${payment.id}`)
    assert.equal(parent.status, 'SETTLED')
    assert.ok(parent.refundedAt)
    assert.equal(
      (await client.call('GET', `/payments/${payment.id}`, undefined, { version: 'v1' })).body.status,
      'REFUNDED',
    )
    const old = await client.call('GET', '/payments?status=REFUNDED', undefined, { version: 'v1' })
    assert.deepEqual(
      old.body.results.map((p: Body) => p.id),
      [payment.id],
    )
    const notSettled = await client.call('GET', '/payments?status=SETTLED&type=PURCHASE', undefined, { version: 'v1' })
    assert.equal(notSettled.body.pagination.total, 0)
    const { summary } = await listed(payment)
    assert.deepEqual(
      [summary.totalRefunded, summary.totalInProgress, summary.maxRefundable, summary.completedCount],
      ['11.90', '0.00', '0.00', 1],
    )
    assert.equal(await sumOf(t, client, 'refunding:BRL'), 0n)
    assert.equal(await sumOf(t, client, 'clearing:PIX:BRL'), 0n)
    await prove(t, client)
  })

  it('an empty body is no amount, and the child is a payment like others', async () => {
    const payment = await settled()
    const { body } = await refund(payment, {})
    const child = await ok(client, 'GET', `/payments/${body.refundId}`)
    assert.deepEqual([child.type, child.parentPaymentId, child.purchaseAmount], ['REFUND', payment.id, '11.90'])
    assert.equal((await client.call('POST', `/payments/${body.refundId}/refund`)).status, 422)
    for (const step of ['captured', 'authorized']) {
      assert.equal((await client.call('POST', `/payments/${body.refundId}/${step}`)).status, 422)
    }
    await prove(t, client)
  })

  it('parts sum to the whole exactly, across currencies, whatever their size', async () => {
    const payment = await settled(await inPesos())
    assert.deepEqual([payment.purchaseAmount, payment.totalAmount], ['11.91', '2029'])
    for (const amount of ['3.33', '3.33', '0.01', '3.33']) assert.equal((await refund(payment, { amount })).status, 201)
    await t.advance(1500)
    const before = await funds(client, shop, 'CLP')
    assert.equal((await refund(payment, {})).body.totalAmount, '1.91')
    await t.advance(1500)
    assert.notDeepEqual(before, ['0', '0'])
    assert.deepEqual(await funds(client, shop, 'CLP'), ['0', '0'])
    for (const code of ['clearing:PIX:BRL', 'exchange:CLP', 'exchange:BRL', 'refunding:CLP']) {
      assert.equal(await sumOf(t, client, code), 0n, code)
    }
    await prove(t, client)
  })

  it('many small parts are taken from all destinations pro rata', async () => {
    const second = await ok(client, 'POST', '/accounts', {
      identityId: shop.identityId,
      type: 'CHECKING',
      custody: 'BANK_ACCOUNT',
      currency: 'BRL',
      name: 'Other',
    })
    const destinations = [
      { type: 'ACCOUNT', amount: '5.95', account: { accountNumber: shop.accounts.BRL?.accountNumber } },
      { type: 'ACCOUNT', amount: '5.95', account: { accountNumber: second.accountNumber } },
    ]
    const payment = await settled({ destinations })
    for (let i = 0; i < 10; i++) assert.equal((await refund(payment, { amount: '0.01' })).status, 201)
    assert.deepEqual(await funds(client, shop), ['5.90', '5.90'])
    assert.equal((await refund(payment)).status, 201)
    assert.deepEqual(await funds(client, shop), ['0.00', '0.00'])
    assert.equal((await ok(client, 'GET', `/accounts/${second.id}`)).balance, '0.00')
    await t.advance(1500)
    await prove(t, client)
  })

  it('one that the provider refuses is FAILED with its reason and the money is back; it may be tried again', async () => {
    const payment = await settled()
    const { body } = await refund(payment, { reason: 'please +declined' })
    await t.advance(1500)
    const failed = await ok(client, 'GET', `/payments/${body.refundId}`)
    assert.equal(failed.status, 'FAILED')
    assert.ok(failed.failureReason)
    assert.deepEqual(await funds(client, shop), ['11.90', '11.90'])
    const { summary } = await listed(payment)
    assert.deepEqual([summary.totalFailed, summary.failedCount, summary.maxRefundable], ['11.90', 1, '11.90'])
    assert.equal((await refund(payment)).status, 201)
    await t.advance(1500)
    await prove(t, client)
  })

  it('in parallel they come to the whole at most', async () => {
    const payment = await settled()
    const answers = await Promise.all(Array.from({ length: 12 }, () => refund(payment, { amount: '2.00' })))
    assert.deepEqual(answers.map((a) => a.status).sort(), [...Array(5).fill(201), ...Array(7).fill(422)])
    await t.advance(1500)
    assert.equal((await listed(payment)).summary.totalRefunded, '10.00')
    assert.deepEqual(await funds(client, shop), ['1.90', '1.90'])
    await prove(t, client)
  })

  it('one Idempotency-Key is one refund, however often it is sent', async () => {
    const payment = await settled()
    const send = () =>
      client.call(
        'POST',
        `/payments/${payment.id}/refund`,
        { amount: '1.00' },
        { headers: { 'idempotency-key': 'r-1' } },
      )
    const first = await send()
    const again = await send()
    assert.equal(again.headers['idempotent-replayed'], 'true')
    assert.deepEqual(again.body, first.body)
    // The answer is lost: the second run finds what the first one wrote.
    await t.ctx
      .sql`update idempotency_keys set status = null, body = null, leased_until = now() - interval '1 day' where key = 'r-1'`
    assert.equal((await send()).body.refundId, first.body.refundId)
    assert.equal((await listed(payment)).refunds.length, 1)
    await prove(t, client)
  })
})

describe('POST /payments/{id}/refund 4xx', () => {
  it('400: an amount that is none, unknown fields', async () => {
    const payment = await settled()
    for (const amount of ['0', '0.00', '1.234', '-1', 'x', '', ' 1', '1e3']) {
      const { status, body } = await refund(payment, { amount })
      assert.equal(status, 400, amount)
      assert.deepEqual(pointers(body), ['/amount'], amount)
    }
    assert.deepEqual(pointers((await refund(payment, { amount: 5, foo: 1 })).body), ['/amount', '/foo'])
    assert.equal((await listed(payment)).refunds.length, 0)
  })

  it('422: more than remains, a payment that is not SETTLED, nothing left', async () => {
    const payment = await settled()
    assert.equal((await refund(payment, { amount: '11.91' })).status, 422)
    assert.equal((await refund(payment, { amount: '11.90' })).status, 201)
    assert.equal((await refund(payment, { amount: '0.01' })).status, 422)
    assert.equal((await refund(payment)).status, 422)
    const session = await shop.session()
    const open = await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, pixOf())
    assert.equal((await refund(open)).status, 422)
    await t.advance(1500)
    assert.equal((await refund(open)).status, 422, 'RECEIVED is not SETTLED')
    assert.equal((await listed(open)).summary.maxRefundable, '0.00')
    await prove(t, client)
  })

  it('422 insufficientFunds: fees are not given back, so the whole needs other money', async () => {
    await ok(client, 'POST', '/rules', {
      type: 'FEE',
      identityId: shop.identityId,
      overwrites: false,
      filter: null,
      feeRule: { description: 'Fee', feeType: 'FIXED', value: '1' },
    })
    const payment = await settled()
    assert.deepEqual(await funds(client, shop), ['10.90', '10.90'])
    const { status, body } = await refund(payment)
    assert.deepEqual([status, body.type], [422, 'insufficientFunds'])
    assert.equal((await listed(payment)).refunds.length, 0)
    assert.equal((await refund(payment, { amount: '10.90' })).status, 201)
    await t.advance(1500)
    assert.deepEqual(await funds(client, shop), ['0.00', '0.00'])
    await settled()
    assert.equal((await refund(payment)).status, 201)
    await t.advance(1500)
    assert.ok((await ok(client, 'GET', `/payments/${payment.id}`)).refundedAt)
    await prove(t, client)
  })

  it('404: no such payment', async () => {
    assert.equal((await client.call('POST', '/payments/pay_x/refund')).status, 404)
    assert.equal((await client.call('GET', '/payments/pay_x/refund')).status, 404)
  })
})
