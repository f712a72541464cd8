/** The sandbox's scenarios, played out: a poller that applies every outcome and asks again when it is told to. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Outcome, PaymentOrder, Rail } from '@pasarela/connector-kit'
import { sampleOrder } from '@pasarela/connector-kit/conformance'
import {
  cardTokens,
  noticesOf,
  type ScenarioName,
  sandbox as sandboxOf,
  scenarioName,
  scenarios,
} from '@pasarela/connectors/sandbox'
import { rails } from '../../src/rails/index.ts'
import { sampleFields } from '../../src/rails/sample.ts'

const sandbox = sandboxOf(rails)
const never = new AbortController().signal

const statusAfter: Partial<Record<Outcome['is'], string>> = {
  authorized: 'AUTHORIZED',
  captured: 'CAPTURED',
  received: 'RECEIVED',
  settled: 'SETTLED',
  reversed: 'REVERSED',
  declined: 'FAILED',
  expired: 'EXPIRED',
}

function railNamed(type: string): Rail {
  const rail = rails.find((each) => each.type === type)
  assert.ok(rail)
  return rail
}

function orderOf(type: string, scenario: ScenarioName, more: Partial<PaymentOrder> = {}): PaymentOrder {
  const rail = railNamed(type)
  const fields = sampleFields(rail, `ana+${scenario}@example.com`)
  return sampleOrder({ rail, fields: sampleFields(rail) }, `pay_${type}_${scenario}`, { fields, ...more })
}

/** What is heard of an order, as `status @seconds after its creation`, until the bank has nothing more to say. */
async function play(type: string, scenario: ScenarioName, token?: string): Promise<string[]> {
  const begun = orderOf(type, scenario)
  let order = token === undefined ? begun : { ...begun, fields: { ...begun.fields, token } }
  const heard: string[] = []
  let outcome = scenario === 'timeout' ? await sandbox.lookup(order, never) : await sandbox.start(order, never)
  for (let asked = 0; asked < 20; asked++) {
    if (outcome.is === 'action') order = { ...order, fields: { ...order.fields, ...outcome.fields } }
    const status = statusAfter[outcome.is]
    if (status !== undefined && status !== order.status) {
      order = { ...order, status, statusSince: order.now }
      heard.push(`${status} @${(order.now.getTime() - order.createdAt.getTime()) / 1000}`)
    }
    if (outcome.askAgainAt === undefined) return heard
    order = { ...order, ref: outcome.ref, now: outcome.askAgainAt }
    outcome = await sandbox.lookup(order, never)
  }
  assert.fail(`the sandbox goes on and on: ${heard.join(', ')}`)
}

describe('scenarios of a rail that the payer acts on', () => {
  const minutes = (count: number) => count * 60
  const plays: [type: string, scenario: ScenarioName, heard: string[]][] = [
    ['PIX', 'normal', ['RECEIVED @1', 'SETTLED @3']],
    ['WEBPAY', 'normal', ['RECEIVED @8', 'SETTLED @10']],
    ['SPEI', 'normal', ['RECEIVED @1', 'SETTLED @3']],
    ['NEQUI', 'normal', ['RECEIVED @1', 'SETTLED @3']],
    ['PIX', 'declined', ['FAILED @1']],
    ['PIX', 'late', [`EXPIRED @${minutes(30)}`, `RECEIVED @${minutes(30) + 1}`, `SETTLED @${minutes(30) + 3}`]],
    ['PIX', 'silent', []],
    ['PIX', 'wrong_amount', ['RECEIVED @1', 'SETTLED @3']],
    ['PIX', 'wrong_amount_more', ['RECEIVED @1', 'SETTLED @3']],
    ['PIX', 'timeout', ['RECEIVED @1', 'SETTLED @3']],
    ['PIX', 'reversed', ['RECEIVED @1', 'REVERSED @2']],
    ['PIX', 'twice', ['RECEIVED @1', 'SETTLED @3']],
    ['PIX', 'webhook_first', ['RECEIVED @1', 'SETTLED @3']],
    ['PIX', 'storm', ['RECEIVED @1', 'SETTLED @3']],
  ]
  for (const [type, scenario, heard] of plays) {
    test(`${type} ${scenario}: ${heard.join(', ') || 'nothing'}`, async () => {
      assert.deepEqual(await play(type, scenario), heard)
    })
  }

  test('every rail is paid after a second, or eight where the payer decides at a bank, and settled two seconds later', async () => {
    const byFlow: Partial<Record<Rail['flow'], string[]>> = {
      card: ['CAPTURED @0', 'RECEIVED @1', 'SETTLED @3'],
      redirect: ['RECEIVED @8', 'SETTLED @10'],
    }
    for (const rail of rails) {
      const heard = await play(rail.type, 'normal')
      const paid = byFlow[rail.flow] ?? ['RECEIVED @1', 'SETTLED @3']
      assert.deepEqual(heard, paid, rail.type)
    }
  })
})

describe('cards', () => {
  const plays: [token: string, scenario: ScenarioName, heard: string[]][] = [
    ['tok_sandbox_approved', 'normal', ['CAPTURED @0', 'RECEIVED @1', 'SETTLED @3']],
    ['tok_sandbox_declined', 'normal', ['FAILED @0']],
    ['tok_sandbox_manual', 'normal', ['AUTHORIZED @0', 'EXPIRED @3600']],
    ['tok_elsewhere', 'normal', ['FAILED @0']],
    ['constructor', 'normal', ['FAILED @0']],
    ['tok_sandbox_approved', 'declined', ['FAILED @0']],
    ['tok_sandbox_approved', 'reversed', ['CAPTURED @0', 'REVERSED @1']],
    ['tok_sandbox_approved', 'timeout', ['CAPTURED @0', 'RECEIVED @1', 'SETTLED @3']],
    ['tok_sandbox_approved', 'silent', []],
    ['tok_sandbox_approved', 'late', ['EXPIRED @3600', 'RECEIVED @3601', 'SETTLED @3603']],
  ]
  for (const [token, scenario, heard] of plays) {
    test(`${token} ${scenario}: ${heard.join(', ') || 'nothing'}`, async () => {
      assert.deepEqual(await play('CARD', scenario, token), heard)
    })
  }

  const manual = orderOf('CARD', 'normal', { fields: { token: 'tok_sandbox_manual' } })
  const authorized = { ...manual, status: 'AUTHORIZED' }

  test('a reserved amount is captured by hand, then received and settled', async () => {
    const captured = await sandbox.capture?.(authorized, never)
    assert.equal(captured?.is, 'captured')
    const at = (seconds: number) => new Date(manual.now.getTime() + seconds * 1000)
    const order = { ...manual, status: 'CAPTURED' }
    assert.equal((await sandbox.lookup({ ...order, now: at(0.5) }, never)).is, 'captured')
    assert.equal((await sandbox.lookup({ ...order, now: at(1) }, never)).is, 'received')
    assert.equal((await sandbox.lookup({ ...order, status: 'RECEIVED', now: at(2) }, never)).is, 'settled')
  })

  test('a reserved amount is let go by a cancel, and lapses by itself', async () => {
    assert.equal((await sandbox.cancel?.(authorized, never))?.is, 'expired')
    const late = { ...authorized, now: authorized.expiresAt }
    assert.equal((await sandbox.capture?.(late, never))?.is, 'expired')
    assert.equal((await sandbox.lookup(late, never)).is, 'expired')
  })

  test('an unknown token is refused with the names of the known ones', async () => {
    const outcome = await sandbox.start({ ...manual, fields: { token: 'x' } }, never)
    assert.ok(outcome.is === 'declined' && outcome.reason.includes('tok_sandbox_approved'))
  })
})

describe('amounts', () => {
  const amountOf = async (type: string, scenario: ScenarioName, minor: bigint) => {
    const order = orderOf(type, scenario)
    const now = new Date(order.createdAt.getTime() + 1000)
    const outcome = await sandbox.lookup({ ...order, amount: { ...order.amount, minor }, now }, never)
    assert.ok(outcome.is === 'received')
    assert.equal(outcome.amount.currency, order.amount.currency)
    return outcome.amount.minor
  }

  test('the right amount, half of it, a tenth more', async () => {
    assert.equal(await amountOf('PIX', 'normal', 1990n), 1990n)
    assert.equal(await amountOf('PIX', 'wrong_amount', 1990n), 995n)
    assert.equal(await amountOf('PIX', 'wrong_amount_more', 1990n), 2189n)
  })

  test('whole pesos where whole pesos were asked for, and never nothing or the right amount', async () => {
    assert.equal(await amountOf('PSE', 'wrong_amount', 100_100n), 50_000n)
    assert.equal(await amountOf('PSE', 'wrong_amount_more', 100_100n), 110_100n)
    assert.equal(await amountOf('WEBPAY', 'wrong_amount', 1n), 2n)
    assert.equal(await amountOf('WEBPAY', 'wrong_amount_more', 1n), 2n)
  })
})

describe('interventions', () => {
  test('authorized and captured work on every rail, and a declined payment stays declined', async () => {
    for (const rail of rails) {
      const order = orderOf(rail.type, 'normal')
      assert.equal((await sandbox.authorize?.(order, never))?.is, 'authorized', rail.type)
      assert.equal((await sandbox.capture?.(order, never))?.is, 'captured', rail.type)
      const declined = orderOf(rail.type, 'declined')
      const later = { ...declined, now: new Date(declined.now.getTime() + 1000) }
      assert.equal((await sandbox.capture?.(later, never))?.is, 'declined', rail.type)
      assert.equal((await sandbox.authorize?.(later, never))?.is, 'declined', rail.type)
    }
  })

  test('a cancel ends what is not paid, and hears of the money where it is', async () => {
    for (const scenario of ['normal', 'silent', 'late', 'timeout'] as const) {
      assert.equal((await sandbox.cancel?.(orderOf('PIX', scenario), never))?.is, 'expired', scenario)
    }
    const order = orderOf('PIX', 'normal')
    const later = { ...order, now: new Date(order.now.getTime() + 1000) }
    assert.equal((await sandbox.cancel?.(later, never))?.is, 'received')
    assert.equal((await sandbox.cancel?.({ ...later, status: 'RECEIVED' }, never))?.is, 'received')
  })

  test('a cancelled payment is not paid any more, except late', async () => {
    const ended = { status: 'EXPIRED', now: new Date('2026-11-22T12:10:00Z') }
    assert.equal((await sandbox.lookup(orderOf('PIX', 'normal', ended), never)).is, 'expired')
    assert.equal((await sandbox.lookup(orderOf('PIX', 'late', ended), never)).is, 'received')
  })

  test('a start that hangs ends with the caller, and the look-up brings the instructions', {
    timeout: 5000,
  }, async () => {
    const order = orderOf('PIX', 'timeout')
    const caller = new AbortController()
    const started = sandbox.start(order, caller.signal)
    caller.abort()
    assert.deepEqual(await started, { is: 'pending' })
    const found = await sandbox.lookup(order, never)
    assert.ok(found.is === 'action' && found.fields.data)
    assert.equal((await sandbox.lookup({ ...order, ref: found.ref }, never)).is, 'pending')
  })

  test('a refund is done after a second, or refused when its reason asks for that', async () => {
    const { amount, createdAt } = orderOf('PIX', 'normal')
    const order = { refundId: 'r', rail: 'PIX', parentRef: 'p', amount, reason: undefined, createdAt, now: createdAt }
    const under = await sandbox.refund(order, never)
    assert.ok(under.is === 'pending' && under.askAgainAt)
    const now = under.askAgainAt
    assert.deepEqual(await sandbox.refund({ ...order, now }, never), { is: 'settled', ref: under.ref })
    assert.equal((await sandbox.refund({ ...order, now, reason: 'broken +declined' }, never)).is, 'declined')
  })
})

describe('the choice of a scenario', () => {
  const choose = (email: unknown, metadata: Record<string, string> = {}) =>
    scenarioName({ metadata, fields: { customer: { email } } })

  test('by the tag of the e-mail, in any case and spelling', () => {
    for (const name of Object.keys(scenarios)) assert.equal(choose(`ana+${name}@example.com`), name)
    assert.equal(choose('ana+Wrong-Amount@example.com'), 'wrong_amount')
    assert.equal(choose('ana+shop+late@example.com'), 'late')
    assert.equal(choose('ana+surplus@example.com'), 'wrong_amount_more')
  })

  test('by metadata first', () => {
    assert.equal(choose('ana+late@example.com', { sandboxScenario: 'silent' }), 'silent')
    assert.equal(choose('ana@example.com', { scenario: 'declined' }), 'declined')
  })

  test('anything else is normal', () => {
    for (const email of [
      'ana@example.com',
      'late@example.com',
      'ana@late+late.com',
      'ana+constructor@example.com',
      '',
      1,
      undefined,
    ]) {
      assert.equal(choose(email), 'normal', String(email))
    }
    assert.equal(scenarioName({ metadata: {}, fields: {} }), 'normal')
  })
})

describe('notices', () => {
  const notices = (scenario: ScenarioName) => noticesOf(orderOf('PIX', scenario))
  const refs = (scenario: ScenarioName) => new Set(notices(scenario).map((notice) => notice.outcome.ref)).size

  test('one, two of two payments, ten of the same, one before the answer, none', () => {
    const order = orderOf('PIX', 'normal')
    assert.deepEqual(
      notices('normal').map((notice) => notice.at.getTime() - order.createdAt.getTime()),
      [1000],
    )
    assert.deepEqual([notices('twice').length, refs('twice')], [2, 2])
    assert.deepEqual([notices('storm').length, refs('storm')], [10, 1])
    assert.deepEqual(
      notices('webhook_first').map((notice) => notice.at),
      [order.createdAt],
    )
    assert.deepEqual([notices('silent'), notices('late')], [[], []])
    assert.equal(notices('declined')[0]?.outcome.is, 'declined')
  })
})

describe('the README', () => {
  const readme = readFileSync(new URL('../../../connectors/sandbox/README.md', import.meta.url), 'utf8')
  test('has a row for every scenario and every card token', () => {
    for (const [name, { means }] of Object.entries(scenarios)) {
      const row = readme.split('\n').find((line) => line.startsWith(`| \`${name}\``))
      assert.ok(row?.includes(means), `${name}: ${means}`)
    }
    for (const token of Object.keys(cardTokens)) assert.ok(readme.includes(`| \`${token}\``), token)
  })
})
