/** Steps driven by the merchant: authorised, captured, received, cancelled (contract section 4.5, design section 5), through HTTP. */
import assert from 'node:assert/strict'
import { after, before, describe, it, test } from 'node:test'
import { type Body, startTestApp, type TestApp } from '../../../test/harness.ts'
import { pointers, prove, setMerchant, told } from '../../../test/proof.ts'
import { makeShop, ok, pixOf, type Shop } from '../../../test/shop.ts'

let t: TestApp
let shop: Shop
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client, ['BRL', 'COP'])
})
after(() => t.close())

const post = (url: string, body?: unknown) => t.client.call('POST', url, body)
const read = (payment: Body) => ok(t.client, 'GET', `/payments/${payment.id}`)
const drive = (payment: Body, step: 'authorized' | 'captured', body?: unknown) =>
  post(`/payments/${payment.id}/${step}`, body)
const receive = (body: unknown) => post('/payments/received', body)
const cancel = (session: Body, payment: Body) =>
  post(`/checkout-sessions/${session.id}/payments/${payment.id}/cancel`, {})
const cardOf = (token: string) => ({ origins: [{ type: 'CARD', currency: 'BRL', card: { token } }] })
const silentPix = pixOf('ana+silent@example.com')
async function begun(body: unknown, change: Record<string, unknown> = {}) {
  const session = await shop.session({ paymentMethodsAllowed: ['PIX', 'CARD'], ...change })
  const payment = await ok(t.client, 'POST', `/checkout-sessions/${session.id}/payments`, body)
  return { session, payment }
}
const sessionStatus = async (session: Body) => (await shop.read(session.id)).status
/** NEQUI is ended by us at once: its reference stays watched. */
async function nequi(email: string) {
  const session = await shop.session({
    currency: 'COP',
    items: [{ description: 'x', preTaxAmount: '50000', totalAmount: '50000' }],
    destinations: [{ type: 'ACCOUNT', amount: '50000', account: { accountNumber: shop.accounts.COP?.accountNumber } }],
    paymentMethodsAllowed: ['NEQUI'],
  })
  const customer = { firstName: 'Ana', email, phoneNumber: '3001234567' }
  const answer = await post(`/checkout-sessions/${session.id}/payments`, { paymentMethod: 'NEQUI', customer })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return { session, payment: answer.body }
}

describe('a card that waits for its capture', () => {
  it('is AUTHORIZED, keeps the session PROCESSING_PAYMENT, and captured it is paid', async () => {
    const { session, payment } = await begun(cardOf('tok_sandbox_manual'))
    assert.equal(payment.status, 'AUTHORIZED')
    assert.ok(payment.authorizedAt)
    assert.equal(await sessionStatus(session), 'PROCESSING_PAYMENT')
    assert.equal((await drive(payment, 'authorized')).status, 422, 'it is that already')
    await t.advance(5000)
    assert.equal((await read(payment)).status, 'AUTHORIZED')
    const captured = await drive(payment, 'captured')
    assert.deepEqual([captured.status, captured.body.status], [200, 'CAPTURED'])
    assert.equal(await sessionStatus(session), 'FINISHED')
    assert.equal((await drive(payment, 'captured')).status, 422)
    assert.equal((await drive(payment, 'authorized')).status, 422)
    await t.advance(1100)
    await t.advance(2100)
    assert.equal((await read(payment)).status, 'SETTLED')
    assert.equal((await drive(payment, 'captured')).status, 422)
  })

  it('is voided by a cancel, and the session is free again', async () => {
    const { session, payment } = await begun(cardOf('tok_sandbox_manual'))
    const voided = await cancel(session, payment)
    assert.deepEqual([voided.status, voided.body.status], [200, 'EXPIRED'])
    assert.equal(await sessionStatus(session), 'ACTIVE')
    assert.equal((await drive(payment, 'captured')).status, 422)
    assert.equal((await cancel(session, payment)).status, 200, 'a repeated cancel finds it done')
  })

  it('lapses at its deadline', async () => {
    const { session, payment } = await begun(cardOf('tok_sandbox_manual'), { duration: 600 })
    await t.advance(600_000)
    assert.equal((await read(payment)).status, 'EXPIRED')
    assert.equal(await sessionStatus(session), 'EXPIRED')
  })

  it('10 captures at the same moment take it once', async () => {
    const { session, payment } = await begun(cardOf('tok_sandbox_manual'))
    const answers = await Promise.all(Array.from({ length: 10 }, () => drive(payment, 'captured')))
    assert.ok(answers.some((a) => a.status === 200))
    assert.deepEqual(
      answers.filter((a) => a.status !== 200 && a.status !== 422),
      [],
    )
    assert.equal((await told(t, t.client, session.id)).filter((type) => type === 'payment.captured').length, 1)
  })

  it('400: there is no partial capture', async () => {
    const { payment } = await begun(cardOf('tok_sandbox_manual'))
    const { status, body } = await drive(payment, 'captured', { amount: '1.00' })
    assert.deepEqual([status, pointers(body)], [400, ['/amount']])
  })
})

describe('the sandbox lets every rail be driven', () => {
  it('PIX: authorised, captured (not yet paid), received (paid), settled', async () => {
    const { session, payment } = await begun(silentPix)
    assert.equal((await drive(payment, 'authorized')).body.status, 'AUTHORIZED')
    assert.equal((await drive(payment, 'captured', {})).body.status, 'CAPTURED')
    assert.equal(await sessionStatus(session), 'PROCESSING_PAYMENT')
    assert.equal((await cancel(session, payment)).status, 422, 'captured money cannot be cancelled')
    const received = await receive({ transactionId: payment.id, signature: 'anything' })
    assert.deepEqual([received.status, received.body.status], [200, 'RECEIVED'])
    assert.equal(await sessionStatus(session), 'FINISHED')
    assert.equal((await receive({ id: payment.id })).body.status, 'RECEIVED', 'a repeated notice changes nothing')
    await t.advance(3000)
    assert.equal((await read(payment)).status, 'SETTLED')
    assert.equal((await receive({ id: payment.id })).status, 422)
  })

  it('steps may be skipped forwards', async () => {
    const { session, payment } = await begun(silentPix)
    assert.equal((await receive({ id: payment.id })).body.status, 'RECEIVED')
    assert.equal(await sessionStatus(session), 'FINISHED')
    assert.equal((await drive(payment, 'captured')).status, 422)
  })

  it('a provider that says no is heard: 422, and the payment is FAILED', async () => {
    const { session, payment } = await begun(pixOf('ana+declined@example.com'))
    await t.ctx.sql`update payments set next_check_at = null where id = ${payment.id}`
    await t.advance(1500)
    assert.equal((await drive(payment, 'captured')).status, 422)
    assert.equal((await read(payment)).status, 'FAILED')
    assert.equal(await sessionStatus(session), 'ACTIVE')
    assert.equal((await receive({ id: payment.id })).status, 422)
  })

  it('live: 422 on rails that capture by themselves, 404 for what exists for testing alone', async () => {
    const client = await t.newMerchant()
    const own = await makeShop(client, ['BRL'])
    const session = await own.session()
    const payment = await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, silentPix)
    await setMerchant(t, client, { mode: 'live' })
    for (const step of ['authorized', 'captured']) {
      assert.equal((await client.call('POST', `/payments/${payment.id}/${step}`)).status, 422)
    }
    assert.equal((await client.call('POST', '/payments/received', { id: payment.id })).status, 404)
    assert.equal((await client.call('GET', `/payments/${payment.id}`)).body.status, 'CREATED')
  })

  it('400 and 404 of /payments/received', async () => {
    assert.deepEqual(pointers((await receive({})).body), ['/transactionId'])
    assert.deepEqual(pointers((await receive({ transactionId: 5, foo: 1 })).body), ['/foo', '/transactionId'])
    assert.equal((await receive({ transactionId: 'pay_01k9v3m5x8e2wvq0c7d4n6t1ab' })).status, 404)
    assert.equal((await receive({ id: 'x' })).status, 404)
    for (const step of ['authorized', 'captured', 'resolve']) {
      const body = step === 'resolve' ? { decision: 'accept', reason: 'x' } : {}
      assert.equal((await post(`/payments/x/${step}`, body)).status, 404)
    }
  })
})

describe('POST /checkout-sessions/{id}/payments/{payment_id}/cancel', () => {
  it('by the provider’s word: PIX', async () => {
    const { session, payment } = await begun(silentPix)
    const answer = await cancel(session, payment)
    assert.deepEqual([answer.status, answer.body.status], [200, 'EXPIRED'])
    assert.equal(await sessionStatus(session), 'ACTIVE')
    await t.advance(10_000)
    assert.equal((await read(payment)).status, 'EXPIRED')
  })

  it('by ourselves at once: NEQUI, whose late money then is late money', async () => {
    const { session, payment } = await nequi('ana+late@example.com')
    const answer = await cancel(session, payment)
    assert.deepEqual([answer.status, answer.body.status], [200, 'EXPIRED'])
    assert.equal(await sessionStatus(session), 'ACTIVE')
    await t.advance(1100)
    await t.advance(60_000)
    assert.equal(await sessionStatus(session), 'FINISHED')
    assert.equal((await read(payment)).status, 'EXPIRED')
  })

  it('422: its money is there, it failed, it is paid; costs no try', async () => {
    const { session, payment } = await begun(pixOf('ana@example.com'))
    await t.ctx.sql`update payments set next_check_at = null where id = ${payment.id}`
    await t.advance(1500)
    assert.equal((await cancel(session, payment)).status, 422)
    assert.equal((await read(payment)).status, 'RECEIVED')
    assert.equal(await sessionStatus(session), 'FINISHED')
    assert.equal((await cancel(session, payment)).status, 422)
    const refused = await begun(cardOf('tok_sandbox_declined'))
    assert.equal((await cancel(refused.session, refused.payment)).status, 422)
    const other = await begun(silentPix)
    await cancel(other.session, other.payment)
    const [row] = await t.ctx.sql<
      { tries: number }[]
    >`select tries from checkout_sessions where id = ${other.session.id}`
    assert.equal(row?.tries, 0)
  })

  it('404: another session’s payment, unknown ids', async () => {
    const [a, b] = [await begun(silentPix), await begun(silentPix)]
    assert.equal((await cancel(a.session, b.payment)).status, 404)
    assert.equal((await cancel(a.session, { id: 'x' })).status, 404)
    assert.equal((await cancel({ id: 'x' }, a.payment)).status, 404)
    assert.equal((await read(b.payment)).status, 'CREATED')
  })

  it('cancel, submit, receipt and delete at the same moment: one story, whichever wins', async () => {
    for (let round = 0; round < 5; round++) {
      const { session, payment } = await begun(silentPix)
      const answers = await Promise.all([
        cancel(session, payment),
        receive({ id: payment.id }),
        post(`/checkout-sessions/${session.id}/payments`, pixOf('bea+silent@example.com')),
        t.client.call('DELETE', `/checkout-sessions/${session.id}`),
      ])
      assert.deepEqual(
        answers.filter((a) => ![200, 404, 422].includes(a.status)).map((a) => a.body),
        [],
      )
    }
    await t.advance(2000)
  })
})

describe('every status of a payment × every request that moves one', () => {
  const settle = async (payment: Body) => {
    for (const ms of [1500, 1500, 2500]) await t.advance(ms)
    assert.equal((await read(payment)).status, 'SETTLED')
  }
  const made: Record<string, () => Promise<{ session: Body; payment: Body }>> = {
    CREATED: () => begun(silentPix),
    AUTHORIZED: () => begun(cardOf('tok_sandbox_manual')),
    CAPTURED: async () => {
      const { session, payment } = await begun(silentPix)
      await drive(payment, 'captured')
      return { session, payment }
    },
    RECEIVED: async () => {
      const { session, payment } = await begun(silentPix)
      await receive({ id: payment.id })
      return { session, payment }
    },
    SETTLED: async () => {
      const { session, payment } = await begun(cardOf('tok_sandbox_approved'))
      await settle(payment)
      return { session, payment }
    },
    FAILED: () => begun(cardOf('tok_sandbox_declined')),
    EXPIRED: async () => {
      const { session, payment } = await begun(silentPix)
      await cancel(session, payment)
      return { session, payment }
    },
    REVERSED: async () => {
      const { session, payment } = await begun(pixOf('ana+reversed@example.com'))
      for (const ms of [1100, 2000]) await t.advance(ms)
      return { session, payment }
    },
  }
  const verbs: Record<string, (session: Body, payment: Body) => Promise<{ status: number; body: Body }>> = {
    authorized: (_, payment) => drive(payment, 'authorized'),
    captured: (_, payment) => drive(payment, 'captured'),
    received: (_, payment) => receive({ id: payment.id }),
    cancel,
    refund: (_, payment) => post(`/payments/${payment.id}/refund`),
    resolve: (_, payment) => post(`/payments/${payment.id}/resolve`, { decision: 'accept', reason: 'x' }),
  }
  /** What each request leads to; a missing one is 422 and changes nothing. */
  const leads: Record<string, Record<string, string>> = {
    CREATED: { authorized: 'AUTHORIZED', captured: 'CAPTURED', received: 'RECEIVED', cancel: 'EXPIRED' },
    AUTHORIZED: { captured: 'CAPTURED', received: 'RECEIVED', cancel: 'EXPIRED' },
    CAPTURED: { received: 'RECEIVED' },
    RECEIVED: { received: 'RECEIVED' },
    SETTLED: { refund: 'SETTLED' },
    FAILED: {},
    EXPIRED: { cancel: 'EXPIRED' },
    REVERSED: { resolve: 'REVERSED' },
  }
  for (const [from, make] of Object.entries(made)) {
    it(`${from}: ${
      Object.entries(leads[from] ?? {})
        .map(([verb, to]) => `${verb} → ${to}`)
        .join(', ') || 'nothing'
    }; all else is 422`, async () => {
      for (const [verb, act] of Object.entries(verbs)) {
        const { session, payment } = await make()
        const found = await read(payment)
        assert.equal(found.status, from)
        const answer = await act(session, payment)
        const to = leads[from]?.[verb]
        assert.equal(
          answer.status >= 400 ? answer.status : (await read(payment)).status,
          to ?? 422,
          `${verb}: ${JSON.stringify(answer.body)}`,
        )
        if (to === undefined) assert.deepEqual(await read(payment), found, verb)
      }
    })
  }
})

describe('GET /payments', () => {
  it('200: every filter with comma lists, sorts and pages', async () => {
    const client = await t.newMerchant()
    const own = await makeShop(client, ['BRL'])
    const [first, second] = [await own.session(), await own.session()]
    const pay = (session: Body, body: unknown) => ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, body)
    const settledOne = await pay(first, pixOf())
    await t.advance(1500)
    await t.advance(2500)
    const open = await pay(second, silentPix)
    const refund = await ok(client, 'POST', `/payments/${settledOne.id}/refund`, { amount: '1.00' })
    const all = [settledOne.id, open.id, refund.refundId]
    const shown = async (query: string) => {
      const { status, body } = await client.call('GET', `/payments?${query}`)
      assert.equal(status, 200, JSON.stringify(body))
      return body.results.map((found: Body) => all.indexOf(found.id))
    }
    assert.deepEqual(await shown(''), [2, 1, 0])
    assert.deepEqual(await shown('type=PURCHASE'), [1, 0])
    assert.deepEqual(await shown('type=PURCHASE,REFUND&sort=createdAt:asc'), [0, 1, 2])
    assert.deepEqual(await shown('status=SETTLED'), [0])
    assert.deepEqual(await shown('status=SETTLED,CREATED'), [1, 0])
    assert.deepEqual(await shown('status=PENDING'), [1])
    assert.deepEqual(await shown(`checkoutSessionId=${second.id}`), [1])
    assert.deepEqual(await shown(`checkoutSessionId=${first.id},${second.id}&limit=1`), [2])
    assert.deepEqual(await shown(`parentPaymentId=${settledOne.id}`), [2])
    assert.deepEqual(await shown(`identityId=${own.identityId},x`), [2, 1, 0])
    assert.deepEqual(await shown(`accountNumber=${own.accounts.BRL?.accountNumber}`), [2, 1, 0])
    assert.deepEqual(await shown('accountNumber=x'), [])
    assert.deepEqual(await shown('attention=true'), [])
    assert.deepEqual(await shown('attention=false'), [2, 1, 0])
    assert.deepEqual(await shown('sort=totalAmount:asc&type=REFUND,PURCHASE&limit=1'), [2])
    assert.deepEqual(await shown(`after=${open.id}`), [0])
    assert.deepEqual(await shown('startDate=01/01/2020&endDate=01/01/2021'), [])
    for (const [query, pointer] of [
      ['status=PAID', '/query/status'],
      ['type=FEE', '/query/type'],
      ['attention=maybe', '/query/attention'],
      ['limit=101', '/query/limit'],
      ['customerId=1', '/query/customerId'],
    ] as const) {
      const { status, body } = await client.call('GET', `/payments?${query}`)
      assert.deepEqual([status, pointers(body)], [400, [pointer]], query)
    }
    await prove(t, client)
  })
})

test('after all of it the ledger agrees, and the last events are the objects', () => prove(t, t.client))
