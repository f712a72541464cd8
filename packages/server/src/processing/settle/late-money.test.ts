/** Money that comes late, wrong, twice or not at all (design section 8 rule 1), through HTTP. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Body, type Client, startTestApp, type TestApp } from '../../../test/harness.ts'
import { funds, prove, setMerchant, sumOf, told } from '../../../test/proof.ts'
import { makeShop, ok, pixOf, type Shop } from '../../../test/shop.ts'

let t: TestApp
let client: Client
let shop: Shop
before(async () => {
  t = await startTestApp()
})
after(() => t.close())
/** A merchant of its own for every test: balances begin at nothing. */
beforeEach(async () => {
  client = await t.newMerchant()
  shop = await makeShop(client, ['BRL'])
})

const minute = 60_000
const submit = (session: Body, body: unknown) => ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, body)
const read = (payment: Body) => ok(client, 'GET', `/payments/${payment.id}`)
const paymentsOf = async (session: Body) =>
  (await ok(client, 'GET', `/payments?checkoutSessionId=${session.id}&sort=createdAt:asc`)).results as Body[]
const resolve = (payment: Body, decision: string) =>
  client.call('POST', `/payments/${payment.id}/resolve`, { decision, reason: 'Decided in a test.' })
const card = (email: string) => ({
  origins: [{ type: 'CARD', currency: 'BRL', card: { token: 'tok_sandbox_approved', customer: { email } } }],
})
/** A session whose PIX payment ended at its deadline, with late money for it a second later. */
async function lateMoney(change: Record<string, unknown> = {}) {
  const session = await shop.session({ duration: 7200, ...change })
  const payment = await submit(session, pixOf('ana+late@example.com'))
  await t.advance(31 * minute)
  assert.equal((await read(payment)).status, 'EXPIRED')
  return { session, payment }
}
async function child(session: Body) {
  const all = await paymentsOf(session)
  const found = all.find((payment) => payment.relatedPaymentId !== undefined)
  assert.ok(found, JSON.stringify(all.map((p) => p.status)))
  return found
}
/** Held money of half the amount, as the session's own payment. */
async function tooLittle() {
  const session = await shop.session()
  const payment = await submit(session, pixOf('ana+wrong_amount@example.com'))
  await t.advance(1500)
  return { session, payment: await read(payment) }
}

describe('late money', () => {
  it('accept: it pays the session as a payment of its own, and what had ended stays ended', async () => {
    const { session, payment } = await lateMoney()
    assert.equal((await shop.read(session.id)).status, 'ACTIVE')
    await t.advance(2000)
    const late = await child(session)
    assert.equal(late.status, 'RECEIVED')
    assert.equal(late.relatedPaymentId, payment.id)
    assert.equal((await read(payment)).status, 'EXPIRED')
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    await t.advance(3000)
    assert.equal((await read(late)).status, 'SETTLED')
    assert.deepEqual(await funds(client, shop), ['11.90', '11.90'])
    await prove(t, client)
  })

  it('accept: it pays an EXPIRED session and the successor that waits', async () => {
    const { session } = await lateMoney({ duration: 1800 })
    assert.equal((await shop.read(session.id)).status, 'EXPIRED')
    const successor = await ok(client, 'POST', `/checkout-sessions/token/${session.checkoutToken}/refresh`, {})
    await t.advance(2000)
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    assert.equal((await shop.read(successor.id)).status, 'FINISHED')
    await prove(t, client)
  })

  it('accept: it is held while another payment of the order is open, and cannot be accepted until that has ended', async () => {
    const { session } = await lateMoney()
    const other = await submit(session, pixOf('ana+silent@example.com'))
    await t.advance(2000)
    const late = await child(session)
    assert.equal(late.hold, 'second')
    assert.equal((await resolve(late, 'accept')).status, 422)
    await ok(client, 'POST', `/checkout-sessions/${session.id}/payments/${other.id}/cancel`, {})
    assert.equal((await resolve(late, 'accept')).status, 200)
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    await t.advance(3000)
    assert.deepEqual(await funds(client, shop), ['11.90', '11.90'])
    assert.equal(await sumOf(t, client, 'held:BRL'), 0n)
    await prove(t, client)
  })

  it('hold: it waits on the attention list, is no one’s money, and ends by a decision', async () => {
    await setMerchant(t, client, { lateMoney: 'hold' })
    const { session } = await lateMoney()
    await t.advance(2000)
    const late = await child(session)
    assert.equal(late.hold, 'late')
    const listed = await ok(client, 'GET', '/payments?attention=true')
    assert.deepEqual(
      listed.results.map((p: Body) => p.id),
      [late.id],
    )
    assert.equal((await shop.read(session.id)).status, 'ACTIVE')
    assert.deepEqual(await funds(client, shop), ['0.00', '0.00'])
    assert.equal(await sumOf(t, client, 'held:BRL'), 1190n)
    assert.equal((await resolve(late, 'failed')).status, 422)
    assert.equal((await resolve(late, 'accept')).status, 200)
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    assert.equal((await resolve(late, 'accept')).status, 422)
    await t.advance(3000)
    assert.equal((await read(late)).status, 'SETTLED')
    assert.deepEqual(await funds(client, shop), ['11.90', '11.90'])
    await prove(t, client)
  })

  it('refund: it goes back by itself, once', async () => {
    await setMerchant(t, client, { lateMoney: 'refund' })
    const { session } = await lateMoney()
    await t.advance(2000)
    const late = await child(session)
    await t.advance(5000)
    assert.equal((await read(late)).status, 'REVERSED')
    assert.equal((await read(late)).hold, undefined)
    assert.equal(await sumOf(t, client, 'held:BRL'), 0n)
    assert.equal(await sumOf(t, client, 'clearing:PIX:BRL'), 0n)
    assert.deepEqual(await funds(client, shop), ['0.00', '0.00'])
    assert.equal((await ok(client, 'GET', `/payments?parentPaymentId=${late.id}`)).pagination.total, 1)
    await prove(t, client)
  })

  it('for a deleted session it is held, whatever replaced the session', async () => {
    const { session } = await lateMoney()
    await ok(client, 'DELETE', `/checkout-sessions/${session.id}`)
    await t.advance(2000)
    const late = await child(session)
    assert.equal(late.hold, 'deleted_session')
    assert.equal((await resolve(late, 'refund')).status, 200)
    await t.advance(3000)
    assert.equal((await read(late)).status, 'REVERSED')
    assert.equal(await sumOf(t, client, 'held:BRL'), 0n)

    const chained = await lateMoney({ duration: 1800 })
    const token = chained.session.checkoutToken
    const successor = await ok(client, 'POST', `/checkout-sessions/token/${token}/refresh`, {})
    await ok(client, 'DELETE', `/checkout-sessions/${successor.id}`)
    await t.advance(2000)
    assert.equal((await child(chained.session)).hold, 'deleted_session')
    await prove(t, client)
  })

  it('the rail’s policy goes before the merchant’s', async () => {
    await t.ctx
      .sql`insert into merchant_rails (merchant_id, rail, late_money) values (${client.merchantId}, 'PIX', 'hold')`
    const { session } = await lateMoney()
    await t.advance(2000)
    assert.equal((await child(session)).hold, 'late')
    await prove(t, client)
  })
})

describe('the wrong amount', () => {
  it('too little is held and the session waits; accepted, it is worth what came', async () => {
    const { session, payment } = await tooLittle()
    assert.equal(payment.status, 'RECEIVED')
    assert.equal(payment.hold, 'too_little')
    assert.equal(payment.receivedAmount, '5.95')
    assert.equal((await shop.read(session.id)).status, 'PROCESSING_PAYMENT')
    assert.equal((await client.call('DELETE', `/checkout-sessions/${session.id}`)).status, 422)
    assert.equal((await resolve(payment, 'accept')).status, 200)
    const accepted = await read(payment)
    assert.equal(accepted.purchaseAmount, '5.95')
    assert.equal(accepted.totalAmount, '5.95')
    assert.equal(accepted.origins[0].amount, '5.95')
    assert.equal(accepted.destinations[0].amount, '5.95')
    assert.deepEqual(await funds(client, shop), ['5.95', '0.00'])
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    await t.advance(3000)
    assert.equal((await read(payment)).status, 'SETTLED')
    assert.deepEqual(await funds(client, shop), ['5.95', '5.95'])
    await prove(t, client)
  })

  it('too little, accepted where fees and two destinations share it: everything shrinks together', async () => {
    await ok(client, 'POST', '/rules', {
      type: 'FEE',
      identityId: shop.identityId,
      overwrites: false,
      filter: null,
      feeRule: { description: 'Fee', feeType: 'PERCENTAGE', value: '10' },
    })
    const second = await ok(client, 'POST', '/accounts', {
      identityId: shop.identityId,
      type: 'CHECKING',
      custody: 'BANK_ACCOUNT',
      currency: 'BRL',
      name: 'Other',
    })
    const destinations = [
      { type: 'ACCOUNT', amount: '8.00', account: { accountNumber: shop.accounts.BRL?.accountNumber } },
      { type: 'ACCOUNT', amount: '3.90', account: { accountNumber: second.accountNumber } },
    ]
    const session = await shop.session({ destinations })
    const payment = await submit(session, pixOf('ana+wrong_amount@example.com'))
    await t.advance(1500)
    await resolve(payment, 'accept')
    await t.advance(4000)
    const { purchaseAmount, totalAmount, fees, destinations: shown } = await read(payment)
    assert.deepEqual([purchaseAmount, totalAmount, fees[0].amount], ['5.95', '5.36', '0.59'])
    assert.deepEqual(
      shown.map((d: Body) => [d.amount, d.amountOut]),
      [
        ['4.00', '3.60'],
        ['1.95', '1.76'],
      ],
    )
    assert.deepEqual(await funds(client, shop), ['3.60', '3.60'])
    await prove(t, client)
  })

  it('too little, sent back: the session may be paid again', async () => {
    const { session, payment } = await tooLittle()
    assert.equal((await resolve(payment, 'refund')).status, 200)
    assert.equal((await resolve(payment, 'refund')).status, 422, 'sent back twice')
    assert.equal((await resolve(payment, 'accept')).status, 422, 'accepted while on its way back')
    await t.advance(2000)
    assert.equal((await read(payment)).status, 'REVERSED')
    assert.equal((await shop.read(session.id)).status, 'ACTIVE')
    const again = await submit(session, pixOf())
    await t.advance(1500)
    assert.equal((await read(again)).status, 'RECEIVED')
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    await t.advance(3000)
    assert.deepEqual(await funds(client, shop), ['11.90', '11.90'])
    await prove(t, client)
  })

  it('more than asked pays the session; the surplus is a payment of its own that settles with it', async () => {
    const session = await shop.session()
    const payment = await submit(session, pixOf('ana+wrong_amount_more@example.com'))
    await t.advance(1500)
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    const paid = await read(payment)
    assert.equal(paid.receivedAmount, '13.09')
    const surplus = await child(session)
    assert.deepEqual([surplus.purchaseAmount, surplus.hold, surplus.status], ['1.19', undefined, 'RECEIVED'])
    await t.advance(3000)
    assert.equal((await read(surplus)).status, 'SETTLED')
    assert.deepEqual(await funds(client, shop), ['13.09', '13.09'])
    await prove(t, client)
  })

  it('the surplus under the policy hold waits, is accepted by a person and settles by itself', async () => {
    await setMerchant(t, client, { lateMoney: 'hold' })
    for (const body of [pixOf('ana+wrong_amount_more@example.com'), card('ana+wrong_amount_more@example.com')]) {
      const session = await shop.session({ paymentMethodsAllowed: ['PIX', 'CARD'] })
      const payment = await submit(session, body)
      await t.advance(1500)
      const surplus = await child(session)
      assert.equal(surplus.hold, 'surplus')
      await t.advance(10_000)
      assert.equal((await read(payment)).status, 'SETTLED')
      assert.equal((await read(surplus)).hold, 'surplus')
      assert.equal((await resolve(surplus, 'accept')).status, 200)
      await t.advance(10_000)
      await t.advance(10_000)
      assert.equal((await read(surplus)).status, 'SETTLED', JSON.stringify(body))
    }
    assert.deepEqual(await funds(client, shop), ['26.18', '26.18'])
    assert.equal(await sumOf(t, client, 'held:BRL'), 0n)
    await prove(t, client)
  })

  it('the surplus under the policy refund goes back', async () => {
    await setMerchant(t, client, { lateMoney: 'refund' })
    const session = await shop.session()
    await submit(session, pixOf('ana+wrong_amount_more@example.com'))
    await t.advance(1500)
    const surplus = await child(session)
    await t.advance(5000)
    assert.equal((await read(surplus)).status, 'REVERSED')
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    assert.deepEqual(await funds(client, shop), ['11.90', '11.90'])
    await prove(t, client)
  })
})

describe('a provider that takes back, or says nothing', () => {
  it('reversed: the entry is mirrored, the session stays FINISHED, somebody is told', async () => {
    const session = await shop.session()
    const payment = await submit(session, pixOf('ana+reversed@example.com'))
    await t.advance(1100)
    assert.deepEqual(await funds(client, shop), ['11.90', '0.00'])
    await t.advance(2000)
    const reversed = await read(payment)
    assert.equal(reversed.status, 'REVERSED')
    assert.ok(reversed.attention)
    assert.equal((await shop.read(session.id)).status, 'FINISHED')
    assert.deepEqual(await funds(client, shop), ['0.00', '0.00'])
    assert.equal(await sumOf(t, client, 'clearing:PIX:BRL'), 0n)
    assert.equal((await resolve(payment, 'accept')).status, 200)
    assert.equal((await read(payment)).attention, undefined)
    assert.equal((await resolve(payment, 'accept')).status, 422)
    await prove(t, client)
  })

  it('silent: never a failure; once past its deadline it is on the attention list, and a person says what happened', async () => {
    for (const decision of ['accept', 'failed'] as const) {
      const session = await shop.session({ duration: 1800 })
      const payment = await submit(session, pixOf('ana+silent@example.com'))
      assert.equal((await resolve(payment, decision)).status, 422, 'nothing to decide yet')
      await t.advance(30 * minute)
      assert.equal((await read(payment)).attention, undefined)
      await t.advance(minute)
      const silent = await read(payment)
      assert.equal(silent.status, 'CREATED')
      assert.ok(silent.attention)
      assert.equal((await shop.read(session.id)).status, 'PROCESSING_PAYMENT')
      assert.equal((await resolve(payment, 'refund')).status, 422)
      assert.equal((await resolve(payment, decision)).status, 200)
      const after = await read(payment)
      assert.equal(after.attention, undefined)
      assert.equal(after.status, decision === 'accept' ? 'RECEIVED' : 'FAILED')
      assert.equal((await shop.read(session.id)).status, decision === 'accept' ? 'FINISHED' : 'FAILED')
    }
    const [row] = await t.ctx
      .sql`select count(*)::int as kept from payment_resolutions where merchant_id = ${client.merchantId}`
    assert.equal(row?.kept, 2)
    await prove(t, client)
  })

  it('declined: FAILED with the reason, and the session may try again', async () => {
    const session = await shop.session()
    const payment = await submit(session, pixOf('ana+declined@example.com'))
    await t.advance(1500)
    const failed = await read(payment)
    assert.equal(failed.status, 'FAILED')
    assert.ok(failed.failureReason)
    assert.equal((await shop.read(session.id)).status, 'ACTIVE')
    assert.deepEqual((await told(t, client, session.id)).slice(-2), ['payment.failed', 'checkout_session.reopened'])
    await prove(t, client)
  })

  it('ten refusals end the chain: FAILED, and after a refresh each further refusal ends it again', async () => {
    const session = await shop.session({ paymentMethodsAllowed: ['CARD'] })
    const body = { origins: [{ type: 'CARD', currency: 'BRL', card: { token: 'tok_sandbox_declined' } }] }
    for (let i = 1; i <= 10; i++) {
      assert.equal((await submit(session, body)).status, 'FAILED')
      assert.equal((await shop.read(session.id)).status, i < 10 ? 'ACTIVE' : 'FAILED')
    }
    assert.equal((await client.call('POST', `/checkout-sessions/${session.id}/payments`, body)).status, 422)
    const successor = await ok(client, 'POST', `/checkout-sessions/token/${session.checkoutToken}/refresh`, {})
    assert.equal((await submit(successor, body)).status, 'FAILED')
    assert.equal((await shop.read(successor.id)).status, 'FAILED')
    await prove(t, client)
  })
})

describe('an order of several sessions', () => {
  const group = { metadata: { orderReference: 'A-1' } }

  it('two sessions paid at once: one is accepted, the other held', async () => {
    const sessions = [await shop.session(group), await shop.session(group)]
    const payments = await Promise.all(sessions.map((session) => submit(session, pixOf())))
    await t.advance(1500)
    const after = await Promise.all(payments.map(read))
    assert.deepEqual(after.map((p) => p.hold ?? 'accepted').sort(), ['accepted', 'second'])
    const statuses = await Promise.all(sessions.map(async ({ id }) => (await shop.read(id)).status))
    assert.deepEqual(statuses.sort(), ['FINISHED', 'PROCESSING_PAYMENT'])
    const held = after.find((p) => p.hold)
    assert.equal((await resolve(held, 'accept')).status, 422)
    assert.equal((await resolve(held, 'refund')).status, 200)
    await t.advance(4000)
    assert.deepEqual(await funds(client, shop), ['11.90', '11.90'])
    const third = await shop.session(group)
    assert.equal((await client.call('POST', `/checkout-sessions/${third.id}/payments`, pixOf())).status, 422)
    await prove(t, client)
  })

  it('two held payments accepted at the same moment: one wins, the other is refused, nothing breaks', async () => {
    const sessions = [await shop.session(group), await shop.session(group), await shop.session(group)]
    const payments = await Promise.all(sessions.map((s) => submit(s, pixOf('ana+wrong_amount@example.com'))))
    await t.advance(1500)
    const answers = await Promise.all(payments.map((payment) => resolve(payment, 'accept')))
    assert.deepEqual(answers.map((a) => a.status).sort(), [200, 422, 422])
    await prove(t, client)
  })
})
