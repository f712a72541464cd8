/** The one throat under any sequence of news: whatever providers, operators and merchants say, the books agree and an order is paid once. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Outcome } from '@pasarela/connector-kit'
import fc from 'fast-check'
import { type Body, type Client, startTestApp, type TestApp } from '../../../test/harness.ts'
import { findFaults } from '../../../test/interleavings/invariants.ts'
import { funds, prove, setMerchant, sumOf } from '../../../test/proof.ts'
import { makeShop, ok, pixOf, type Shop } from '../../../test/shop.ts'
import { findMerchant } from '../../access/find.ts'
import { Problem } from '../../kit/problem.ts'
import { takeSecondMoney } from './second-money.ts'
import { settle } from './settle.ts'

let t: TestApp
let client: Client
let shop: Shop
before(async () => {
  t = await startTestApp()
  client = t.client
  shop = await makeShop(client, ['BRL'])
})
after(() => t.close())

const silentCard = {
  origins: [
    {
      type: 'CARD',
      currency: 'BRL',
      card: { token: 'tok_sandbox_manual', customer: { email: 'ana+silent@example.com' } },
    },
  ],
}
const read = (id: string) => ok(client, 'GET', `/payments/${id}`)
async function begun(body: unknown = pixOf('ana+silent@example.com')) {
  const session = await shop.session({ paymentMethodsAllowed: ['PIX', 'CARD'] })
  const payment = await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, body)
  // Nobody but the test brings news.
  await t.ctx.sql`update payments set next_check_at = null where merchant_id = ${client.merchantId}`
  return { session, payment }
}
async function tell(paymentId: string, outcome: Outcome) {
  const merchant = await findMerchant(t.ctx.sql, client.merchantId)
  assert.ok(merchant)
  await settle(t.ctx, merchant, paymentId, outcome)
}
async function refOf(paymentId: string): Promise<string> {
  const [row] = await t.ctx.sql<{ connectorRef: string }[]>`select connector_ref from payments where id = ${paymentId}`
  return row?.connectorRef ?? paymentId
}
const brl = (minor: number) => ({ minor: BigInt(minor), currency: 'BRL' as const })
const paymentsOf = async (session: Body): Promise<Body[]> =>
  (await ok(client, 'GET', `/payments?checkoutSessionId=${session.id}&limit=100&sort=createdAt:asc`)).results

describe('a surplus', () => {
  for (const policy of ['accept', 'hold', 'refund']) {
    it(`goes back with the payment that the provider takes back (${policy})`, async () => {
      await setMerchant(t, client, { lateMoney: policy })
      const original = await funds(client, shop)
      const { session, payment } = await begun()
      const ref = await refOf(payment.id)
      await tell(payment.id, { is: 'received', ref, amount: brl(1309) })
      await tell(payment.id, { is: 'reversed', ref, amount: brl(1309) })
      const all = await paymentsOf(session)
      assert.deepEqual(
        all.filter((p) => p.type === 'PURCHASE').map((p) => p.status),
        ['REVERSED', 'REVERSED'],
      )
      await t.advance(5000)
      assert.deepEqual(await funds(client, shop), original)
      assert.equal(await sumOf(t, client, 'held:BRL'), 0n)
      await setMerchant(t, client, { lateMoney: 'accept' })
      await prove(t, client)
    })
  }
})

describe('contradictions', () => {
  it('held money that is on its way back and taken back as well goes once, and somebody is told', async () => {
    const { session, payment } = await begun()
    const ref = await refOf(payment.id)
    await tell(payment.id, { is: 'received', ref, amount: brl(500) })
    await ok(client, 'POST', `/payments/${payment.id}/resolve`, { decision: 'refund', reason: 'x' })
    await tell(payment.id, { is: 'reversed', ref, amount: brl(500) })
    await t.advance(3000)
    assert.ok((await read(payment.id)).attention)
    assert.equal((await ok(client, 'GET', `/checkout-sessions/${session.id}`)).status, 'ACTIVE')
    assert.equal(await sumOf(t, client, 'held:BRL'), 0n)
    await prove(t, client)
  })

  it('a refusal after the money, an end after the money: flagged, never applied, no reason kept', async () => {
    for (const is of ['declined', 'expired'] as const) {
      const { session, payment } = await begun()
      const ref = await refOf(payment.id)
      await tell(payment.id, { is: 'received', ref, amount: brl(1190) })
      await tell(payment.id, is === 'declined' ? { is, ref, reason: 'no' } : { is, ref })
      const later = await read(payment.id)
      assert.deepEqual([later.status, later.failureReason], ['RECEIVED', undefined])
      assert.ok(later.attention)
      assert.equal((await ok(client, 'GET', `/checkout-sessions/${session.id}`)).status, 'FINISHED')
    }
    await prove(t, client)
  })

  it('the same news ten times changes nothing', async () => {
    const { session, payment } = await begun()
    const ref = await refOf(payment.id)
    const news: Outcome[] = [
      { is: 'received', ref, amount: brl(1190) },
      { is: 'settled', ref, amount: brl(1190) },
    ]
    for (const outcome of news) {
      await tell(payment.id, outcome)
      const [object, events] = [await read(payment.id), await eventCount(session)]
      await Promise.all(Array.from({ length: 10 }, () => tell(payment.id, outcome)))
      assert.deepEqual(await read(payment.id), object)
      assert.equal(await eventCount(session), events)
    }
    await prove(t, client)
  })
})

describe('a reversal after settlement', () => {
  const refund = (id: string, body: unknown = {}) => client.call('POST', `/payments/${id}/refund`, body)
  const acknowledge = (id: string) =>
    ok(client, 'POST', `/payments/${id}/resolve`, { decision: 'accept', reason: 'The bank took it back in error.' })
  async function settledPayment(minor: number) {
    const { session, payment } = await begun()
    const ref = await refOf(payment.id)
    await tell(payment.id, { is: 'received', ref, amount: brl(minor) })
    await tell(payment.id, { is: 'settled', ref, amount: brl(minor) })
    assert.equal((await read(payment.id)).status, 'SETTLED')
    return { session, payment, ref }
  }
  const summaryOf = async (id: string) => (await ok(client, 'GET', `/payments/${id}/refund`)).summary

  it('keeps the payment from being refunded until somebody has resolved it', async () => {
    const { session, payment, ref } = await settledPayment(1190)
    await tell(payment.id, { is: 'reversed', ref, amount: brl(1190) })
    const marked = await read(payment.id)
    assert.equal(marked.attention, 'The provider reports that it took back 11.90 BRL after settlement.')
    const listed = await ok(client, 'GET', '/payments?attention=true&limit=1')
    assert.equal(listed.results[0].id, payment.id)
    for (const body of [{}, { amount: '0.01' }]) {
      const refused = await refund(payment.id, body)
      assert.deepEqual([refused.status, refused.body.type], [422, 'failedPrecondition'])
    }
    assert.equal((await summaryOf(payment.id)).maxRefundable, '0.00')
    assert.equal((await paymentsOf(session)).length, 1)
    await acknowledge(payment.id)
    assert.equal((await summaryOf(payment.id)).maxRefundable, '11.90')
    assert.equal((await refund(payment.id)).status, 201)
    await t.advance(3000)
    await prove(t, client)
  })

  it('that comes after a refund says both amounts and what went out too much', async () => {
    const { payment, ref } = await settledPayment(1190)
    assert.equal((await refund(payment.id, { amount: '5.00' })).status, 201)
    await t.advance(3000)
    await t.ctx.sql`update payments set next_check_at = null where merchant_id = ${client.merchantId}`
    const [, before] = await funds(client, shop)
    await tell(payment.id, { is: 'reversed', ref, amount: brl(1190) })
    const expected =
      'The provider reports that it took back 11.90 BRL after settlement. Refunds: 5.00 BRL done, 0.00 BRL under way. Together that is 5.00 BRL more than was paid.'
    const marked = await read(payment.id)
    assert.deepEqual([marked.status, marked.attention], ['SETTLED', expected])
    await tell(payment.id, { is: 'reversed', ref, amount: brl(1190) })
    assert.deepEqual(await read(payment.id), marked, 'the same news twice changes nothing')
    assert.equal((await refund(payment.id)).status, 422)
    assert.equal((await funds(client, shop))[1], before, 'the ledger waits for the decision')
    await prove(t, client)
  })

  it('of a part says that part, and nothing of too much where the sum fits', async () => {
    const { payment, ref } = await settledPayment(1190)
    assert.equal((await refund(payment.id, { amount: '5.00' })).status, 201)
    await tell(payment.id, { is: 'reversed', ref, amount: brl(100) })
    assert.match(
      (await read(payment.id)).attention,
      /^The provider reports that it took back 1\.00 BRL after settlement\. Refunds: [05]\.00 BRL done, [05]\.00 BRL under way\.$/,
    )
    await t.advance(3000)
    await prove(t, client)
  })

  it('covers the surplus that came with the payment', async () => {
    const { session, payment, ref } = await settledPayment(1309)
    const surplus = (await paymentsOf(session)).find((found) => found.relatedPaymentId === payment.id)
    assert.equal(surplus?.status, 'SETTLED')
    await tell(payment.id, { is: 'reversed', ref, amount: brl(1309) })
    for (const id of [payment.id, surplus?.id]) assert.equal((await refund(id)).status, 422)
    for (const id of [payment.id, surplus?.id]) await acknowledge(id)
    assert.equal((await refund(surplus?.id)).status, 201)
    await t.advance(3000)
    await prove(t, client)
  })

  it('and a refund at the same moment: the one that is second sees the first', async () => {
    for (let round = 0; round < 5; round++) {
      const { payment, ref } = await settledPayment(1190)
      const [answer] = await Promise.all([
        refund(payment.id),
        tell(payment.id, { is: 'reversed', ref, amount: brl(1190) }),
      ])
      const { attention } = await read(payment.id)
      if (answer.status === 201) assert.match(attention, /Together that is 11\.90 BRL more than was paid\./)
      else assert.equal(answer.status, 422)
      assert.ok(attention)
      await acknowledge(payment.id)
    }
    await t.advance(3000)
    await prove(t, client)
  })
})

describe('times', () => {
  const timesOf = async (streamId: string): Promise<number[]> => {
    const rows = await t.ctx.sql<{ createdAt: Date }[]>`
      select created_at from events where merchant_id = ${client.merchantId} and stream_id = ${streamId} order by sequence`
    return rows.map((row) => row.createdAt.getTime())
  }
  const ascending = (times: number[]) =>
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    )

  it('never step back within a session, its payments and refunds, whatever clock each step was taken by', async () => {
    const { session, payment } = await begun(silentCard)
    const ref = await refOf(payment.id)
    for (const is of ['authorized', 'captured', 'received', 'settled'] as const) {
      t.passTime(-519)
      await tell(payment.id, { is, ref, amount: brl(1190) })
    }
    t.passTime(-519)
    const refund = await ok(client, 'POST', `/payments/${payment.id}/refund`, { amount: '1.00' })
    t.passTime(-519)
    await ok(client, 'POST', `/payments/${payment.id}/refund`, { amount: '2.00' })
    const paid = await read(payment.id)
    ascending([
      Date.parse(session.createdAt),
      ...['createdAt', 'authorizedAt', 'capturedAt', 'receivedAt', 'settledAt'].map((name) => Date.parse(paid[name])),
      Date.parse(refund.createdAt),
    ])
    ascending(await timesOf(session.id))
    t.passTime(6 * 519)
    await prove(t, client)
  })

  it('never step back within a chain that is refreshed, a payment that is replaced, and a session that is deleted', async () => {
    const { session } = await begun()
    t.passTime(-519)
    await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, silentCard)
    const [first] = await paymentsOf(session)
    t.passTime(-519)
    await ok(client, 'DELETE', `/checkout-sessions/${session.id}`)
    ascending(await timesOf(session.id))
    assert.ok(first?.status === 'EXPIRED' && first.expiredAt >= first.createdAt)
    t.passTime(2 * 519)
    await prove(t, client)
  })

  it('never step back within a link, nor within a webhook endpoint', async () => {
    const link = await ok(client, 'POST', '/payment-links', shop.body())
    const created = { url: 'https://shop.example/hook', eventTypes: ['*'] }
    const endpoint = await ok(client, 'POST', '/webhook-endpoints', created)
    for (const [verb, status] of [
      ['activate', 'PAUSED'],
      ['deactivate', 'ACTIVE'],
    ]) {
      t.passTime(-519)
      await ok(client, 'POST', `/payment-links/${link.id}/${verb}`)
      await ok(client, 'PATCH', `/webhook-endpoints/${endpoint.id}`, { status })
    }
    t.passTime(-519)
    await ok(client, 'DELETE', `/payment-links/${link.id}`)
    for (const [stream, count] of [
      [link.id, 4],
      [endpoint.id, 2],
    ]) {
      const times = await timesOf(stream)
      assert.equal(times.length, count)
      ascending(times)
    }
    t.passTime(3 * 519)
  })
})

async function eventCount(session: Body): Promise<number> {
  const [row] = await t.ctx.sql<
    { count: number }[]
  >`select count(*)::int as count from events where stream_id = ${session.id}`
  return row?.count ?? 0
}

type Step =
  | { do: 'tell'; is: Outcome['is']; amount: number; ref: 'own' | 'other' }
  | { do: 'resolve'; decision: 'accept' | 'refund' | 'failed' }
  | { do: 'refund'; amount: string }
  | { do: 'wait' | 'otherClock'; ms: number }
  | { do: 'cancel' | 'submit' | 'delete' | 'refresh' | 'captured' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      is: fc.constantFrom<Outcome['is']>(
        'authorized',
        'captured',
        'received',
        'settled',
        'reversed',
        'declined',
        'expired',
        'pending',
      ),
      amount: fc.constantFrom(1, 500, 1189, 1190, 1190, 1190, 1191, 2380),
      ref: fc.constantFrom('own' as const, 'own' as const, 'other' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('resolve' as const),
      decision: fc.constantFrom('accept' as const, 'refund' as const, 'failed' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('refund' as const), amount: fc.constantFrom('0.01', '5.00', '11.90') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1500, 1_900_000, 4_000_000) }),
  },
  {
    // The next step is taken by a process whose clock is behind, or read its time before it waited for a lock.
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('otherClock' as const), ms: fc.constantFrom(-519, -5000, 700) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'cancel' as const,
        'submit' as const,
        'delete' as const,
        'refresh' as const,
        'captured' as const,
      ),
    }),
  },
)

/** Does one step to every payment of the session; refusals are fine, anything else is not. */
async function take(session: Body, chosen: Step): Promise<void> {
  const merchant = await findMerchant(t.ctx.sql, client.merchantId)
  assert.ok(merchant)
  const payments = await paymentsOf(session)
  const purchase = payments.filter((p) => p.type === 'PURCHASE').at(-1)
  const statuses: number[] = []
  const call = async (method: string, url: string, body?: unknown) => {
    const { status } = await client.call(method, url, body)
    statuses.push(status)
  }
  switch (chosen.do) {
    case 'tell': {
      for (const { id, type } of payments.slice(0, 3)) {
        if (type !== 'PURCHASE') continue
        const ref = (await refOf(id)) + (chosen.ref === 'other' ? '-2' : '')
        const amount = brl(chosen.amount)
        const outcome = (
          chosen.is === 'declined'
            ? { is: 'declined', reason: 'no', ref }
            : chosen.is === 'expired' || chosen.is === 'pending'
              ? { is: chosen.is, ref }
              : { is: chosen.is, ref, amount }
        ) as Outcome
        try {
          if (chosen.ref === 'other') await takeSecondMoney(t.ctx, merchant, id, outcome)
          else await settle(t.ctx, merchant, id, outcome)
        } catch (error) {
          if (!(error instanceof Problem)) throw error
        }
      }
      break
    }
    case 'resolve':
      for (const { id } of payments)
        await call('POST', `/payments/${id}/resolve`, { decision: chosen.decision, reason: 'x' })
      break
    case 'refund':
      for (const { id } of payments) await call('POST', `/payments/${id}/refund`, { amount: chosen.amount })
      break
    case 'wait':
      await t.advance(chosen.ms)
      break
    case 'otherClock':
      t.passTime(chosen.ms)
      break
    case 'cancel':
      if (purchase) await call('POST', `/checkout-sessions/${session.id}/payments/${purchase.id}/cancel`)
      break
    case 'captured':
      if (purchase) await call('POST', `/payments/${purchase.id}/captured`)
      break
    case 'submit':
      await call('POST', `/checkout-sessions/${session.id}/payments`, silentCard)
      break
    case 'delete':
      await call('DELETE', `/checkout-sessions/${session.id}`)
      break
    case 'refresh':
      await call('POST', `/checkout-sessions/token/${session.checkoutToken}/refresh`)
      break
  }
  assert.deepEqual(
    statuses.filter((status) => ![200, 201, 404, 422].includes(status)),
    [],
  )
}

describe('any sequence of news and decisions', () => {
  it('one by one or at the same moment, leaves the books balanced, the streams whole, and each order paid once at most', async () => {
    const run = async (policy: string, body: 'pix' | 'card', together: number, steps: Step[]) => {
      client = await t.newMerchant()
      shop = await makeShop(client, ['BRL'])
      await setMerchant(t, client, { lateMoney: policy })
      const { session } = await begun(body === 'pix' ? undefined : silentCard)
      for (let i = 0; i < steps.length; i += together) {
        await Promise.all(steps.slice(i, i + together).map((chosen) => take(session, chosen)))
      }
      await prove(t, client)
      assert.deepEqual(await findFaults(t.ctx.sql, client.merchantId, false), [])
      const [row] = await t.ctx.sql<{ most: number }[]>`
        select coalesce(max(count), 0)::int as most from (
          select count(*) from payments where merchant_id = ${client.merchantId} and accepted_at is not null group by order_key) a`
      assert.ok((row?.most ?? 0) <= 1)
      const strange = await t.ctx.sql`
        select id from payments where merchant_id = ${client.merchantId} and hold is not null and status not in ('CAPTURED', 'RECEIVED')`
      assert.deepEqual([...strange], [])
    }
    const property = fc.asyncProperty(
      fc.constantFrom('accept', 'hold', 'refund'),
      fc.constantFrom('pix' as const, 'card' as const),
      // One after the other, or three at the same moment.
      fc.constantFrom(1, 3),
      fc.array(step, { minLength: 2, maxLength: 9 }),
      run,
    )
    await fc.assert(property, { numRuns: 20, seed: 20_261_122, endOnFailure: true })
  })
})
