/** Uses everything of the product once, so that every statement of it is sent: requests, pages, jobs, and what only a fault or an operator asks for. */
import { randomBytes } from 'node:crypto'
import {
  createClient,
  createMerchant,
  listClients,
  listMerchants,
  revokeClient,
  rotateClient,
} from '../src/access/manage-clients.ts'
import { changeTimeZone } from '../src/checkout-sessions/change-time-zone.ts'
import { findWrongAccountRows, findWrongCounts, findWrongTotals } from '../src/checkout-sessions/checks.ts'
import { ledgerFaults } from '../src/ledger/balances.ts'
import type { TestApp } from './harness.ts'
import { aims, bodyAims, makeWorld, type World } from './security/world.ts'
import { ok, pixOf } from './shop.ts'

/** Walks through the product. What is answered is hardly looked at: other tests do. */
export async function useEverything(t: TestApp): Promise<void> {
  const world = await makeWorld(t, t.client)
  await manageClients(t)
  await payInEveryWay(t, world)
  await readLists(t, world)
  await openPages(t, world)
  await repeatRequests(t, world)
  await walkRoutes(t, world)
  await askAlone(t, world)
  await ledgerFaults(t.ctx.sql)
  await findWrongTotals(t.ctx.sql)
  await findWrongCounts(t.ctx.sql, null)
  await findWrongAccountRows(t.ctx.sql, null)
  await changeTimeZone(t.ctx.sql, { merchantId: t.client.merchantId, timeZone: 'Pacific/Kiritimati', settleMs: 0 })
  // Past every retention.
  await t.advance(91 * 24 * 3_600_000)
}

async function manageClients(t: TestApp): Promise<void> {
  const merchant = await createMerchant(t.ctx.sql, { name: 'Other', mode: 'sandbox' })
  const { clientId } = await createClient(t.ctx.sql, { merchantId: merchant.id, name: 'x', requestsPerSecond: null })
  await listClients(t.ctx.sql, merchant.id)
  await listMerchants(t.ctx.sql)
  await rotateClient(t.ctx.sql, clientId)
  await revokeClient(t.ctx.sql, clientId)
}

/** Money that comes in time, late, twice, too much and back; links that may be paid once; orders of several sessions. */
async function payInEveryWay(t: TestApp, { client, shop }: World): Promise<void> {
  const tags = [
    'declined',
    'late',
    'twice',
    'wrong_amount',
    'wrong_amount_more',
    'reversed',
    'webhook_first',
    'timeout',
  ]
  const pay = async (change: Record<string, unknown>, tag: string) => {
    const session = await shop.session(change)
    await client.call('POST', `/checkout-sessions/${session.id}/payments`, pixOf(`ana+${tag}@example.com`))
    return session
  }
  for (const tag of tags) await pay({ duration: 60, metadata: { orderReference: `order of ${tag}` } }, tag)
  const link = await ok(client, 'POST', '/payment-links', { ...shop.body(), active: true, maxPayments: 1 })
  const minted = await ok(client, 'POST', `/payment-links/token/${link.checkoutToken}/checkout-sessions`, {})
  await client.call('POST', `/checkout-sessions/${minted.id}/payments`, pixOf('ana@example.com'))
  await t.advance(5_000)
  await t.advance(120_000)
  await client.call('PUT', '/late-money-policies', { default: 'hold', rails: [{ rail: 'PIX', policy: 'hold' }] })
  await client.call('GET', '/late-money-policies')
  for (const decision of ['accept', 'refund', 'failed', 'accept']) {
    await pay({ duration: 60 }, 'late')
    await pay({ duration: 60 }, 'wrong_amount')
    await t.advance(5_000)
    await t.advance(3_600_000)
    const { body } = await client.call('GET', '/payments?attention=true')
    for (const held of body.results.slice(0, 3)) {
      const answer = { decision, reason: 'So it is.' }
      await client.call('POST', `/payments/${held.id}/resolve`, answer)
      await client.call('POST', `/payments/${held.id}/resolve`, answer)
    }
  }
  await t.advance(5_000)
}

async function readLists(t: TestApp, w: World): Promise<void> {
  // The second time only the counter is asked for.
  for (let i = 0; i < 2; i++) await w.client.call('GET', `/checkout-sessions/${w.session.id}`)
  const account = w.shop.accounts.BRL?.accountNumber
  const days = 'startDate=01/01/2020&endDate=31/12/2030'
  const lists: Record<string, string[]> = {
    '/checkout-sessions': [
      ...['', 'status=ATTEMPT', `accountNumber=${account}`, `identityId=${w.shop.identityId}`, days],
      ...[
        `${days}&sort=expiresAt:asc`,
        `${days}&sort=expiresAt:asc&identityId=${w.shop.identityId}&accountNumber=${account}`,
      ],
      ...[`accountNumber=${account}&identityId=${w.shop.identityId}`, 'sort=status:asc', 'checkoutToken=x'],
      `identityId=${Array.from({ length: 20 }, (_, n) => `x${n}`)}`,
    ],
    '/payments': [
      '',
      'status=SETTLED',
      `accountNumber=${account}`,
      `checkoutSessionId=${w.session.id}`,
      'attention=true',
    ],
    '/payment-links': ['', 'status=ACTIVE', `destination.accountNumber=${account}`],
    '/accounts': ['', 'currency=BRL'],
    '/identities': [''],
    '/rules': [''],
    '/webhook-endpoints': [''],
    '/notices': [''],
    '/events': ['', 'types=payment.*', `stream=${w.session.id}`],
    '/exchange-rates': [''],
    '/payment-methods': [''],
    '/payments/payment-methods': [''],
  }
  for (const [path, queries] of Object.entries(lists)) {
    for (const query of queries) await w.client.call('GET', query === '' ? path : `${path}?${query}`)
  }
  await w.client.call('PUT', '/exchange-rates', { rates: [{ product: 'BRL:CLP', exchangeRate: '170.5' }] })
  await t.newMerchant('live')
}

async function openPages(t: TestApp, w: World): Promise<void> {
  const session = await w.shop.session()
  for (const url of [session.url, w.link.url].map((text: string) => new URL(text).pathname)) {
    await t.app.inject({ method: 'GET', url })
    for (const action of ['open', 'pay', 'refresh', 'cancel', 'return']) {
      await t.app.inject({
        method: 'POST',
        url: `${url}/${action}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: 'method=PIX',
      })
    }
  }
}

/** The same key again, with another body, after a refusal, and after a process that died. */
async function repeatRequests(t: TestApp, { client, shop }: World): Promise<void> {
  const body = shop.body()
  const withKey = (key: string, sent: unknown) =>
    client.call('POST', '/checkout-sessions', sent, { headers: { 'idempotency-key': key } })
  await withKey('one', body)
  await withKey('one', body)
  await withKey('one', shop.body())
  await withKey('taken', body)
  await withKey('bad', {})
  await t.ctx.sql`update idempotency_keys set status = null, body = null, leased_until = now() - interval '1 day'`
  await withKey('one', body)
}

async function walkRoutes(t: TestApp, world: World): Promise<void> {
  const order = (name: string) => ['GET', 'PATCH', 'PUT', 'POST', 'DELETE'].indexOf(name.split(' ')[0] ?? '')
  await world.client.call('PATCH', `/webhook-endpoints/${world.endpoint.id}`, { status: 'PAUSED' })
  await world.client.call('PATCH', `/webhook-endpoints/${world.endpoint.id}`, { status: 'ACTIVE' })
  const all = [...Object.entries(aims)].sort(([a], [b]) => order(a) - order(b))
  for (const [name, make] of all) {
    const { params, body } = make(world)
    const [method = '', url = ''] = name.split(' ')
    await world.client.call(
      method,
      url.replace(/:(\w+)/g, (_, key) => params[key] ?? ''),
      body,
    )
  }
  for (const [name, make] of Object.entries(bodyAims)) {
    const [method = '', url = ''] = name.split(' ')
    await world.client.call(method, url, make(world).body)
  }
  await t.runJobs()
}

/** Statements that only a fault, a race, an open page or an operator sends: the functions of the stores, called alone. */
async function askAlone(t: TestApp, w: World): Promise<void> {
  const merchantId = w.client.merchantId
  const now = new Date(t.ctx.clock.nowMs())
  const accountId = w.shop.accounts.BRL?.id
  const key = { merchantId, clientId: w.client.clientId, key: 'one' }
  const resolution = {
    merchantId,
    paymentId: w.settled.id,
    clientId: w.client.clientId,
    decision: 'accept',
    reason: 'x',
  }
  const claim = { merchantId, endpointId: w.endpoint.id, streamId: w.session.id, pending: 1, leasedUntil: now }
  const window = { after: '', madeBefore: w.session.id }
  const asked: [string, string, ...unknown[]][] = [
    ['access/store', 'advanceMerchantClock', merchantId, 0n],
    ['access/store', 'findSealedKey', 'none'],
    ['access/store', 'keepSealedKey', 'spare', randomBytes(32)],
    ['access/store', 'listMovedClocks'],
    ['accounts/store', 'listActiveCurrencies', merchantId, undefined],
    ['accounts/store', 'lockAccounts', merchantId, [accountId]],
    ['brands/store', 'findBrandByOwner', merchantId, w.shop.identityId],
    ['brands/store', 'findLogoByHash', merchantId, 'none'],
    ['checkout-page/store', 'readPageVersions', [merchantId], ['x'.repeat(22)]],
    ['platform/idempotency-store', 'endLease', key, now],
    ['platform/idempotency-store', 'deleteKey', key],
    ['platform/idempotency-store', 'completeKey', key, { status: 200, body: '{}' }],
    ['sandbox/store', 'insertNotice', { merchantId, paymentId: w.settled.id, dueAt: now }],
    ['payments/find', 'findPaymentBeside', merchantId, w.settled.id, 'ref'],
    ['payments/find', 'findSurplus', merchantId, w.settled.id],
    ['payments/find', 'findResolution', resolution],
    ['payments/find', 'insertResolution', { ...resolution, at: now }],
    ['payments/find', 'findLatePolicy', merchantId, 'PIX'],
    ['payments/find', 'findLatestPayment', merchantId, w.session.id],
    ['payments/find', 'findAcceptedPayment', merchantId, 'none'],
    ['payment-links/store', 'isLimitedLink', merchantId, w.link.id],
    ['checkout-sessions/store', 'moveSessionsDue', { now, merchantId: null, from: now, most: 1 }],
    ['retention/store', 'findCandidates', merchantId, { ...window, before: now, refundableSince: now, most: 1 }],
    ['retention/store', 'lockUnchanged', merchantId, [{ id: w.session.id, eventSequence: 1, goes: true }]],
    ['retention/store', 'readForArchive', merchantId, [w.session.id]],
    ['retention/store', 'deletePayments', merchantId, [w.session.id]],
    ['retention/store', 'deleteSessions', merchantId, [w.session.id]],
    ['webhooks/retention-store', 'countOld', merchantId, { events: now, deliveries: now }],
    ['quotes/store', 'listConnectedRails', merchantId],
    ['sandbox/store', 'findNextDue', merchantId, now],
    ['webhooks/store', 'noteSuccess', merchantId, w.endpoint.id],
    ['webhooks/queue-store', 'parkQueues', merchantId, w.endpoint.id],
    ['webhooks/queue-store', 'releaseQueue', claim, { done: 0, dueAt: now }],
    [
      'webhooks/queue-store',
      'findDueQueuesBeside',
      { now, full: { endpointIds: [w.endpoint.id], merchantIds: [0] }, each: 1, most: 1 },
    ],
    ['webhooks/delivery-store', 'restartSchedules', merchantId, w.endpoint.id, now],
  ]
  for (const [path, name, ...args] of asked) {
    const store = await import(`../src/${path}.ts`)
    // A constraint may refuse what is sent here; that it was sent is all that is wanted.
    await store[name]?.(t.ctx.sql, ...args).catch(() => undefined)
  }
}
