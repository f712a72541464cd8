/** Submitting payments to a session (contract section 2.9, design section 5), through HTTP. */
import assert from 'node:assert/strict'
import { after, before, describe, it, test } from 'node:test'
import { type Body, type CallOptions, startTestApp, type TestApp } from '../../../test/harness.ts'
import { pointers, prove, setMerchant, told } from '../../../test/proof.ts'
import { anaPix, makeShop, ok, pixOf, type Shop } from '../../../test/shop.ts'
import { readSession } from '../../checkout-sessions/find.ts'
import { readPaymentWithSession } from '../writing/read-payment.ts'

let t: TestApp
let shop: Shop
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
})
after(() => t.close())

const submit = (session: Body, body: unknown, options?: CallOptions) =>
  t.client.call('POST', `/checkout-sessions/${session.id}/payments`, body, options)
const paymentsOf = async (session: Body): Promise<Body[]> =>
  (await ok(t.client, 'GET', `/payments?checkoutSessionId=${session.id}`)).results
const ana = { firstName: 'Ana', lastName: 'Souza', email: 'ana@example.com', documentNumber: '52998224725' }
const silent = { ...ana, email: 'ana+silent@example.com' }
const cardOf = (card: Record<string, unknown>) => ({ origins: [{ type: 'CARD', currency: 'BRL', card }] })

describe('POST /checkout-sessions/{id}/payments 200', () => {
  it('a PIX payment shows a BR Code, and the session becomes FINISHED by itself', async () => {
    const session = await shop.session()
    const submitted = await submit(session, anaPix)
    assert.equal(submitted.status, 200, JSON.stringify(submitted.body))
    assert.match(submitted.body.origins[0].pix.data, /^000201.*6304[0-9A-F]{4}$/)
    assert.equal(submitted.body.status, 'CREATED')
    assert.equal((await shop.read(session.id)).status, 'PROCESSING_PAYMENT')
    await t.advance(1_500)
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    const listed = await t.client.call('GET', `/payments?checkoutSessionId=${session.id}`)
    assert.deepEqual(
      listed.body.results.map((p: Body) => p.status),
      ['RECEIVED'],
    )
    await t.advance(3_000)
    const [payment] = await paymentsOf(session)
    assert.equal(payment.status, 'SETTLED')
    assert.deepEqual(await told(t, t.client, session.id), [
      'checkout_session.created',
      'checkout_session.payment_submitted',
      'payment.created',
      'payment.instructed',
      'payment.received',
      'checkout_session.finished',
      'payment.settled',
    ])
  })

  it('the payment is the session’s: type, references, figures, shares, metadata, deadline', async () => {
    const session = await shop.session({ metadata: { color: 'red' }, duration: 600 })
    const { body } = await submit(session, { ...anaPix, description: 'Um café' })
    assert.deepEqual(
      [body.type, body.externalId, body.identityId, body.accountNumber, body.description, body.checkoutSessionId],
      ['PURCHASE', body.id, shop.identityId, shop.accounts.BRL?.accountNumber, 'Um café', session.id],
    )
    assert.deepEqual(
      [body.totalAmount, body.purchaseAmount, body.product, body.exchangeRate],
      ['11.90', '11.90', 'BRL:BRL', '1'],
    )
    assert.deepEqual(
      [body.origins[0].amount, body.destinations[0].amount, body.destinations[0].amountOut],
      ['11.90', '11.90', '11.90'],
    )
    assert.deepEqual(body.metadata, { color: 'red' })
    assert.equal(body.expiresAt, session.expiresAt, 'the session ends before the rail does')
    const longer = (await submit(await shop.session({ duration: 7200 }), anaPix)).body
    assert.equal(Date.parse(longer.expiresAt) - Date.parse(longer.createdAt), 30 * 60_000)
  })

  it('the other published form names the method and the payer', async () => {
    const { status, body } = await submit(await shop.session(), { paymentMethod: 'PIX', customer: ana })
    assert.equal(status, 200)
    assert.equal(body.origins[0].type, 'PIX')
    assert.equal(body.origins[0].pix.customer.email, 'ana@example.com')
  })

  it('what is missing of the payer comes from the session; what is given goes first', async () => {
    const session = await shop.session({ customer: { id: 'c-7', ...ana } })
    const { status, body } = await submit(session, { paymentMethod: 'PIX', customer: { firstName: 'Bea' } })
    assert.equal(status, 200)
    assert.deepEqual(body.origins[0].pix.customer, { ...ana, firstName: 'Bea' })
    assert.equal((await submit(await shop.session({ customer: ana }), { paymentMethod: 'PIX' })).status, 200)
  })

  it('v1 reads CREATED as PENDING', async () => {
    const { body } = await submit(await shop.session(), anaPix, { version: 'v1' })
    assert.equal(body.status, 'PENDING')
    const list = await t.client.call('GET', '/payments?status=PENDING', undefined, { version: 'v1' })
    assert.ok(list.body.results.some((p: Body) => p.id === body.id))
    assert.ok(list.body.results.every((p: Body) => p.status === 'PENDING'))
  })

  it('the same request while its payment is open returns it', async () => {
    const session = await shop.session()
    const first = await submit(session, pixOf('ana+silent@example.com'))
    const again = await submit(session, pixOf('ana+silent@example.com'))
    assert.deepEqual([again.status, again.body.id], [200, first.body.id])
    assert.equal((await paymentsOf(session)).length, 1)
  })

  it('another request cancels the open payment and takes its place', async () => {
    const session = await shop.session()
    const first = await submit(session, pixOf('ana+silent@example.com'))
    const second = await submit(session, pixOf('bea+silent@example.com'))
    assert.equal(second.status, 200)
    assert.notEqual(second.body.id, first.body.id)
    assert.deepEqual((await paymentsOf(session)).map((p) => p.status).sort(), ['CREATED', 'EXPIRED'])
    assert.equal((await shop.read(session.id)).status, 'PROCESSING_PAYMENT')
  })

  it('50 of the same at the same moment leave exactly one payment', async () => {
    const session = await shop.session()
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => submit(session, pixOf('ana+silent@example.com'))),
    )
    assert.deepEqual([...new Set(answers.map((a) => a.status))], [200])
    assert.equal(new Set(answers.map((a) => a.body.id)).size, 1)
    assert.equal((await paymentsOf(session)).length, 1)
  })

  it('those who read a session or a payment at the same moment share nothing that one of them might change', async () => {
    const session = await shop.session()
    const { body: payment } = await submit(session, pixOf('ana+silent@example.com'))
    const { sql } = t.ctx
    const { merchantId } = t.client
    const sessions = await Promise.all(Array.from({ length: 9 }, () => readSession(sql, merchantId, session.id)))
    const reads = await Promise.all(
      Array.from({ length: 9 }, () => readPaymentWithSession(sql, merchantId, payment.id)),
    )
    assert.deepEqual(new Set(sessions.map((one) => one?.id)), new Set([session.id]))
    assert.deepEqual(new Set(reads.map((one) => one?.payment.id)), new Set([payment.id]))
    assert.equal(new Set(sessions).size, 9)
    assert.equal(new Set(reads.flatMap((one) => [one?.session, one?.payment])).size, 18)
  })

  it('20 different ones at the same moment leave exactly one that is open', async () => {
    const session = await shop.session()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => submit(session, pixOf(`payer${i}+silent@example.com`))),
    )
    assert.deepEqual(
      answers.filter((a) => a.status !== 200 && a.status !== 422),
      [],
    )
    const statuses = (await paymentsOf(session)).map((p) => p.status)
    assert.equal(statuses.filter((status) => status === 'CREATED').length, 1)
    assert.equal(statuses.filter((status) => status === 'EXPIRED').length, statuses.length - 1)
  })

  it('a refusal at once is 200 FAILED with its reason, and costs the session nothing but a try', async () => {
    const session = await shop.session({ paymentMethodsAllowed: ['CARD'] })
    const { status, body } = await submit(session, cardOf({ token: 'tok_sandbox_declined' }))
    assert.deepEqual([status, body.status], [200, 'FAILED'])
    assert.ok(body.failureReason)
    assert.equal((await shop.read(session.id)).status, 'ACTIVE')
  })

  it('an approved card is CAPTURED at once, and that finishes the session', async () => {
    const session = await shop.session({ paymentMethodsAllowed: ['CARD'] })
    const { body } = await submit(session, cardOf({ token: 'tok_sandbox_approved', holder: 'ANA SOUZA', mask: '4242' }))
    assert.equal(body.status, 'CAPTURED')
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    await t.advance(1100)
    await t.advance(2100)
    const [payment] = await paymentsOf(session)
    assert.equal(payment.status, 'SETTLED')
    assert.ok(payment.capturedAt && payment.receivedAt && payment.settledAt)
  })

  it('one Idempotency-Key is one payment, also after an answer was lost', async () => {
    const session = await shop.session()
    const headers = { 'idempotency-key': 'pay-1' }
    const first = await submit(session, pixOf('ana+silent@example.com'), { headers })
    assert.equal(
      (await submit(session, pixOf('ana+silent@example.com'), { headers })).headers['idempotent-replayed'],
      'true',
    )
    await t.ctx
      .sql`update idempotency_keys set status = null, body = null, leased_until = now() - interval '1 day' where key = 'pay-1'`
    const resumed = await submit(session, pixOf('ana+silent@example.com'), { headers })
    assert.deepEqual([resumed.status, resumed.body.id], [200, first.body.id])
    assert.equal((await paymentsOf(session)).length, 1)
  })

  it('a call that hangs is CREATED without instructions after 10 s; the look-up brings the outcome', async () => {
    const session = await shop.session()
    const { status, body } = await submit(session, pixOf('ana+timeout@example.com'))
    assert.deepEqual([status, body.status, body.origins[0].pix.data], [200, 'CREATED', undefined])
    await t.advance(20_000)
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
  })
})

describe('POST /checkout-sessions/{id}/payments 400', () => {
  const cases: [what: string, body: unknown, expected: string[]][] = [
    ['nothing at all', {}, ['/origins']],
    ['no node', { origins: [] }, ['/origins']],
    ['two nodes', { origins: [anaPix.origins[0], anaPix.origins[0]] }, ['/origins']],
    ['both forms', { ...anaPix, paymentMethod: 'PIX' }, ['/paymentMethod']],
    ['the payer beside origins', { ...anaPix, customer: ana }, ['/customer']],
    ['an unknown field', { ...anaPix, foo: 1 }, ['/foo']],
    ['an unknown field of the node', { origins: [{ ...anaPix.origins[0], foo: 1 }] }, ['/origins/0/foo']],
    ['another rail’s object', { origins: [{ type: 'PIX', currency: 'BRL', card: {} }] }, ['/origins/0/card']],
    ['a type that is none', { origins: [{ type: 'CASH', currency: 'BRL' }] }, ['/origins/0/type']],
    ['a payout rail', { origins: [{ type: 'SEPA', currency: 'EUR' }] }, ['/origins/0/type']],
    ['a method that is not allowed', cardOf({ token: 'x' }), ['/origins/0/type']],
    ['the same in the other form', { paymentMethod: 'CARD' }, ['/paymentMethod']],
    ['another amount', { origins: [{ ...anaPix.origins[0], amount: '11.91' }] }, ['/origins/0/amount']],
    ['an amount that is none', { origins: [{ ...anaPix.origins[0], amount: 'x' }] }, ['/origins/0/amount']],
    [
      'a payer of whom all is missing',
      { origins: [{ type: 'PIX', currency: 'BRL' }] },
      ['documentNumber', 'email', 'firstName', 'lastName'].map((f) => `/origins/0/pix/customer/${f}`),
    ],
    [
      'the same in the other form',
      { paymentMethod: 'PIX', customer: { email: 'ana@example.com' } },
      ['/customer/documentNumber', '/customer/firstName', '/customer/lastName'],
    ],
    [
      'a CPF whose check digit is wrong',
      { paymentMethod: 'PIX', customer: { ...ana, documentType: 'CPF', documentNumber: '52998224724' } },
      ['/customer/documentNumber'],
    ],
    ['an e-mail that is none', { paymentMethod: 'PIX', customer: { ...ana, email: 'ana' } }, ['/customer/email']],
    [
      'a phone that is none',
      { paymentMethod: 'PIX', customer: { ...ana, phoneNumber: '1' } },
      ['/customer/phoneNumber'],
    ],
    ['a NUL', { ...anaPix, description: 'a\0b' }, ['/description']],
  ]
  for (const [what, body, expected] of cases) {
    it(`${what}: ${expected.join(', ')}`, async () => {
      const session = await shop.session()
      const answer = await submit(session, body)
      assert.equal(answer.status, 400, JSON.stringify(answer.body))
      assert.deepEqual(pointers(answer.body), expected)
      assert.equal((await paymentsOf(session)).length, 0)
      assert.equal((await shop.read(session.id)).status, 'ATTEMPT')
    })
  }

  it('what the merchant wants to know of every payer, whatever the method needs', async () => {
    const session = await shop.session({ customerRequirements: ['phoneNumber', 'address', 'firstName'] })
    const { status, body } = await submit(session, { paymentMethod: 'PIX', customer: ana })
    assert.deepEqual([status, pointers(body)], [400, ['/customer/address', '/customer/phoneNumber']])
  })

  it('card data anywhere in a card node is refused, and neither stored nor repeated', async () => {
    const number = '4111111111111111'
    const session = await shop.session({ paymentMethodsAllowed: ['CARD'] })
    const nodes: [string, unknown][] = [
      ['/origins/0/card/pan', cardOf({ token: 'tok_sandbox_approved', pan: number })],
      ['/origins/0/card/cvv', cardOf({ token: 'tok_sandbox_approved', cvv: '123' })],
      ['/origins/0/card/token', cardOf({ token: number })],
      ['/origins/0/card/token', cardOf({ token: '4111 1111 1111 1111' })],
      ['/origins/0/card/holder', cardOf({ token: 'tok_sandbox_approved', holder: `ANA ${number}` })],
      [
        '/origins/0/externalId',
        { origins: [{ ...cardOf({ token: 'tok_sandbox_approved' }).origins[0], externalId: number }] },
      ],
    ]
    for (const [pointer, body] of nodes) {
      const answer = await submit(session, body, { headers: { 'idempotency-key': `card-${pointer.length}` } })
      assert.equal(answer.status, 400, pointer)
      assert.deepEqual(pointers(answer.body), [pointer])
      assert.ok(!JSON.stringify(answer.body).replaceAll(' ', '').includes(number))
    }
    assert.equal((await paymentsOf(session)).length, 0)
  })
})

describe('POST /checkout-sessions/{id}/payments 404 and 422', () => {
  it('404: an unknown or malformed id, a deleted session', async () => {
    for (const id of ['cs_01k9v3m5x8e2wvq0c7d4n6t1ab', 'x', '%20', 'pay_1']) {
      assert.equal((await submit({ id }, anaPix)).status, 404, id)
    }
    const session = await shop.session()
    await ok(t.client, 'DELETE', `/checkout-sessions/${session.id}`)
    assert.equal((await submit(session, anaPix)).status, 404)
  })

  it('422: a session that is paid, or whose time is over before the job has seen it', async () => {
    const paid = await shop.session()
    await submit(paid, anaPix)
    await t.advance(1500)
    assert.equal((await submit(paid, anaPix)).status, 422)
    const session = await shop.session({ duration: 30 })
    t.passTime(31_000)
    assert.equal((await submit(session, anaPix)).status, 422)
    await t.runJobs()
    assert.equal((await shop.read(session.id)).status, 'EXPIRED')
  })

  it('422: another request while the open payment cannot be cancelled, because its money is there', async () => {
    const session = await shop.session({ paymentMethodsAllowed: ['PIX', 'CARD'] })
    const first = await submit(session, pixOf('ana@example.com'))
    // The poller overlooks it: only the cancel hears that it was paid.
    await t.ctx.sql`update payments set next_check_at = null where id = ${first.body.id}`
    await t.advance(5000)
    const second = await submit(session, cardOf({ token: 'tok_sandbox_approved' }))
    assert.equal(second.status, 422)
    assert.deepEqual(
      (await paymentsOf(session)).map((p) => p.status),
      ['RECEIVED'],
    )
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
  })

  it('422: a live merchant with a connection but no connector behind it writes nothing', async () => {
    const live = await t.newMerchant('live')
    const liveShop = await makeShop(live, ['BRL'])
    const none = await live.call('POST', '/checkout-sessions', liveShop.body())
    assert.deepEqual([none.status, none.body.type], [422, 'failedPrecondition'])
    await setMerchant(t, live, { mode: 'sandbox' })
    const session = await liveShop.session()
    await setMerchant(t, live, { mode: 'live' })
    const answer = await live.call('POST', `/checkout-sessions/${session.id}/payments`, {
      paymentMethod: 'PIX',
      customer: silent,
    })
    assert.equal(answer.status, 422)
    assert.equal((await liveShop.read(session.id)).status, 'ATTEMPT')
    assert.equal((await live.call('POST', '/payments/received', { transactionId: 'x' })).status, 404)
    await prove(t, live)
  })
})

test('after all of it the ledger agrees, and the last events are the objects', () => prove(t, t.client))
