/** Outcomes that were decided on what was read a moment ago. */
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/harness.ts'
import { makeShop, ok, pixOf } from '../../../test/shop.ts'
import { findMerchant } from '../../access/find.ts'
import { settle, settleNotice } from '../settle/settle.ts'
import { readPaymentWithSession } from './read-payment.ts'

let t: TestApp
before(async () => {
  t = await startTestApp()
})
after(() => t.close())

it("a provider's reference that came in between is kept, though it moved no counter", async () => {
  const { client, ctx } = t
  const shop = await makeShop(client, ['BRL'])
  const session = await shop.session()
  const url = `/checkout-sessions/${session.id}/payments`
  const payment = await ok(client, 'POST', url, pixOf('ana+timeout@example.com'))
  const merchant = await findMerchant(ctx.sql, client.merchantId)
  const stale = await readPaymentWithSession(ctx.sql, client.merchantId, payment.id)
  assert.ok(merchant && stale && stale.payment.connectorRef === null)
  await settle(ctx, merchant, payment.id, { is: 'pending', ref: 'the-reference' })
  await settle(ctx, merchant, payment.id, { is: 'expired' }, { read: stale })
  const [row] = await ctx.sql`select status, connector_ref from payments where id = ${payment.id}`
  assert.deepEqual({ ...row }, { status: 'EXPIRED', connectorRef: 'the-reference' })
})

it('a notice under another reference than the payment has meanwhile got is not its money', async () => {
  const { ctx } = t
  const client = await t.newMerchant()
  const shop = await makeShop(client, ['BRL'])
  const session = await shop.session()
  const url = `/checkout-sessions/${session.id}/payments`
  const payment = await ok(client, 'POST', url, pixOf('ana+silent@example.com'))
  const merchant = await findMerchant(ctx.sql, client.merchantId)
  assert.ok(merchant)
  const amount = { minor: 1190n, currency: 'BRL' as const }
  assert.equal(await settleNotice(ctx, merchant, payment.id, { is: 'received', ref: 'another', amount }), undefined)
  assert.equal((await ok(client, 'GET', `/payments/${payment.id}`)).status, 'CREATED')
})
