/** The three formats, byte by byte: the standard one against its library, the published ones against their contract. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { type Receiver, startReceiver } from '../../test/receiver.ts'
import { anaPix, makeShop, ok, pixOf, type Shop } from '../../test/shop.ts'
import { type EventType, eventTypes } from '../vocabulary/events.ts'
import { messagesOf } from './messages.ts'
import { renderMessage } from './render.ts'

const now = new Date('2026-01-05T12:00:00.500Z')
const payment = {
  id: 'pay_01k9v3m5x8e2wvq0c7d4n6t1ab',
  externalId: 'pay_01k9v3m5x8e2wvq0c7d4n6t1ab',
  identityId: 'idn_01k9v3m5x8e2wvq0c7d4n6t1ab',
  totalAmount: '50000',
  currency: 'COP',
  status: 'CAPTURED',
  type: 'PURCHASE',
  purchaseAmount: '50000',
  purchaseCurrency: 'COP',
}
const message = {
  id: 'evt_01k9v3s4f9d8bat3m6p0y7g2hj',
  eventType: 'payment.captured' as const,
  type: 'payment.captured',
  streamId: 'cs_01k9v3m5x8e2wvq0c7d4n6t1ab',
  sequence: 5,
  createdAt: new Date('2026-01-05T11:59:59.123Z'),
  data: JSON.stringify(payment),
  identity: { id: payment.identityId, email: 'loja@example.com' },
}

describe('standard', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const older = `whsec_${Buffer.alloc(32, 8).toString('base64')}`

  test('body, headers and signature are those of Standard Webhooks', () => {
    const { body, headers } = renderMessage('standard', message, { secrets: [secret], attempt: 1, now })
    assert.equal(
      body,
      `{"id":"${message.id}","type":"payment.captured","timestamp":"2026-01-05T11:59:59.123Z","sequence":5,"data":${message.data}}`,
    )
    assert.equal(headers['webhook-id'], message.id)
    assert.equal(headers['webhook-timestamp'], '1767614400')
    assert.equal(headers['webhook-signature'], new Webhook(secret).sign(message.id, now, body))
  })

  test('the library accepts what is signed now, with either secret, and refuses it changed', () => {
    const { body, headers } = renderMessage('standard', message, {
      secrets: [secret, older],
      attempt: 1,
      now: new Date(),
    })
    for (const known of [secret, older]) assert.deepEqual(new Webhook(known).verify(body, headers), JSON.parse(body))
    assert.throws(() => new Webhook(secret).verify(body.replace('50000', '50001'), headers))
    assert.throws(() => new Webhook(`whsec_${Buffer.alloc(32, 9).toString('base64')}`).verify(body, headers))
  })

  test('what docs/guides/webhooks.md shows for Node accepts it, and refuses it changed, late or under another secret', async () => {
    const guide = readFileSync(new URL('../../../../docs/guides/webhooks.md', import.meta.url), 'utf8')
    const code = /```js\n([^`]*(?:`[^`\n]*`[^`]*)*?)```/.exec(guide)?.[1] ?? ''
    const { isGenuine } = await import(`data:text/javascript,${encodeURIComponent(code)}`)
    const sign = (at: Date) => renderMessage('standard', message, { secrets: [secret, older], attempt: 1, now: at })
    const { body, headers } = sign(new Date())
    assert.deepEqual([isGenuine(secret, headers, body), isGenuine(older, headers, body)], [true, true])
    assert.equal(isGenuine(secret, headers, `${body} `), false)
    assert.equal(isGenuine(`whsec_${Buffer.alloc(32, 9).toString('base64')}`, headers, body), false)
    const late = sign(new Date(Date.now() - 600_000))
    assert.equal(isGenuine(secret, late.headers, late.body), false)
  })
})

describe('published-v1', () => {
  const secret = 'whk_secret'
  const render = (attempt: number, secrets = [secret]) =>
    renderMessage('published-v1', { ...message, type: 'Transaction.Captured' }, { secrets, attempt, now })

  test('exactly the published JSON, signed inside', () => {
    const { body, headers } = render(1)
    const signed = `{"event":"Transaction.Captured","data":{"transaction":{"id":"${payment.id}","purchaseAmount":"50000","totalAmount":"50000","externalId":"${payment.id}","currency":"COP","status":"CAPTURED"}}}`
    const signature = createHmac('sha256', secret).update(signed).digest('hex')
    assert.equal(body, `${signed.slice(0, -1)},"signature":"${signature}"}`)
    assert.match(signature, /^[0-9a-f]{64}$/)
    assert.equal(headers['x-webhook-signature'], undefined)
    const { event, data, signature: told } = JSON.parse(body)
    assert.equal(createHmac('sha256', secret).update(JSON.stringify({ event, data })).digest('hex'), told)
  })

  test('while two secrets are valid the tries alternate, the new one first', () => {
    const [first, second, third] = [1, 2, 3].map((attempt) => render(attempt, ['new', 'old']).body)
    assert.equal(first, render(1, ['new']).body)
    assert.equal(second, render(1, ['old']).body)
    assert.equal(third, first)
  })
})

describe('published-v2', () => {
  test('exactly the published JSON, signed over the raw body in its header', () => {
    const told = { ...message, type: 'transaction.status_changed' }
    const { body, headers } = renderMessage('published-v2', told, { secrets: ['whk_secret'], attempt: 1, now })
    assert.equal(
      body,
      `{"eventType":"transaction.status_changed","timestamp":"2026-01-05T11:59:59.123Z","transaction":{"id":"${payment.id}","externalId":"${payment.id}","status":"CAPTURED","totalAmount":"50000","currency":"COP","type":"PURCHASE","parentPaymentId":null,"relatedPaymentId":null,"customerId":null,"settledAt":null,"expiredAt":null,"unsettledAt":null,"unsettledReason":null,"settlementBatchId":null,"documentationStatus":null},"identity":{"id":"${payment.identityId}","email":"loja@example.com"}}`,
    )
    assert.equal(headers['x-webhook-signature'], createHmac('sha256', 'whk_secret').update(body).digest('hex'))
  })
})

describe('which messages an event makes', () => {
  const made = (
    format: 'published-v1' | 'published-v2',
    type: EventType,
    money: Record<string, unknown> | null = null,
  ) => messagesOf({ format, eventTypes: ['*'] }, { type, money })

  test('published-v1 knows three, published-v2 payments alone', () => {
    for (const type of Object.keys(eventTypes) as EventType[]) {
      const wanted = { 'payment.captured': 'Captured', 'payment.received': 'Received', 'payment.failed': 'Failed' }
      const name = wanted[type as keyof typeof wanted]
      assert.deepEqual(made('published-v1', type), name ? [`Transaction.${name}`] : [], type)
      if (!type.startsWith('payment.')) assert.deepEqual(made('published-v2', type), [], type)
    }
  })
  test('published-v2: the older name first, the newer beside it', () => {
    assert.deepEqual(made('published-v2', 'payment.received'), ['transaction.status_changed'])
    assert.deepEqual(made('published-v2', 'payment.expired'), ['transaction.status_changed', 'payment.expired'])
    assert.deepEqual(made('published-v2', 'payment.failed'), ['transaction.status_changed', 'payment.failed'])
    assert.deepEqual(made('published-v2', 'payment.refund.created'), ['payment.refund.created'])
    assert.deepEqual(made('published-v2', 'payment.refund.failed'), [
      'transaction.status_changed',
      'payment.refund.failed',
    ])
  })
  test('published-v2: too little, too much, beside what they come with', () => {
    assert.deepEqual(made('published-v2', 'payment.held', { hold: 'too_little' }), ['purchase.underpaid'])
    assert.deepEqual(made('published-v2', 'payment.held', { hold: 'surplus' }), ['purchase.overpaid'])
    assert.deepEqual(made('published-v2', 'payment.held', { hold: 'late' }), [])
    const settled = ['transaction.status_changed', 'payment.settled']
    assert.deepEqual(made('published-v2', 'payment.settled', { ...payment }), settled)
    assert.deepEqual(made('published-v2', 'payment.settled', { ...payment, receivedAmount: '50001' }), [
      ...settled,
      'purchase.overpaid',
    ])
    assert.deepEqual(made('published-v2', 'payment.settled', { ...payment, receivedAmount: '49999' }), settled)
  })
})

describe('over the whole way', () => {
  let t: TestApp
  let shop: Shop
  let receivers: Receiver[]
  let endpoints: Body[]
  before(async () => {
    t = await startTestApp()
    shop = await makeShop(t.client)
    receivers = [await startReceiver(), await startReceiver()]
    const formats = ['published-v1', 'published-v2']
    endpoints = await Promise.all(
      receivers.map(({ url }, index) => ok(t.client, 'POST', '/webhook-endpoints', { url, format: formats[index] })),
    )
  })
  after(async () => {
    await Promise.all(receivers.map((receiver) => receiver.close()))
    await t.close()
  })

  async function pay(origins: Body): Promise<Body> {
    const session = await shop.session()
    const paid = await ok(t.client, 'POST', `/checkout-sessions/${session.id}/payments`, origins)
    for (let n = 0; n < 5; n++) await t.advance(60_000)
    return ok(t.client, 'GET', `/payments/${paid.id}`)
  }

  test('a payment that is received and settled, and one that is declined', async () => {
    const paid = await pay(anaPix)
    const declined = await pay(pixOf('ana+declined@example.com'))
    assert.equal(declined.status, 'FAILED')
    await t.advance(8 * 24 * 3_600_000)
    const settled = await ok(t.client, 'GET', `/payments/${paid.id}`)
    assert.equal(settled.status, 'SETTLED')
    const [v1, v2] = receivers
    assert.ok(v1 && v2)
    assert.deepEqual(
      v1.got.map(({ body }) => [body.event, body.data.transaction.id, body.data.transaction.status]),
      [
        ['Transaction.Received', paid.id, 'RECEIVED'],
        ['Transaction.Failed', declined.id, 'FAILED'],
      ],
    )
    for (const { raw, body } of v1.got) {
      const { signature, ...content } = body
      assert.equal(createHmac('sha256', endpoints[0].secret).update(JSON.stringify(content)).digest('hex'), signature)
      assert.equal(raw, JSON.stringify(body))
    }
    const told = (id: string) =>
      v2.got
        .filter(({ body }) => body.transaction.id === id)
        .map(({ body }) => [body.eventType, body.transaction.status])
    assert.deepEqual(told(paid.id), [
      ['transaction.status_changed', 'RECEIVED'],
      ['transaction.status_changed', 'SETTLED'],
      ['payment.settled', 'SETTLED'],
    ])
    assert.deepEqual(told(declined.id), [
      ['transaction.status_changed', 'FAILED'],
      ['payment.failed', 'FAILED'],
    ])
    const identity = await ok(t.client, 'GET', `/identities/${shop.identityId}`)
    for (const { raw, body, headers } of v2.got) {
      assert.equal(createHmac('sha256', endpoints[1].secret).update(raw).digest('hex'), headers['x-webhook-signature'])
      assert.deepEqual(body.identity, { id: shop.identityId, email: identity.email })
    }
  })

  test('a refund', async () => {
    const paid = await pay(anaPix)
    await t.advance(8 * 24 * 3_600_000)
    for (const receiver of receivers) receiver.got.length = 0
    await ok(t.client, 'POST', `/payments/${paid.id}/refund`, {})
    await t.advance(3_600_000)
    assert.deepEqual(receivers[0]?.got, [])
    const told = receivers[1]?.got.map(({ body }) => [body.eventType, body.transaction.parentPaymentId])
    assert.deepEqual(told, [
      ['payment.refund.created', paid.id],
      ['transaction.status_changed', paid.id],
      ['payment.refund.settled', paid.id],
    ])
  })
})
