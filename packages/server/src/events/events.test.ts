/** The log: nothing is skipped whatever commits late, every stream in its order, and nothing is forgotten too early. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Body, type Client, startTestApp, type TestApp } from '../../test/harness.ts'
import { startReceiver } from '../../test/receiver.ts'
import { anaPix, makeShop, ok, type Shop } from '../../test/shop.ts'
import { transaction } from '../kit/db.ts'
import { newId } from '../kit/id.ts'
import { dispatchEvents } from '../webhooks/dispatch.ts'
import { appendEvents } from './append.ts'
import { newSequencerState, type SequencerState, sequenceEvents } from './sequence.ts'

let t: TestApp
let shop: Shop
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
})
after(() => t.close())

const day = 24 * 3_600_000

/** Follows the log from a cursor to its end, some at a time. */
async function follow(client: Client, after: string, query = '', limit = 7): Promise<{ events: Body[]; next: string }> {
  const events: Body[] = []
  let next = after
  for (;;) {
    const page = await ok(client, 'GET', `/events?limit=${limit}&after=${next}${query}`)
    events.push(...page.results)
    assert.ok(BigInt(page.next) >= BigInt(next))
    next = page.next
    if (!page.more) return { events, next }
  }
}

async function end(client: Client = t.client): Promise<string> {
  await t.runJobs()
  return (await follow(client, '0')).next
}

describe('GET /events', () => {
  test('200: everything once, in one order without gaps, each stream in its own', async () => {
    const start = await end()
    const sessions = await Promise.all(Array.from({ length: 6 }, () => shop.session()))
    for (const session of sessions) await ok(t.client, 'POST', `/checkout-sessions/${session.id}/payments`, anaPix)
    await t.runJobs()
    const { events } = await follow(t.client, start)
    const cursors = events.map((event) => BigInt(event.cursor))
    assert.deepEqual(
      cursors,
      cursors.map((_, index) => BigInt(start) + BigInt(index) + 1n),
    )
    for (const { id } of sessions) {
      const mine = events.filter((event) => event.stream === id)
      assert.deepEqual(
        mine.map((event) => event.sequence),
        mine.map((_, index) => index + 1),
      )
      assert.deepEqual(
        [mine[0]?.type, mine[0]?.data.id, mine[0]?.data.url],
        ['checkout_session.created', id, undefined],
      )
    }
    const all = await follow(t.client, start, '', 100)
    assert.deepEqual(all.events, events)
  })

  test('200: by types and by stream; the cursor moves on where nothing matches', async () => {
    const start = await end()
    const [one, other] = [await shop.session(), await shop.session()]
    await ok(t.client, 'DELETE', `/checkout-sessions/${one.id}`)
    await t.runJobs()
    const stream = await follow(t.client, start, `&stream=${one.id}`)
    assert.deepEqual(
      stream.events.map((event) => event.type),
      ['checkout_session.created', 'checkout_session.deleted'],
    )
    const deleted = await follow(t.client, start, '&types=checkout_session.deleted')
    assert.deepEqual(
      deleted.events.map((event) => event.stream),
      [one.id],
    )
    const created = await follow(t.client, start, '&types=checkout_session.created,payment.*', 1)
    assert.deepEqual(
      created.events.map((event) => event.stream),
      [one.id, other.id],
    )
    const none = await follow(t.client, start, '&types=payment_link.*')
    assert.deepEqual([none.events, none.next], [[], await end()])
    const answer = await ok(t.client, 'GET', `/events?after=${none.next}`)
    assert.deepEqual(answer, { results: [], next: none.next, more: false })
  })

  test('400: a cursor that is none, an unknown type, an unknown parameter', async () => {
    const faults: [string, string][] = [
      ['after=x', '/query/after'],
      ['after=-1', '/query/after'],
      ['types=payment.sold', '/query/types'],
      ['limit=101', '/query/limit'],
      ['before=1', '/query/before'],
    ]
    for (const [query, pointer] of faults) {
      const answer = await t.client.call('GET', `/events?${query}`)
      assert.deepEqual([answer.status, answer.body.errors[0].pointer], [400, pointer], query)
    }
  })

  test('another merchant sees its own alone', async () => {
    await shop.session()
    const other = await t.newMerchant()
    const theirs = await makeShop(other)
    const session = await theirs.session()
    await t.runJobs()
    const { events } = await follow(other, '0')
    assert.deepEqual(
      events.map((event) => [event.stream, event.cursor]),
      [[session.id, '1']],
    )
    assert.deepEqual((await follow(other, '0', `&stream=${(await shop.session()).id}`)).events, [])
  })
})

describe('the sequencer', () => {
  const event = (streamId: string, sequence: number) => ({
    merchantId: t.client.merchantId,
    streamId,
    sequence,
    type: 'checkout_session.created' as const,
    data: { id: streamId },
    at: new Date(t.ctx.clock.nowMs()),
  })

  const append = (stream: string, sequence: number) =>
    transaction(t.ctx.sql, (sql) => appendEvents(sql, [event(stream, sequence)]))

  /** Writes an event and leaves its transaction open until `end`. */
  async function appendLate(stream: string) {
    const [gate, written] = [Promise.withResolvers<void>(), Promise.withResolvers<bigint>()]
    const late = transaction(t.ctx.sql, async (sql) => {
      await appendEvents(sql, [event(stream, 1)])
      const [row] = await sql<{ arrival: bigint }[]>`select arrival from event_outbox where stream_id = ${stream}`
      written.resolve(row?.arrival ?? 0n)
      await gate.promise
    })
    const end = async () => {
      gate.resolve()
      await late
    }
    late.catch(written.reject)
    return { arrival: await written.promise, end }
  }

  test('events of one statement get their places in the order of their stream, however they were written', async () => {
    const start = await end()
    const streams = [newId('checkoutSession', 1), newId('checkoutSession', 2)]
    const numbers = [3, 1, 5, 2, 4]
    const events = numbers.flatMap((sequence) => streams.map((stream) => event(stream, sequence)))
    await transaction(t.ctx.sql, (sql) => appendEvents(sql, events))
    await t.runJobs()
    const { events: read } = await follow(t.client, start)
    for (const stream of streams) {
      const told = read.filter((one: Body) => one.stream === stream).map((one: Body) => one.sequence)
      assert.deepEqual(told, [1, 2, 3, 4, 5])
    }
  })

  test('what commits late gets a later place: a reader who went by does not miss it', async () => {
    const start = await end()
    const [slow, quick] = [newId('checkoutSession', 1), newId('checkoutSession', 1)]
    const late = await appendLate(slow)
    await append(quick, 1)
    await t.runJobs()
    const first = await follow(t.client, start)
    assert.deepEqual(
      first.events.map((e) => e.stream),
      [quick],
    )
    await late.end()
    await t.runJobs()
    const second = await follow(t.client, first.next)
    assert.deepEqual(
      second.events.map((e) => e.stream),
      [slow],
    )
  })

  test('a change that was rolled back leaves neither event nor gap', async () => {
    const start = await end()
    const stream = newId('checkoutSession', 1)
    await assert.rejects(
      transaction(t.ctx.sql, async (sql) => {
        await appendEvents(sql, [event(newId('checkoutSession', 1), 1)])
        throw new Error('the change failed')
      }),
    )
    await append(stream, 1)
    await t.runJobs()
    const { events } = await follow(t.client, start)
    assert.deepEqual(
      events.map((e) => [e.stream, e.cursor]),
      [[stream, (BigInt(start) + 1n).toString()]],
    )
  })

  /** Rounds until the walk begins behind this arrival: transactions of other tests may keep it a while. */
  async function roundsUntilBehind(state: SequencerState, arrival: bigint, stream: string, from: number) {
    let sequence = from
    for (const deadline = Date.now() + 20_000; state.walk.begin < arrival; sequence++) {
      assert.ok(Date.now() < deadline, 'the walk does not move on')
      await append(stream, sequence)
      await dispatchEvents(t.ctx, state)
    }
    return sequence
  }

  test('what an open transaction has written is found after any number of rounds, before what comes after it', async () => {
    const [slow, quick] = [newId('checkoutSession', 1), newId('checkoutSession', 1)]
    const start = await end()
    const state = newSequencerState()
    const next = await roundsUntilBehind(state, 1n, quick, 1)
    const late = await appendLate(slow)
    try {
      for (const more of [0, 1, 2, 3]) {
        await append(quick, next + more)
        await dispatchEvents(t.ctx, state)
      }
      assert.ok(state.walk.begin < late.arrival, 'the walk begins before what is not committed')
    } finally {
      await late.end()
    }
    await append(slow, 2)
    await dispatchEvents(t.ctx, state)
    await roundsUntilBehind(state, late.arrival, quick, next + 4)
    const { events } = await follow(t.client, start)
    const placed = events.filter((e) => e.stream === slow).map((e) => e.sequence)
    assert.deepEqual(placed, [1, 2])
    const others = events.filter((e) => e.stream === quick).map((e) => e.sequence)
    assert.deepEqual(
      others,
      others.map((_, index) => index + 1),
    )
  })

  test('so is what a transaction wrote that got its number after that of a later event', async () => {
    const [slow, quick] = [newId('checkoutSession', 1), newId('checkoutSession', 1)]
    const start = await end()
    const state = newSequencerState()
    const numbered = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const first = transaction(t.ctx.sql, async (sql) => {
      await sql`select pg_current_xact_id()`
      numbered.resolve()
      await gate.promise
      await appendEvents(sql, [event(quick, 1)])
    })
    await numbered.promise
    const late = await appendLate(slow)
    try {
      gate.resolve()
      await first
      for (let round = 0; round < 4; round++) {
        state.foundSome = true
        await dispatchEvents(t.ctx, state)
      }
      assert.ok(state.walk.begin < late.arrival, 'the walk begins before what is not committed')
    } finally {
      gate.resolve()
      await late.end()
    }
    await append(slow, 2)
    await dispatchEvents(t.ctx, state)
    const { events } = await follow(t.client, start)
    assert.deepEqual(
      events.map((e) => [e.stream === slow ? 'slow' : 'quick', e.sequence]),
      [
        ['quick', 1],
        ['slow', 1],
        ['slow', 2],
      ],
    )
  })

  test('what waits is found although the walk was told to begin behind it', async () => {
    const start = await end()
    const stream = newId('checkoutSession', 1)
    const state = newSequencerState()
    await append(stream, 1)
    await dispatchEvents(t.ctx, state)
    Object.assign(state, { foundSome: false, walk: { ...state.walk, begin: 2n ** 62n } })
    await append(stream, 2)
    await dispatchEvents(t.ctx, state)
    await dispatchEvents(t.ctx, state)
    const { events } = await follow(t.client, start)
    assert.deepEqual(
      events.map((e) => e.sequence),
      [1, 2],
    )
  })

  test('a round that was rolled back has placed nothing, and the next one finds it all', async () => {
    const start = await end()
    const stream = newId('checkoutSession', 1)
    const state = newSequencerState()
    for (const sequence of [1, 2]) {
      await append(stream, sequence)
      await dispatchEvents(t.ctx, state)
    }
    await append(stream, 3)
    for (let round = 0; round < 4; round++) {
      const failing = transaction(t.ctx.sql, async (sql) => {
        const done = await sequenceEvents(sql, state, 10)
        assert.equal(done?.placed[0]?.count, 1)
        throw new Error('the endpoint was locked')
      })
      await assert.rejects(failing, /locked/)
    }
    await dispatchEvents(t.ctx, state)
    const { events } = await follow(t.client, start)
    assert.deepEqual(
      events.map((e) => e.sequence),
      [1, 2, 3],
    )
  })

  test('writers, readers and several sequencers at once: every reader sees all, once, in order', async () => {
    const start = await end()
    const streams = Array.from({ length: 12 }, () => newId('checkoutSession', 1))
    const perStream = 15
    let writing = streams.length
    const writers = streams.map(async (stream) => {
      for (let sequence = 1; sequence <= perStream; sequence++) {
        await append(stream, sequence)
      }
      writing -= 1
    })
    const sequencers = Array.from({ length: 3 }, async () => {
      const state = newSequencerState()
      while (writing > 0 || (await t.ctx.sql`select 1 as one from event_outbox limit 1`).length > 0) {
        await dispatchEvents(t.ctx, state)
      }
    })
    const readers = Array.from({ length: 3 }, async () => {
      const seen: string[] = []
      let next = start
      while (seen.length < streams.length * perStream) {
        const page = await follow(t.client, next, '', 20)
        seen.push(...page.events.map((e) => `${e.stream} ${e.sequence}`))
        next = page.next
      }
      return seen
    })
    await Promise.all([...writers, ...sequencers])
    for (const seen of await Promise.all(readers)) {
      assert.equal(new Set(seen).size, seen.length)
      for (const stream of streams) {
        const mine = seen.filter((line) => line.startsWith(stream)).map((line) => Number(line.split(' ')[1]))
        assert.deepEqual(
          mine,
          Array.from({ length: perStream }, (_, index) => index + 1),
        )
      }
    }
  })

  test('many merchants and more than one slice: all of it, and nobody waits for another’s queue', async () => {
    const others = await Promise.all([t.newMerchant(), t.newMerchant()])
    const start = await end()
    const streams = Array.from({ length: 1200 }, () => newId('checkoutSession', 1))
    await transaction(t.ctx.sql, (sql) =>
      appendEvents(
        sql,
        streams.map((stream) => event(stream, 1)),
      ),
    )
    for (const { merchantId } of others) {
      const one = { ...event(newId('checkoutSession', 1), 1), merchantId }
      await transaction(t.ctx.sql, (sql) => appendEvents(sql, [one]))
    }
    const state = newSequencerState()
    assert.equal(await dispatchEvents(t.ctx, state), true)
    assert.equal(await dispatchEvents(t.ctx, state), true)
    for (const other of others) assert.equal((await follow(other, '0')).events.length, 1, 'in the second round already')
    while (await dispatchEvents(t.ctx, state));
    const { events } = await follow(t.client, start, '', 100)
    assert.deepEqual(
      events.map((e) => e.stream),
      streams,
    )
  })
})

describe('forgetting', () => {
  test('after 90 days of the merchant’s clock, and not before; the log goes on where it was', async () => {
    const client = await t.newMerchant()
    const mine = await makeShop(client)
    const old = await mine.session({ duration: 60 })
    await t.advance(120_000)
    const start = (await follow(client, '0')).next
    await t.advance(90 * day - 300_000)
    assert.equal((await follow(client, '0', `&stream=${old.id}`)).events.length, 2)
    await t.advance(300_001)
    assert.equal((await follow(client, '0', `&stream=${old.id}`)).events.length, 0)
    const left = await t.ctx
      .sql`select 1 as one from events where merchant_id = ${client.merchantId} and stream_id = ${old.id}`
    assert.equal(left.length, 0)
    const session = await mine.session()
    await t.runJobs()
    const { events } = await follow(client, '0')
    assert.deepEqual(
      events.map((e) => [e.stream, e.cursor]),
      [[session.id, (BigInt(start) + 1n).toString()]],
    )
  })

  test('not what an endpoint still waits for', async (context) => {
    const client = await t.newMerchant()
    const mine = await makeShop(client)
    const receiver = await startReceiver()
    context.after(() => receiver.close())
    const { id } = await ok(client, 'POST', '/webhook-endpoints', {
      url: receiver.url,
      eventTypes: ['checkout_session.*'],
    })
    await ok(client, 'PATCH', `/webhook-endpoints/${id}`, { status: 'PAUSED' })
    const session = await mine.session()
    await t.advance(100 * day)
    assert.equal((await follow(client, '0', `&stream=${session.id}`)).events[0]?.sequence, 1)
    await ok(client, 'PATCH', `/webhook-endpoints/${id}`, { status: 'ACTIVE' })
    await t.advance(1)
    assert.deepEqual(
      receiver.got.map(({ body }) => body.sequence),
      [1, 2],
    )
    await t.advance(100 * day)
    assert.equal((await follow(client, '0', `&stream=${session.id}`)).events.length, 0)
    for (const table of ['webhook_deliveries', 'webhook_queues']) {
      const rows = await t.ctx.sql`select 1 as one from ${t.ctx.sql(table)} where merchant_id = ${client.merchantId}`
      assert.equal(rows.length, 0, table)
    }
  })

  test('the application itself may not delete events', async () => {
    await assert.rejects(t.ctx.sql`delete from events where merchant_id = ${t.client.merchantId}`, /permission denied/)
  })
})
