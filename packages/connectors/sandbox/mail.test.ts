/** The sandbox's notices: what is written is read back, and nothing else is believed. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { currencyCodes, type Outcome } from '@pasarela/connector-kit'
import fc from 'fast-check'
import { isGenuine, readNotice, signNotice, writeNotice } from './mail.ts'

const now = new Date('2026-11-22T12:00:00Z')
const secret = 'secret'
const genuine = (body: string, headers: Record<string, string>, at = now, by = secret) =>
  isGenuine({ body: Buffer.from(body), headers, secret: by, now: at })

const moneyEvent = fc.constantFrom('authorized', 'captured', 'received', 'settled', 'reversed')
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({
    is: moneyEvent as fc.Arbitrary<'received'>,
    ref: fc.stringMatching(/^[!-~]{1,200}$/),
    amount: fc.record({ minor: fc.bigInt(1n, 10n ** 15n), currency: fc.constantFrom(...currencyCodes) }),
  }),
  fc.record({ is: fc.constant('declined' as const), ref: fc.stringMatching(/^[!-~]{1,200}$/), reason: fc.string() }),
  fc.record({ is: fc.constant('expired' as const), ref: fc.stringMatching(/^[!-~]{1,200}$/) }),
)

describe('writing and reading', () => {
  test('every outcome comes back as it was', () => {
    fc.assert(
      fc.property(outcome, (said) => {
        const notice = readNotice(Buffer.from(writeNotice('pay_x', said)))
        const outcome = structuredClone(said)
        assert.deepEqual(notice, { ref: said.ref, kind: said.is, paymentId: 'pay_x', outcome })
      }),
    )
  })
  test('no bytes whatsoever make it throw', () => {
    const anyBody = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc.record({ event: fc.anything(), reference: fc.anything(), amount: fc.anything() }).map((value) => {
        return Buffer.from(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}` : v)) ?? '')
      }),
    )
    fc.assert(fc.property(anyBody, (body) => assert.ok(readNotice(body) === undefined || readNotice(body)?.ref)))
  })
  test('money is never guessed: no amount, a number, too many decimals, nothing, an unknown currency', () => {
    const good = { event: 'received', reference: 'r', amount: '1.00', currency: 'BRL' }
    assert.ok(readNotice(Buffer.from(JSON.stringify(good))))
    const bad = [{ amount: undefined }, { amount: 1 }, { amount: '1.001' }, { amount: '0' }, { amount: '-1' }]
    for (const change of [...bad, { currency: 'ZZZ' }, { currency: undefined }, { currency: 'toString' }])
      assert.equal(readNotice(Buffer.from(JSON.stringify({ ...good, ...change }))), undefined, JSON.stringify(change))
  })
})

describe('the signature', () => {
  test('of this body, by this secret, at this time', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (body, more) => {
        const headers = signNotice(body, secret, now)
        assert.ok(genuine(body, headers))
        assert.ok(!genuine(body + more, headers))
        assert.ok(!genuine(body, headers, now, `${secret}${more}`))
      }),
    )
  })
  test('a time that was changed is refused, as is one out of the window', () => {
    const headers = signNotice('body', secret, now)
    const { 'sandbox-signature': value = '' } = headers
    assert.ok(!genuine('body', { 'sandbox-signature': value.replace(/t=\d+/, 't=1795348801') }))
    assert.ok(genuine('body', headers, new Date(now.getTime() + 299_000)))
    assert.ok(!genuine('body', headers, new Date(now.getTime() + 301_000)))
    assert.ok(!genuine('body', headers, new Date(now.getTime() - 301_000)))
  })
  test('other shapes are refused', () => {
    for (const value of ['', 't=1', 'v1=00', 't=x,v1=00', `t=1,v1=${'0'.repeat(63)}`, `t=1,v1=${'0'.repeat(64)},v1=x`])
      assert.ok(!genuine('body', { 'sandbox-signature': value }), value)
    assert.ok(!genuine('body', {}))
  })
})
