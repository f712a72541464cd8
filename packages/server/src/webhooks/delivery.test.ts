/** Telling: in order, at least once, none lost, none held up by another; whatever the receiver does. On real sockets. */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { type Got, type Receiver, startReceiver } from '../../test/receiver.ts'
import { anaPix, makeShop, ok, type Shop } from '../../test/shop.ts'
import { newSequencerState } from '../events/sequence.ts'
import { openOutbound } from '../kit/outbound.ts'
import { limits } from '../vocabulary/limits.ts'
import { deliverRound, newSender } from './deliver.ts'
import { dispatchEvents } from './dispatch.ts'
import { retryAfterMs } from './endpoint.ts'
import { claimQueues, findDueQueues } from './queue-store.ts'

let t: TestApp
let shop: Shop
let receiver: Receiver
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
  receiver = await startReceiver()
})
after(async () => {
  await receiver.close()
  await t.close()
})
afterEach(async () => {
  const { results } = await ok(t.client, 'GET', '/webhook-endpoints')
  for (const { id } of results) await t.client.call('DELETE', `/webhook-endpoints/${id}`)
  await t.runJobs()
  receiver.got.length = 0
  receiver.behave(() => 200)
})

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const create = (change: Record<string, unknown> = {}): Promise<Body> =>
  ok(t.client, 'POST', '/webhook-endpoints', { url: receiver.url, ...change })
const deliveries = async (id: string, query = ''): Promise<Body[]> =>
  (await ok(t.client, 'GET', `/webhook-endpoints/${id}/deliveries?limit=100${query}`)).results

/** A session that is paid: eight events or so in one stream. */
async function paidSession(): Promise<Body> {
  const session = await shop.session()
  const payment = await ok(t.client, 'POST', `/checkout-sessions/${session.id}/payments`, anaPix)
  await ok(t.client, 'POST', '/payments/received', { transactionId: payment.id })
  return session
}

/** The sequence numbers that the log has of a stream. */
async function logged(stream: string): Promise<number[]> {
  const { results } = await ok(t.client, 'GET', `/events?stream=${stream}&limit=100`)
  return results.map((event: Body) => event.sequence)
}

/** The sequence numbers of a stream as they arrived; of those answered 2xx, when `answered` says which. */
function arrived(stream: string, got: readonly Got[] = receiver.got): number[] {
  return got.filter(({ headers }) => headers['pasarela-stream'] === stream).map(({ body }) => body.sequence)
}

/** Time passes; every retry on the way is made when it is due. */
async function pass(ms: number): Promise<void> {
  await t.runJobs()
  const endMs = t.ctx.clock.nowMs() + ms
  for (;;) {
    const nowMs = t.ctx.clock.nowMs()
    const [next] = await t.ctx.sql<{ dueAt: Date | null }[]>`
      select min(due_at) as due_at from webhook_queues where due_at > ${new Date(nowMs)}`
    const dueMs = next?.dueAt?.getTime() ?? endMs
    await t.advance(Math.min(dueMs, endMs) - nowMs)
    if (dueMs >= endMs) return
  }
}

describe('a receiver that works', () => {
  test('gets every event of every stream once, in order, with the object as it was', async () => {
    const { id } = await create()
    const sessions = await Promise.all(Array.from({ length: 5 }, () => paidSession()))
    await t.runJobs()
    for (const session of sessions) {
      const numbers = await logged(session.id)
      assert.ok(numbers.length >= 4)
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => index + 1),
      )
      assert.deepEqual(arrived(session.id), numbers)
    }
    const [first] = receiver.got
    assert.deepEqual(Object.keys(first?.body), ['id', 'type', 'timestamp', 'sequence', 'data'])
    assert.equal(first?.headers['webhook-id'], first?.body.id)
    assert.ok(receiver.got.every(({ body }) => body.data.url === undefined))
    const all = await deliveries(id)
    assert.ok(all.every((d) => d.status === 'DELIVERED' && d.attempts === 1 && d.statusCode === 200))
    assert.equal(all.length, receiver.got.length)
  })

  test('gets what it asked for', async () => {
    await create({ eventTypes: ['checkout_session.finished', 'payment.*'] })
    await paidSession()
    await t.runJobs()
    const types = new Set(receiver.got.map(({ body }) => body.type))
    assert.ok(types.has('checkout_session.finished') && types.has('payment.received'))
    assert.ok([...types].every((type) => type === 'checkout_session.finished' || type.startsWith('payment.')))
  })
})

describe('a receiver that does not', () => {
  const troubles: [string, Parameters<Receiver['behave']>[0]][] = [
    ['answers 500', () => 500],
    [
      'redirects to a private address',
      () => (_request, response) => response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
    ],
    ['closes the connection', () => (request) => request.socket.destroy()],
    [
      'closes mid-body',
      () => (request, response) => {
        response.writeHead(200, { 'content-length': 1000 }).write('{"half":')
        setImmediate(() => request.socket.destroy())
      },
    ],
  ]
  for (const [what, trouble] of troubles) {
    test(`${what}: nothing is lost and nothing out of order once it works again`, async () => {
      const { id } = await create()
      receiver.behave(trouble)
      const session = await paidSession()
      await t.runJobs()
      assert.deepEqual(arrived(session.id), [1], 'what follows waits for the first')
      await pass(10 * minute)
      assert.ok(arrived(session.id).every((sequence) => sequence === 1))
      assert.ok(receiver.got.length > 5)
      assert.ok((await ok(t.client, 'GET', `/webhook-endpoints/${id}`)).failingSince)
      receiver.got.length = 0
      receiver.behave(() => 200)
      await t.advance(hour * 1.2)
      const numbers = await logged(session.id)
      assert.deepEqual(arrived(session.id), numbers)
      assert.equal((await ok(t.client, 'GET', `/webhook-endpoints/${id}`)).failingSince, undefined)
    })
  }

  test('is down for a day: the same', async () => {
    const down = await startReceiver()
    await create({ url: down.url })
    await down.close()
    const session = await paidSession()
    await pass(day)
    const [{ id }] = (await ok(t.client, 'GET', '/webhook-endpoints')).results
    assert.equal((await deliveries(id, '&status=PENDING')).at(-1)?.error, 'ECONNREFUSED')
    await ok(t.client, 'PATCH', `/webhook-endpoints/${id}`, { url: receiver.url })
    await t.advance(1)
    assert.deepEqual(arrived(session.id), await logged(session.id))
  })

  test('is slow: it is given up in time and holds up no other endpoint', async () => {
    const slow = await startReceiver()
    slow.behave(() => new Promise(() => undefined))
    const { id } = await create({ url: slow.url })
    await create()
    const sessions = await Promise.all(Array.from({ length: 36 }, () => shop.session()))
    await dispatchEvents(t.ctx, newSequencerState())
    const sender = newSender(t.ctx, openOutbound({ timeoutMs: 1000, answerBytes: limits.webhookAnswerBytes }))
    const startedMs = performance.now()
    let servedMs = 0
    while (await deliverRound(sender))
      if (receiver.got.length === 36 && servedMs === 0) servedMs = performance.now() - startedMs
    sender.outbound.close()
    assert.ok(servedMs > 0 && servedMs < 1000, `the other one was served after ${servedMs} ms`)
    assert.deepEqual(
      sessions.map((s) => arrived(s.id)),
      sessions.map(() => [1]),
    )
    const waiting = await deliveries(id, '&status=PENDING')
    assert.ok(waiting.length === 36 && waiting.some((d) => d.error === 'timeout' && d.durationMs >= 990))
    await slow.close()
  })
})

describe('a poisoned event', () => {
  test('holds up its own stream alone, and after its last try is FAILED while the next goes on', async () => {
    const { id } = await create()
    const [bad, good] = [await paidSession(), await paidSession()]
    receiver.behave(({ headers, body }) => (headers['pasarela-stream'] === bad.id && body.sequence === 2 ? 500 : 200))
    await t.runJobs()
    assert.deepEqual(arrived(good.id), await logged(good.id))
    assert.deepEqual(arrived(bad.id), [1, 2])
    await pass(2.7 * day)
    assert.deepEqual([...new Set(arrived(bad.id))], [1, 2])
    await shop.session()
    await pass(0.6 * day)
    const numbers = await logged(bad.id)
    assert.deepEqual([...new Set(arrived(bad.id))], numbers)
    assert.deepEqual(
      arrived(bad.id).filter((sequence) => sequence !== 2),
      numbers.filter((sequence) => sequence !== 2),
    )
    const failed = await deliveries(id, '&status=FAILED')
    assert.deepEqual(
      failed.map((d) => [d.stream, d.sequence]),
      [[bad.id, 2]],
    )
    assert.equal((await ok(t.client, 'GET', `/webhook-endpoints/${id}`)).status, 'ACTIVE')
  })
})

describe('an endpoint that fails for long', () => {
  test('is paused with an event and a mark; what it missed is kept and follows when it is resumed', async () => {
    const { id } = await create()
    receiver.behave(() => 500)
    const sessions = [await paidSession(), await paidSession(), await paidSession()]
    await pass(3.2 * day)
    const paused = await ok(t.client, 'GET', `/webhook-endpoints/${id}`)
    assert.equal(paused.status, 'PAUSED')
    assert.match(paused.attention, /Nothing could be delivered since/)
    const { results } = await ok(t.client, 'GET', '/events?types=webhook_endpoint.*&limit=100')
    const told = results.filter((event: Body) => event.stream === id)
    assert.deepEqual(
      told.map((event: Body) => [event.type, event.sequence]),
      [['webhook_endpoint.paused', 1]],
    )
    const tries = receiver.got.length
    await pass(2 * day)
    assert.equal(receiver.got.length, tries, 'a paused endpoint is left alone')
    const refused = await t.client.call('POST', `/webhook-endpoints/${id}/replay`, { from: '2020-01-01T00:00:00Z' })
    assert.equal(refused.status, 422)
    const failed = new Set((await deliveries(id, '&status=FAILED')).map((d) => `${d.stream} ${d.sequence}`))
    receiver.got.length = 0
    receiver.behave(() => 200)
    await ok(t.client, 'PATCH', `/webhook-endpoints/${id}`, { status: 'ACTIVE' })
    await t.advance(1)
    for (const { id: stream } of sessions) {
      const kept = (await logged(stream)).filter((sequence) => !failed.has(`${stream} ${sequence}`))
      assert.deepEqual(arrived(stream), kept)
    }
    for (const delivery of await deliveries(id, '&status=FAILED')) {
      const again = await ok(t.client, 'POST', `/webhook-endpoints/${id}/deliveries/${delivery.id}/replay`, {})
      assert.deepEqual([again.status, again.attempts], ['PENDING', 0])
    }
    await t.runJobs()
    assert.deepEqual(await deliveries(id, '&status=FAILED,PENDING'), [])
    for (const { id: stream } of sessions) {
      assert.deepEqual(
        [...new Set(arrived(stream))].sort((a, b) => a - b),
        await logged(stream),
      )
    }
  })
})

describe('several processes', () => {
  const senderOf = () => newSender(t.ctx, openOutbound({ timeoutMs: 5000, answerBytes: limits.webhookAnswerBytes }))

  test('deliver nothing twice, and in order, when all live', async () => {
    await create()
    const sessions = await Promise.all(Array.from({ length: 20 }, () => paidSession()))
    const states = [newSequencerState(), newSequencerState(), newSequencerState()]
    await Promise.all(
      states.map(async (state) => {
        while (await dispatchEvents(t.ctx, state));
      }),
    )
    const senders = [senderOf(), senderOf(), senderOf()]
    await Promise.all(
      senders.map(async (sender) => {
        while (await deliverRound(sender));
      }),
    )
    for (const { id } of sessions) assert.deepEqual(arrived(id), await logged(id))
    for (const sender of senders) sender.outbound.close()
  })

  test('one dies after claiming: the others send it when the lease has run out, and not before', async () => {
    await create()
    const session = await paidSession()
    await dispatchEvents(t.ctx, newSequencerState())
    const now = new Date(t.ctx.clock.nowMs())
    const due = await findDueQueues(t.ctx.sql, now, 10)
    const leasedUntil = new Date(now.getTime() + limits.webhookLeaseMs)
    const claimed = await claimQueues(t.ctx.sql, due, { now, leasedUntil })
    assert.ok(claimed.some((claim) => claim.streamId === session.id))
    await t.advance(limits.webhookLeaseMs - 1)
    assert.deepEqual(arrived(session.id), [])
    await t.advance(1)
    assert.deepEqual(arrived(session.id), await logged(session.id))
  })

  test('one dies between sending and keeping what came of it: it is sent again, nothing is skipped', async () => {
    await create()
    const session = await paidSession()
    await dispatchEvents(t.ctx, newSequencerState())
    // A sender whose statements fail once the answer is there: all that its death leaves behind is the lease.
    const dying = senderOf()
    const reached = new Promise<void>((resolve) =>
      receiver.behave(() => {
        resolve()
        return new Promise(() => undefined)
      }),
    )
    const round = deliverRound(dying)
    await reached
    await round
    receiver.behave(() => 200)
    await t.advance(limits.webhookLeaseMs)
    const numbers = await logged(session.id)
    assert.deepEqual(arrived(session.id), [1, ...numbers])
    dying.outbound.close()
    await Promise.all(dying.running)
    await t.advance(2 * hour)
    assert.deepEqual(arrived(session.id), [1, ...numbers], 'the late word of the dead changes nothing')
  })

  test('a queue whose count is off after a crash is put right', async () => {
    const { id } = await create()
    const session = await shop.session()
    await t.runJobs()
    await t.ctx.sql`
      update webhook_queues set pending = 1, due_at = now() - interval '1 day' where endpoint_id = ${id} and stream_id = ${session.id}`
    await t.runJobs()
    const [queue] = await t.ctx.sql<Body[]>`
      select pending, due_at from webhook_queues where endpoint_id = ${id} and stream_id = ${session.id}`
    assert.deepEqual([queue?.pending, queue?.dueAt], [0, null])
  })
})

describe('replay', () => {
  test('of one delivery: it is sent again with the same id', async () => {
    const { id } = await create()
    await shop.session()
    await t.runJobs()
    const [delivery] = await deliveries(id)
    const again = await ok(t.client, 'POST', `/webhook-endpoints/${id}/deliveries/${delivery.id}/replay`, {})
    assert.equal(again.status, 'PENDING')
    await t.runJobs()
    const [first, second] = receiver.got.filter(({ headers }) => headers['pasarela-stream'] === delivery.stream)
    assert.deepEqual(second?.body, first?.body)
    assert.equal((await deliveries(id)).length, 1)
  })

  test('of one that waits for its next try: it is tried now', async () => {
    const { id } = await create()
    receiver.behave(() => 500)
    await shop.session()
    await pass(20 * minute)
    receiver.behave(() => 200)
    const [delivery] = await deliveries(id)
    assert.equal(delivery.status, 'PENDING')
    receiver.got.length = 0
    await ok(t.client, 'POST', `/webhook-endpoints/${id}/deliveries/${delivery.id}/replay`, {})
    await t.runJobs()
    assert.equal(receiver.got.length, 1)
  })

  test('of a range: all of it in order, also what happened before the endpoint was there; not what is outside', async () => {
    const outside = await shop.session()
    await t.advance(minute)
    const from = new Date(t.ctx.clock.nowMs()).toISOString()
    const session = await paidSession()
    await t.advance(1)
    const to = new Date(t.ctx.clock.nowMs()).toISOString()
    const numbers = await logged(session.id)
    await t.advance(minute)
    const { id } = await create()
    const { replayed } = await ok(t.client, 'POST', `/webhook-endpoints/${id}/replay`, { from, to })
    await t.runJobs()
    assert.deepEqual(arrived(session.id), numbers)
    assert.equal(receiver.got.length, replayed)
    assert.deepEqual(arrived(outside.id), [])
    assert.equal((await ok(t.client, 'POST', `/webhook-endpoints/${id}/replay`, { from, to })).replayed, replayed)
    await t.runJobs()
    assert.deepEqual(arrived(session.id), [...numbers, ...numbers])
    const backwards = await t.client.call('POST', `/webhook-endpoints/${id}/replay`, { from: to, to: from })
    assert.equal(backwards.status, 400)
  })
})

describe('the list of deliveries', () => {
  test('pages through all of them, newest first; a bad cursor is 400', async () => {
    const { id } = await create({ eventTypes: ['checkout_session.created'] })
    for (let n = 0; n < 5; n++) await shop.session()
    await t.runJobs()
    const seen: string[] = []
    let query = '?limit=2'
    for (let page = 0; page < 5; page++) {
      const { results, next } = await ok(t.client, 'GET', `/webhook-endpoints/${id}/deliveries${query}`)
      seen.push(...results.map((d: Body) => d.id))
      if (next === undefined) break
      query = `?limit=2&after=${next}`
    }
    assert.equal(seen.length, 5)
    assert.deepEqual(seen, [...seen].sort().reverse())
    assert.equal((await t.client.call('GET', `/webhook-endpoints/${id}/deliveries?after=x`)).status, 400)
    assert.equal((await t.client.call('GET', `/webhook-endpoints/${id}/deliveries?status=LOST`)).status, 400)
  })
})

describe('the schedules', () => {
  const total = (format: 'standard' | 'published-v1', random: number) => {
    const delays: number[] = []
    for (let n = 1; ; n++) {
      const delay = retryAfterMs(format, n, random)
      if (delay === undefined) return delays
      delays.push(delay)
    }
  }
  test('published: 30 s doubling to 1 h, 29 retries within 24 h', () => {
    const delays = total('published-v1', 1)
    assert.deepEqual(
      delays.slice(0, 9).map((ms) => ms / 1000),
      [30, 60, 120, 240, 480, 960, 1920, 3600, 3600],
    )
    assert.equal(delays.length, 29)
    assert.ok(delays.reduce((a, b) => a + b) <= day)
  })
  test('standard: 5 s doubling to 1 h for 3 days, spread by a fifth', () => {
    const [low, middle, high] = [total('standard', 0), total('standard', 0.5), total('standard', 1)]
    assert.deepEqual(middle.slice(0, 3), [5000, 10_000, 20_000])
    const sum = middle.reduce((a, b) => a + b)
    assert.ok(sum > 2.9 * day && sum <= 3 * day)
    assert.deepEqual([low[0], high[0]], [4000, 6000])
  })
})
