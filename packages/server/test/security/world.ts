/** A merchant with one of everything, and how to name it in every route: what other merchants then try in vain. */
import type { Body, Client, TestApp } from '../harness.ts'
import { makeShop, ok, pixOf, type Shop } from '../shop.ts'

export type World = {
  client: Client
  shop: Shop
  child: Body
  link: Body
  session: Body
  /** Open, of `session`. */
  payment: Body
  /** SETTLED, of another session. */
  settled: Body
  rule: Body
  endpoint: Body
  deliveryId: string
  noticeId: string
}

/** One of everything, made through the API; a sandbox merchant. */
export async function makeWorld(t: TestApp, client: Client): Promise<World> {
  const shop = await makeShop(client)
  const child = await ok(client, 'POST', '/identities', {
    name: 'Filial',
    email: 'filial@example.com',
    phone: '+56912345679',
    documentType: 'RUT',
    documentNumber: '12345678-5',
    type: 'USER',
    country: 'CHL',
  })
  const endpoint = await ok(client, 'POST', '/webhook-endpoints', {
    url: 'http://127.0.0.1:9/hook',
    format: 'standard',
    eventTypes: ['*'],
  })
  const rule = await ok(client, 'POST', '/rules', {
    type: 'FEE',
    identityId: shop.identityId,
    overwrites: false,
    feeRule: { description: 'Fee', feeType: 'PERCENTAGE', value: '1' },
  })
  const paid = await shop.session()
  const settled = await ok(client, 'POST', `/checkout-sessions/${paid.id}/payments`, pixOf('ana+storm@example.com'))
  await t.advance(2_000)
  await t.advance(4_000)
  const link = await ok(client, 'POST', '/payment-links', { ...shop.body(), active: true })
  const session = await shop.session()
  const payment = await ok(client, 'POST', `/checkout-sessions/${session.id}/payments`, pixOf('ana+silent@example.com'))
  await t.runJobs()
  const deliveries = await ok(client, 'GET', `/webhook-endpoints/${endpoint.id}/deliveries`)
  const notices = await ok(client, 'GET', '/notices')
  return {
    client,
    shop,
    child,
    link,
    session,
    payment,
    settled,
    rule,
    endpoint,
    deliveryId: deliveries.results[0].id,
    noticeId: notices.results[0].id,
  }
}

export type Aim = { params: Record<string, string>; body?: unknown }

/** Every route that names something by its address: how to name the world's, with a body that would be taken. */
export const aims: Record<string, (w: World) => Aim> = {
  'GET /identities/:id': (w) => ({ params: { id: w.shop.identityId } }),
  'PATCH /identities/:id': (w) => ({ params: { id: w.shop.identityId }, body: { nickname: 'Mine' } }),
  'POST /identities/:id/children': (w) => ({ params: { id: w.shop.identityId }, body: { children: [w.child.id] } }),
  'DELETE /identities/:id/children': (w) => ({ params: { id: w.shop.identityId }, body: { children: [w.child.id] } }),
  'GET /accounts/:id': (w) => ({ params: { id: accountOf(w) } }),
  'PATCH /accounts/:id': (w) => ({ params: { id: accountOf(w) }, body: { name: 'Mine' } }),
  'GET /rules/:id': (w) => ({ params: { id: w.rule.id } }),
  'DELETE /rules/:id': (w) => ({ params: { id: w.rule.id } }),
  'GET /organizations/:orgId/brand': (w) => ({ params: { orgId: w.shop.identityId } }),
  'PATCH /organizations/:orgId/brand': (w) => ({ params: { orgId: w.shop.identityId }, body: { displayName: 'Mine' } }),
  'DELETE /organizations/:orgId/brand': (w) => ({ params: { orgId: w.shop.identityId } }),
  'PUT /organizations/:orgId/brand/logo': (w) => ({
    params: { orgId: w.shop.identityId },
    body: { contentType: 'image/png', data: Buffer.from('89504e470d0a1a0a0000', 'hex').toString('base64') },
  }),
  'DELETE /organizations/:orgId/brand/logo': (w) => ({ params: { orgId: w.shop.identityId } }),
  'GET /payment-links/:id': (w) => ({ params: { id: w.link.id } }),
  'POST /payment-links/:id/activate': (w) => ({ params: { id: w.link.id }, body: {} }),
  'POST /payment-links/:id/deactivate': (w) => ({ params: { id: w.link.id }, body: {} }),
  'DELETE /payment-links/:id': (w) => ({ params: { id: w.link.id } }),
  'POST /payment-links/token/:checkout_token/checkout-sessions': (w) => ({
    params: { checkout_token: w.link.checkoutToken },
    body: {},
  }),
  'GET /checkout-sessions/:checkout_session_id': (w) => ({ params: { checkout_session_id: w.session.id } }),
  'DELETE /checkout-sessions/:checkout_session_id': (w) => ({ params: { checkout_session_id: w.session.id } }),
  'POST /checkout-sessions/:checkout_session_id/payments': (w) => ({
    params: { checkout_session_id: w.session.id },
    body: pixOf(),
  }),
  'POST /checkout-sessions/:checkout_session_id/payments/:payment_id/cancel': (w) => ({
    params: { checkout_session_id: w.session.id, payment_id: w.payment.id },
    body: {},
  }),
  'POST /checkout-sessions/token/:checkout_token/refresh': (w) => ({
    params: { checkout_token: w.session.checkoutToken },
    body: {},
  }),
  'GET /payments/:id': (w) => ({ params: { id: w.payment.id } }),
  'POST /payments/:id/authorized': (w) => ({ params: { id: w.payment.id }, body: {} }),
  'POST /payments/:id/captured': (w) => ({ params: { id: w.payment.id }, body: {} }),
  'POST /payments/:id/resolve': (w) => ({ params: { id: w.payment.id }, body: { decision: 'accept', reason: 'Mine' } }),
  'POST /payments/:id/refund': (w) => ({ params: { id: w.settled.id }, body: {} }),
  'GET /payments/:id/refund': (w) => ({ params: { id: w.settled.id } }),
  'POST /notices/:id/dismiss': (w) => ({ params: { id: w.noticeId }, body: { reason: 'Mine' } }),
  'GET /webhook-endpoints/:id': (w) => ({ params: { id: w.endpoint.id } }),
  'PATCH /webhook-endpoints/:id': (w) => ({ params: { id: w.endpoint.id }, body: { description: 'Mine' } }),
  'DELETE /webhook-endpoints/:id': (w) => ({ params: { id: w.endpoint.id } }),
  'POST /webhook-endpoints/:id/rotate': (w) => ({ params: { id: w.endpoint.id }, body: {} }),
  'POST /webhook-endpoints/:id/test': (w) => ({ params: { id: w.endpoint.id }, body: {} }),
  'GET /webhook-endpoints/:id/deliveries': (w) => ({ params: { id: w.endpoint.id } }),
  'POST /webhook-endpoints/:id/deliveries/:delivery_id/replay': (w) => ({
    params: { id: w.endpoint.id, delivery_id: w.deliveryId },
    body: {},
  }),
  'POST /webhook-endpoints/:id/replay': (w) => ({
    params: { id: w.endpoint.id },
    body: { from: '2020-01-01T00:00:00Z' },
  }),
}

/** Routes that name what they are about in their body. */
export const bodyAims: Record<string, (w: World) => { body: unknown; refused: 400 | 404 }> = {
  'POST /payments/received': (w) => ({ body: { transactionId: w.payment.id }, refused: 404 }),
  'POST /accounts': (w) => ({ body: accountBody(w.shop.identityId), refused: 400 }),
  'POST /rules': (w) => ({ body: ruleBody(w.shop.identityId), refused: 400 }),
  'POST /checkout-sessions': (w) => ({ body: { checkoutToken: w.link.checkoutToken }, refused: 404 }),
}

/** Address parts that name nothing of a merchant's, and doors that open by a secret in the address. */
export const notIds: Record<string, string> = {
  'GET /payments/banks/:country': 'a country',
  'GET /brand-logos/:name': 'the image itself, by its own hash, as every payer sees it',
  'POST /notifications/:connector/:connectionId': 'a provider, by its signature; tested with unsafe consumption',
  'GET /pay/:token': 'the payer, by the secret token',
  'POST /pay/:token/*': 'the payer, by the secret token',
  'GET /pay/:token/*': 'the payer, by the secret token',
  'GET /link/:token': 'the payer, by the secret token',
  'GET /link/:token/*': 'the payer, by the secret token',
  'POST /link/:token/*': 'the payer, by the secret token',
  'GET /bank/:name': "the sandbox's bank, by the secret reference",
  'POST /bank/:name/*': "the sandbox's bank, by the secret reference",
  'GET /card/:name': "the sandbox's card page, by the secret token",
  'POST /card/:name/*': "the sandbox's card page, by the secret token",
}

export function accountBody(identityId: string) {
  return { identityId, type: 'CHECKING', custody: 'BANK_ACCOUNT', currency: 'BRL', name: 'Caja' }
}

export function ruleBody(identityId: string) {
  const feeRule = { description: 'Fee', feeType: 'PERCENTAGE', value: '1' }
  return { type: 'FEE', identityId, overwrites: false, feeRule }
}

function accountOf(w: World): string {
  return w.shop.accounts.BRL?.id ?? ''
}
