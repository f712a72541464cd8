/** Payment links (contract section 3, design section 4 rules 3 and 10), through HTTP. */
import assert from 'node:assert/strict'
import { after, before, describe, it, test } from 'node:test'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { pointers, prove, told } from '../../test/proof.ts'
import { anaPix, makeShop, ok, pixOf, type Shop } from '../../test/shop.ts'

let t: TestApp
let shop: Shop
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
})
after(() => t.close())

const post = (url: string, body?: unknown) => t.client.call('POST', url, body)
const make = (change: Record<string, unknown> = {}) => ok(t.client, 'POST', '/payment-links', shop.body(change))
const active = (change: Record<string, unknown> = {}) => make({ active: true, ...change })
const read = (link: Body) => ok(t.client, 'GET', `/payment-links/${link.id}`)
const status = async (link: Body) => (await read(link)).status
const mint = (link: Body, body: unknown = {}) =>
  post(`/payment-links/token/${link.checkoutToken}/checkout-sessions`, body)
const submit = (session: Body, body: unknown = pixOf('ana+silent@example.com')) =>
  post(`/checkout-sessions/${session.id}/payments`, body)
const cancel = (session: Body, payment: Body) => post(`/checkout-sessions/${session.id}/payments/${payment.id}/cancel`)
const remove = (link: Body) => t.client.call('DELETE', `/payment-links/${link.id}`)

/** A link in each status, made through the API. */
const inStatus: Record<string, () => Promise<Body>> = {
  ATTEMPT: () => make(),
  ACTIVE: () => active(),
  EXPIRED: async () => {
    const link = await make({ duration: 30 })
    await t.advance(31_000)
    return link
  },
  PROCESSING_PAYMENT: async () => {
    const link = await active({ maxPayments: 1 })
    await submit((await mint(link)).body)
    return link
  },
  FINISHED: async () => {
    const link = await active({ maxPayments: 1 })
    await submit((await mint(link)).body, anaPix)
    await t.advance(1500)
    return link
  },
}

describe('POST /payment-links', () => {
  it('201: an offer that waits to be activated, or with `active` is', async () => {
    const body = shop.body({ metadata: { a: 'b' }, maxPayments: 3 })
    const { status: code, body: link } = await post('/payment-links', body)
    assert.equal(code, 201)
    assert.match(link.id, /^pl_/)
    assert.deepEqual(
      [
        link.status,
        link.checkoutToken,
        link.duration,
        link.maxPayments,
        link.successUrl,
        link.failedUrl,
        link.totalAmount,
      ],
      ['ATTEMPT', body.checkoutToken, 3600, 3, 'https://shop.example/ok', 'https://shop.example/no', '11.90'],
    )
    assert.match(link.url, /\/link\/\w+-[A-Za-z0-9_-]{22}$/)
    assert.deepEqual(await read(link), link)
    const other = await active()
    assert.equal(other.status, 'ACTIVE')
    assert.deepEqual(await told(t, t.client, other.id), ['payment_link.created', 'payment_link.activated'])
  })

  it('400: as for sessions, and its own fields', async () => {
    for (const [field, value] of [
      ['active', 'yes'],
      ['maxPayments', 0],
      ['maxPayments', '1'],
      ['maxPayments', 1.5],
      ['foo', 1],
    ] as const) {
      const answer = await post('/payment-links', shop.body({ [field]: value }))
      assert.deepEqual([answer.status, pointers(answer.body)], [400, [`/${field}`]])
    }
    const { status: code, body } = await post('/payment-links', {})
    assert.deepEqual([code, body.type], [400, 'missingParam'])
  })

  it('409: a token that is taken names its link', async () => {
    const link = await make()
    const again = await post('/payment-links', shop.body({ checkoutToken: link.checkoutToken }))
    assert.deepEqual([again.status, again.body.resourceId], [409, link.id])
    await remove(link)
    assert.equal((await post('/payment-links', shop.body({ checkoutToken: link.checkoutToken }))).status, 201)
  })
})

describe('GET /payment-links/{id}, DELETE and the transitions, from every status', () => {
  const outcomes: Record<string, { activate: number | string; deactivate: number | string; remove: number }> = {
    ATTEMPT: { activate: 'ACTIVE', deactivate: 'ATTEMPT', remove: 204 },
    ACTIVE: { activate: 'ACTIVE', deactivate: 'ATTEMPT', remove: 422 },
    EXPIRED: { activate: 422, deactivate: 422, remove: 204 },
    PROCESSING_PAYMENT: { activate: 422, deactivate: 422, remove: 422 },
    FINISHED: { activate: 422, deactivate: 422, remove: 422 },
  }
  for (const [from, expected] of Object.entries(outcomes)) {
    it(`${from}: activate ${expected.activate}, deactivate ${expected.deactivate}, delete ${expected.remove}`, async () => {
      for (const verb of ['activate', 'deactivate'] as const) {
        const link = (await inStatus[from]?.()) ?? {}
        assert.equal(await status(link), from)
        const answer = await post(`/payment-links/${link.id}/${verb}`, {})
        assert.equal(answer.status === 200 ? answer.body.status : answer.status, expected[verb])
        assert.equal(await status(link), answer.status === 200 ? expected[verb] : from)
      }
      const link = (await inStatus[from]?.()) ?? {}
      const removed = await remove(link)
      assert.deepEqual([removed.status, removed.body === undefined], [expected.remove, expected.remove === 204])
      const gone = expected.remove === 204
      assert.equal((await t.client.call('GET', `/payment-links/${link.id}`)).status, gone ? 404 : 200)
      if (gone) assert.equal((await mint(link)).status, 404)
    })
  }

  it('404: unknown, malformed, deleted', async () => {
    for (const id of ['pl_01k9v3m5x8e2wvq0c7d4n6t1ab', 'x']) {
      assert.equal((await t.client.call('GET', `/payment-links/${id}`)).status, 404)
      assert.equal((await remove({ id })).status, 404)
      for (const verb of ['activate', 'deactivate'])
        assert.equal((await post(`/payment-links/${id}/${verb}`)).status, 404)
    }
  })

  it('it is EXPIRED `duration` seconds after creation, at the moment, told once', async () => {
    const link = await active({ duration: 60 })
    await t.advance(59_999)
    assert.equal(await status(link), 'ACTIVE')
    await t.advance(1)
    assert.equal(await status(link), 'EXPIRED')
    await t.advance(10_000)
    assert.equal((await told(t, t.client, link.id)).filter((type) => type === 'payment_link.expired').length, 1)
  })
})

describe('POST /payment-links/token/{token}/checkout-sessions', () => {
  it('201: a session of its own that lasts the link’s duration, a day at most', async () => {
    const short = (await mint(await active({ duration: 600 }))).body
    assert.equal(Date.parse(short.expiresAt) - Date.parse(short.createdAt), 600_000)
    const link = await active({ duration: 30 * 86_400 })
    const long = (await mint(link)).body
    assert.equal(Date.parse(long.expiresAt) - Date.parse(long.createdAt), 86_400_000)
    assert.deepEqual([long.paymentLinkId, long.status, long.rootSessionId], [link.id, 'ATTEMPT', long.id])
    assert.match(long.checkoutToken, /^[A-Za-z0-9_-]{22}$/)
  })

  it('404: no such link; 422: one that is not ACTIVE, also by the clock alone; 400: a body with fields', async () => {
    assert.equal((await mint({ checkoutToken: 'nowhere' })).status, 404)
    for (const from of ['ATTEMPT', 'EXPIRED', 'PROCESSING_PAYMENT', 'FINISHED']) {
      assert.equal((await mint((await inStatus[from]?.()) ?? {})).status, 422, from)
    }
    const due = await active()
    await t.ctx.sql`update payment_links set expires_at = created_at where id = ${due.id}`
    assert.equal((await mint(due)).status, 422)
    const { status: code, body } = await mint(await active(), { customer: {} })
    assert.deepEqual([code, pointers(body)], [400, ['/customer']])
    await t.runJobs()
  })

  it('its open sessions outlive it: deactivated, expired or deleted, they still pay', async () => {
    for (const end of ['deactivate', 'expire', 'delete']) {
      const link = await active({ duration: 3600 })
      const session = (await mint(link)).body
      if (end === 'deactivate') await post(`/payment-links/${link.id}/deactivate`)
      else await t.ctx.sql`update payment_links set expires_at = created_at where id = ${link.id}`
      await t.runJobs()
      if (end === 'delete') assert.equal((await remove(link)).status, 204)
      assert.equal((await submit(session, anaPix)).status, 200, end)
      await t.advance(1500)
      assert.equal((await ok(t.client, 'GET', `/checkout-sessions/${session.id}`)).status, 'FINISHED', end)
    }
  })
})

describe('maxPayments', () => {
  it('is counted at submit: the last use makes it PROCESSING_PAYMENT, released it is ACTIVE, paid it is FINISHED', async () => {
    const link = await active({ maxPayments: 2 })
    const [a, b, c] = await Promise.all([mint(link), mint(link), mint(link)]).then((all) => all.map((x) => x.body))
    const first = (await submit(a)).body
    assert.equal(await status(link), 'ACTIVE')
    const second = (await submit(b)).body
    assert.equal(await status(link), 'PROCESSING_PAYMENT')
    const refused = await submit(c)
    assert.deepEqual([refused.status, refused.body.type], [422, 'failedPrecondition'])
    assert.equal((await ok(t.client, 'GET', `/checkout-sessions/${c.id}`)).status, 'ATTEMPT')
    assert.equal((await cancel(a, first)).status, 200)
    assert.equal(await status(link), 'ACTIVE')
    const third = (await submit(c, anaPix)).body
    assert.equal(await status(link), 'PROCESSING_PAYMENT')
    await t.advance(1500)
    assert.equal((await ok(t.client, 'GET', `/payments/${third.id}`)).status, 'RECEIVED')
    assert.equal(await status(link), 'PROCESSING_PAYMENT')
    await cancel(b, second)
    assert.equal(await status(link), 'ACTIVE')
    await submit(b, anaPix)
    await t.advance(1500)
    assert.equal(await status(link), 'FINISHED')
    assert.deepEqual(await told(t, t.client, link.id), [
      'payment_link.created',
      'payment_link.activated',
      'payment_link.exhausted',
      'payment_link.released',
      'payment_link.exhausted',
      'payment_link.released',
      'payment_link.exhausted',
      'payment_link.finished',
    ])
  })

  it('20 submits at the same moment: as many as are left', async () => {
    const link = await active({ maxPayments: 3 })
    const sessions = await Promise.all(Array.from({ length: 20 }, async () => (await mint(link)).body))
    const answers = await Promise.all(sessions.map((session) => submit(session)))
    assert.deepEqual(answers.map((a) => a.status).sort(), [...Array(3).fill(200), ...Array(17).fill(422)])
    assert.equal(await status(link), 'PROCESSING_PAYMENT')
  })

  it('deactivated while its last use is open: paid, and activated again it is FINISHED', async () => {
    const link = await active({ maxPayments: 1 })
    const session = (await mint(link)).body
    await post(`/payment-links/${link.id}/deactivate`)
    await submit(session, anaPix)
    await t.advance(1500)
    assert.equal(await status(link), 'ATTEMPT')
    assert.equal((await post(`/payment-links/${link.id}/activate`)).body.status, 'FINISHED')
  })

  it('late money that is accepted counts too, also beyond the limit, and never twice', async () => {
    const link = await active({ maxPayments: 1, duration: 86_400 })
    const [a, b] = [(await mint(link)).body, (await mint(link)).body]
    await submit(a, pixOf('ana+late@example.com'))
    await t.advance(31 * 60_000)
    assert.equal(await status(link), 'ACTIVE')
    const open = (await submit(b)).body
    assert.equal(await status(link), 'PROCESSING_PAYMENT')
    await t.advance(2000)
    assert.equal((await ok(t.client, 'GET', `/checkout-sessions/${a.id}`)).status, 'FINISHED')
    assert.equal(await status(link), 'FINISHED')
    await cancel(b, open)
    const [row] = await t.ctx.sql<{ usesOpen: number; usesPaid: number }[]>`
      select uses_open, uses_paid from payment_links where id = ${link.id}`
    assert.deepEqual(row, { usesOpen: 0, usesPaid: 1 })

    const alone = await active({ maxPayments: 1, duration: 86_400 })
    await submit((await mint(alone)).body, pixOf('ana+late@example.com'))
    await t.advance(31 * 60_000)
    await t.advance(2000)
    assert.equal(await status(alone), 'FINISHED')
  })

  it('money held for one of its sessions keeps its use until it is sent back', async () => {
    const link = await active({ maxPayments: 1 })
    const session = (await mint(link)).body
    const payment = (await submit(session, pixOf('ana+wrong_amount@example.com'))).body
    await t.advance(1500)
    assert.equal(await status(link), 'PROCESSING_PAYMENT')
    await ok(t.client, 'POST', `/payments/${payment.id}/resolve`, { decision: 'refund', reason: 'x' })
    await t.advance(2000)
    assert.equal(await status(link), 'ACTIVE')
  })
})

describe('GET /payment-links', () => {
  it('200: every filter with comma lists, pages of 0 to 50, keys', async () => {
    const client = await t.newMerchant()
    const own = await makeShop(client)
    const links: Body[] = []
    for (const change of [
      { customer: { email: 'Ana@Example.com' } },
      { active: true },
      { checkoutToken: 'Order 7, again' },
    ]) {
      links.push(await ok(client, 'POST', '/payment-links', own.body(change)))
    }
    const shown = async (query: string) => {
      const { status: code, body } = await client.call('GET', `/payment-links?${query}`)
      assert.equal(code, 200, JSON.stringify(body))
      return body.results.map((found: Body) => links.findIndex((link) => link.id === found.id))
    }
    const brl = own.accounts.BRL?.accountNumber
    assert.deepEqual(await shown(''), [2, 1, 0])
    assert.deepEqual(await shown(`id=${links[0]?.id},${links[2]?.id},x`), [2, 0])
    assert.deepEqual(await shown('status=ACTIVE,EXPIRED'), [1])
    assert.deepEqual(await shown(`checkoutToken=${links[1]?.checkoutToken}`), [1])
    assert.deepEqual(await shown(`checkoutToken=${encodeURIComponent('Order 7, again')}`), [2])
    assert.deepEqual(await shown(`checkoutToken=${links[1]?.checkoutToken},${links[2]?.checkoutToken}`), [])
    assert.deepEqual(await shown('customer.email=ana@example.COM,x@y.z'), [0])
    assert.deepEqual(await shown(`destination.accountNumber=${brl},1`), [2, 1, 0])
    assert.deepEqual(await shown('destination.accountNumber=1'), [])
    assert.deepEqual(await shown(`owner.identityId=${own.identityId}`), [2, 1, 0])
    assert.deepEqual(await shown('limit=1&offset=1'), [1])
    assert.deepEqual(await shown('limit=1&next=2'), [0])
    assert.deepEqual(await shown(`after=${links[2]?.id}&limit=1`), [1])
    assert.deepEqual(await shown('sort=createdAt:asc'), [0, 1, 2])
    const none = await client.call('GET', '/payment-links?limit=0')
    assert.deepEqual(none.body, { pagination: { count: 0, next: 0, previous: 0, total: 3 }, results: [] })
  })

  it('400: with pointers', async () => {
    for (const [query, pointer] of [
      ['limit=51', '/query/limit'],
      ['limit=-1', '/query/limit'],
      ['status=FAILED', '/query/status'],
      ['identityId=x', '/query/identityId'],
      ['sort=expiresAt:asc', '/query/sort'],
      ['after=cs_01k9v3m5x8e2wvq0c7d4n6t1ab', '/query/after'],
    ] as const) {
      const { status: code, body } = await t.client.call('GET', `/payment-links?${query}`)
      assert.deepEqual([code, pointers(body)], [400, [pointer]], query)
    }
  })
})

test('after all of it the ledger agrees, and the last events are the objects', () => prove(t, t.client))
