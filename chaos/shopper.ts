/** What merchants and payers do all day: one flow is the life of one order, some of them impatient, some at cross purposes. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { SandboxSeed } from '../packages/server/src/seed.ts'
import type { Ask, Body, Client, Reply } from './client.ts'
import type { Random } from './random.ts'

/** What was asked for, so that at the end it can be counted how often it was done. */
export type Intents = {
  /** Checkout tokens of sessions that were asked for. */
  sessions: string[]
  /** E-mails that name one session minted from a link each. */
  minted: string[]
  /** Descriptions of payments that were submitted with an Idempotency-Key. */
  payments: string[]
  /** Reasons of refunds. */
  refunds: string[]
}

export type Shop = {
  client: Client
  seed: SandboxSeed
  random: Random
  intents: Intents
  /** When the load ends (performance.now): nobody waits for longer. */
  untilMs: number
  /** After this long without an answer a request is given up. */
  patienceMs: number
}

type Flow = (shop: Shop, name: string) => Promise<void>

/** How often each flow is taken, relative to the others. */
const weights = {
  pay: 5,
  trouble: 4,
  receive: 4,
  cancel: 3,
  refresh: 2,
  discard: 2,
  race: 4,
  group: 2,
  link: 2,
  lapse: 1,
} as const

const flows: Record<keyof typeof weights, Flow> = {
  pay,
  trouble,
  receive,
  cancel,
  refresh,
  discard,
  race,
  group,
  link,
  lapse,
}

/** Lives through one order after the other until the time is over. */
export async function shopUntilEnd(shop: Shop, shopper: string): Promise<void> {
  for (let count = 0; performance.now() < shop.untilMs; count++) {
    await flows[shop.random.weighed(weights)](shop, `${shopper}-${count}`)
  }
}

/** The plain case, then refunds of what has settled. */
async function pay(shop: Shop, name: string): Promise<void> {
  const session = await create(shop, name)
  const payment = session && (await submit(shop, name, session.id, 'normal'))
  if (!payment) return
  await read(shop, `/checkout-sessions/${session.id}`, (body) => body.status === 'FINISHED')
  const settled = await read(shop, `/payments/${payment.id}`, (body) => body.status === 'SETTLED')
  if (settled?.status !== 'SETTLED') return
  const parts = shop.random.chance(0.5) ? [undefined] : ['3.00', '2.50', undefined]
  for (const [index, amount] of parts.entries()) {
    const reason = `${name}-refund-${index}`
    shop.intents.refunds.push(reason)
    const body = { reason, ...(amount === undefined ? {} : { amount }) }
    // Without a key a refund whose answer is lost is asked for once more only by somebody careless.
    if (shop.random.chance(0.8)) await twice(shop, keyed(post(`/payments/${payment.id}/refund`, body), reason))
    else await shop.client.once(post(`/payments/${payment.id}/refund`, body))
  }
  await ask(shop, { method: 'GET', path: `/payments/${payment.id}/refund` })
}

/** The sandbox's banks misbehave. */
async function trouble(shop: Shop, name: string): Promise<void> {
  const scenario = shop.random.pick(['declined', 'twice', 'storm', 'webhook_first', 'wrong_amount', 'reversed'])
  const session = await create(shop, name)
  const payment = session && (await submit(shop, name, session.id, scenario))
  if (payment) await read(shop, `/payments/${payment.id}`, (body) => body.status !== 'CREATED')
}

/** The bank stays silent and the sandbox's receipt is played. */
async function receive(shop: Shop, name: string): Promise<void> {
  const session = await create(shop, name)
  const payment = session && (await submit(shop, name, session.id, 'silent'))
  if (!payment) return
  await ask(shop, post('/payments/received', { transactionId: payment.id }))
  await read(shop, `/checkout-sessions/${session.id}`, (body) => body.status === 'FINISHED')
}

/** A payment is cancelled, and another one pays, or the session is given up. */
async function cancel(shop: Shop, name: string): Promise<void> {
  const session = await create(shop, name)
  const payment = session && (await submit(shop, name, session.id, 'silent'))
  if (!payment) return
  await ask(shop, maybeKeyed(shop, post(`/checkout-sessions/${session.id}/payments/${payment.id}/cancel`), name))
  if (shop.random.chance(0.4)) await ask(shop, { method: 'DELETE', path: `/checkout-sessions/${session.id}` })
  else await submit(shop, `${name}-again`, session.id, 'normal')
}

/** More time and a fresh quote. */
async function refresh(shop: Shop, name: string): Promise<void> {
  const session = await create(shop, name)
  if (!session) return
  await ask(shop, maybeKeyed(shop, refreshOf(session), `${name}-1`))
  await twice(shop, maybeKeyed(shop, refreshOf(session), `${name}-2`))
  await ask(shop, { method: 'GET', path: `/checkout-sessions/${session.id}` })
}

/** Made and deleted. */
async function discard(shop: Shop, name: string): Promise<void> {
  const session = await create(shop, name)
  if (!session) return
  await ask(shop, { method: 'DELETE', path: `/checkout-sessions/${session.id}` })
  await ask(shop, { method: 'GET', path: `/checkout-sessions/${session.id}` })
}

/** Everybody at once on one session. */
async function race(shop: Shop, name: string): Promise<void> {
  const session = await create(shop, name)
  const payment = session && (await submit(shop, name, session.id, shop.random.pick(['silent', 'normal'])))
  if (!payment) return
  const path = `/checkout-sessions/${session.id}`
  const moves: Ask[] = [
    post('/payments/received', { transactionId: payment.id }),
    post('/payments/received', { transactionId: payment.id }),
    post(`${path}/payments/${payment.id}/cancel`),
    post(`${path}/payments`, paymentBody(`${name}-other`, 'normal', 'Bea')),
    { method: 'DELETE', path },
    refreshOf(session),
  ]
  await Promise.all(moves.filter(() => shop.random.chance(0.7)).map((move) => ask(shop, move)))
  await ask(shop, { method: 'GET', path: `/payments/${payment.id}` })
}

/** Two sessions of one order: one of them may be paid. */
async function group(shop: Shop, name: string): Promise<void> {
  const change = { metadata: { orderReference: name } }
  const pair = await Promise.all(['a', 'b'].map((half) => create(shop, `${name}-${half}`, change)))
  await Promise.all(
    pair.map(async (session, index) => {
      const payment = session && (await submit(shop, `${name}-${index}`, session.id, 'silent'))
      if (payment) await ask(shop, post('/payments/received', { transactionId: payment.id }))
    }),
  )
}

/** A link that may be paid twice, and three who want to. */
async function link(shop: Shop, name: string): Promise<void> {
  const offer = { ...sessionBody(shop.seed, name), active: true, maxPayments: 2 }
  const made = await ask(shop, keyed(post('/payment-links', offer), `${name}-link`))
  if (made?.status !== 201) return
  await Promise.all(
    ['a', 'b', 'c'].map(async (payer) => {
      const email = `${name}-${payer}+silent@example.com`.toLowerCase()
      shop.intents.minted.push(email)
      const customer = { ...payerNamed('Ana'), email }
      const minted = await twice(shop, keyed(post('/checkout-sessions', { checkoutToken: name, customer }), email))
      const payment = minted?.status === 201 && (await submit(shop, `${name}-${payer}`, minted.body.id, 'silent'))
      if (payment) await ask(shop, post('/payments/received', { transactionId: payment.id }))
    }),
  )
  await ask(shop, { method: 'GET', path: `/payment-links/${made.body.id}` })
}

/** A session runs out and is renewed, twice with one key: one successor. */
async function lapse(shop: Shop, name: string): Promise<void> {
  if (shop.untilMs - performance.now() < 33_000) return discard(shop, name)
  const session = await create(shop, name, { duration: 30 })
  if (!session) return
  const lapsed = await read(shop, `/checkout-sessions/${session.id}`, (body) => body.status === 'EXPIRED', 33_000)
  if (lapsed?.status !== 'EXPIRED') return
  const renewed = await twice(shop, keyed(refreshOf(session), `${name}-renew`))
  if (renewed?.status === 201) await submit(shop, `${name}-late`, renewed.body.id, 'normal')
}

async function create(shop: Shop, name: string, change: object = {}): Promise<Body | undefined> {
  shop.intents.sessions.push(name)
  const request = maybeKeyed(shop, post('/checkout-sessions', { ...sessionBody(shop.seed, name), ...change }), name)
  const reply = await ask(shop, request)
  if (reply?.status === 201) return reply.body
  // Without a key, the token tells that an attempt which was not answered had been done.
  if (reply?.status !== 409 || !reply.uncertain) return undefined
  const found = await ask(shop, { method: 'GET', path: `/checkout-sessions/${reply.body.resourceId}` })
  return found?.status === 200 ? found.body : undefined
}

async function submit(shop: Shop, name: string, sessionId: string, scenario: string): Promise<Body | undefined> {
  const path = `/checkout-sessions/${sessionId}/payments`
  const plain = post(path, paymentBody(name, scenario))
  const request = maybeKeyed(shop, plain, `${name}-pay`)
  if (request.key !== undefined) shop.intents.payments.push(name)
  const reply = shop.random.chance(0.2) ? await twice(shop, request) : await ask(shop, request)
  if (reply?.status === 200) return reply.body
  if (!reply?.uncertain) return undefined
  const found = await ask(shop, { method: 'GET', path: `/payments?checkoutSessionId=${sessionId}` })
  return found?.body.results?.[0]
}

/** The same request twice at the same moment, as an impatient client or a proxy sends it. */
async function twice(shop: Shop, request: Ask): Promise<Reply | undefined> {
  const [first, second] = await Promise.all([ask(shop, request), ask(shop, request)])
  return first ?? second
}

function ask(shop: Shop, request: Ask): Promise<Reply | undefined> {
  return shop.client.insist(request, Math.min(shop.untilMs, performance.now() + shop.patienceMs))
}

/** Reads until it is as wanted, for at most `patienceMs`; the last body. */
async function read(
  shop: Shop,
  path: string,
  wanted: (body: Body) => boolean,
  patienceMs = 6_000,
): Promise<Body | undefined> {
  const untilMs = Math.min(shop.untilMs, performance.now() + patienceMs)
  for (;;) {
    const reply = await shop.client.insist({ method: 'GET', path }, untilMs)
    if (reply?.status !== 200 || wanted(reply.body) || performance.now() > untilMs) return reply?.body
    await sleep(150 + shop.random.between(0, 200))
  }
}

function post(path: string, body: Body = {}): Ask {
  return { method: 'POST', path, body }
}

function keyed(request: Ask, key: string): Ask {
  return { ...request, key }
}

function maybeKeyed(shop: Shop, request: Ask, key: string): Ask {
  return shop.random.chance(0.6) ? keyed(request, key) : request
}

function refreshOf(session: Body): Ask {
  return post(`/checkout-sessions/token/${session.checkoutToken}/refresh`)
}

function payerNamed(firstName: string) {
  return { firstName, lastName: 'Souza', documentType: 'CPF', documentNumber: '52998224725' }
}

function paymentBody(description: string, scenario: string, firstName = 'Ana') {
  const customer = { ...payerNamed(firstName), email: `ana+${scenario}@example.com` }
  return { description, origins: [{ type: 'PIX', currency: 'BRL', pix: { customer } }] }
}

function sessionBody(seed: SandboxSeed, checkoutToken: string) {
  return {
    checkoutToken,
    items: [{ description: 'Café', preTaxAmount: '11.90', totalAmount: '11.90' }],
    currency: 'BRL',
    paymentMethodsAllowed: ['PIX'],
    duration: 3600,
    owner: { identityId: seed.identityId },
    destinations: [{ type: 'ACCOUNT', amount: '11.90', account: { accountNumber: seed.accounts.BRL } }],
    successUrl: 'https://shop.example/ok',
    failedUrl: 'https://shop.example/no',
  }
}
