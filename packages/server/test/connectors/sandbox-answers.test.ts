/** What the payer is given is what the real rail gives: payloads that other software parses, numbers with true check digits. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PaymentOrder } from '@pasarela/connector-kit'
import { sampleOrder } from '@pasarela/connector-kit/conformance'
import {
  addressOf,
  cbuCheckDigit,
  clabeOf,
  crc16,
  cvuOf,
  referenceOf,
  sandbox as sandboxOf,
} from '@pasarela/connectors/sandbox'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { hasError, isStaticPix, parsePix } from 'pix-utils'
import clabe from 'stdnum/lib/cjs/mx/clabe.js'
import { rails } from '../../src/rails/index.ts'
import { sampleFields } from '../../src/rails/sample.ts'

const sandbox = sandboxOf(rails)
const never = new AbortController().signal

async function answer(type: string, more: Partial<PaymentOrder> = {}): Promise<Record<string, string>> {
  const rail = rails.find((each) => each.type === type)
  assert.ok(rail)
  const outcome = await sandbox.start(sampleOrder({ rail, fields: sampleFields(rail) }, 'pay_01jd', more), never)
  assert.ok(outcome.is === 'action')
  return outcome.fields as Record<string, string>
}

/** The data objects of an EMV payload, outermost only. */
function emvFields(payload: string): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let at = 0; at < payload.length; ) {
    const length = Number(payload.slice(at + 2, at + 4))
    fields[payload.slice(at, at + 2)] = payload.slice(at + 4, at + 4 + length)
    at += 4 + length
  }
  return fields
}

describe('QR payloads', () => {
  test('the checksum is CRC-16/CCITT-FALSE', () => assert.equal(crc16('123456789'), '29B1'))

  test('a Pix payload is read by other software, with amount and txid', async () => {
    const { data, expiredAt } = await answer('PIX', { amount: { minor: 123456n, currency: 'BRL' } })
    assert.match(data ?? '', /^000201.*6304[0-9A-F]{4}$/)
    const pix = parsePix(data ?? '')
    assert.ok(!hasError(pix) && isStaticPix(pix))
    assert.equal(pix.transactionAmount, 1234.56)
    assert.equal(pix.txid, referenceOf('pay_01jd'))
    assert.match(pix.pixKey, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.ok(Date.parse(expiredAt ?? ''))
  })

  const schemes: [type: string, currency: 'ARS' | 'PEN' | 'BOB', number: string, country: string][] = [
    ['PCT', 'ARS', '032', 'AR'],
    ['LIGO', 'PEN', '604', 'PE'],
    ['SIP', 'PEN', '604', 'PE'],
    ['SIP', 'BOB', '068', 'BO'],
  ]
  for (const [type, currency, number, country] of schemes) {
    test(`${type} in ${currency} names its currency, country, amount and reference, and checks`, async () => {
      const { data = '' } = await answer(type, { amount: { minor: 1990n, currency } })
      const fields = emvFields(data)
      assert.deepEqual([fields['53'], fields['58'], fields['54']], [number, country, '19.90'])
      assert.deepEqual(emvFields(fields['62'] ?? ''), { '05': referenceOf('pay_01jd') })
      assert.equal(fields['63'], crc16(data.slice(0, -4)))
    })
  }

  test('no two payments have the same payload', async () => {
    const rail = rails.find((each) => each.type === 'PIX')
    assert.ok(rail)
    const outcomes = await Promise.all(
      ['a', 'b', 'c'].map((id) => sandbox.start(sampleOrder({ rail, fields: sampleFields(rail) }, id), never)),
    )
    assert.equal(new Set(outcomes.map((outcome) => outcome.is === 'action' && outcome.fields.data)).size, 3)
  })
})

describe('account numbers', () => {
  test('a CLABE passes its check digit, for any payment', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        assert.ok(clabe.validate(clabeOf(id)).isValid)
        assert.equal(clabeOf(id), clabeOf(id))
      }),
    )
  })

  test('a CVU passes both check digits, for any payment', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        const cvu = cvuOf(id)
        assert.match(cvu, /^0009999\d{15}$/)
        const weigh = (digits: string, weights: number[]) =>
          [...digits].reduce((sum, digit, i) => sum + Number(digit) * (weights[i] ?? 0), 0) % 10
        assert.equal(weigh(cvu.slice(0, 8), [7, 1, 3, 9, 7, 1, 3, 1]), 0)
        assert.equal(weigh(cvu.slice(8), [3, 9, 7, 1, 3, 9, 7, 1, 3, 9, 7, 1, 3, 1]), 0)
      }),
    )
  })

  test('the check digits of a known CBU are right', () => {
    assert.deepEqual([cbuCheckDigit('2850590'), cbuCheckDigit('4009041813520')], ['9', '1'])
  })

  test('a static CVU is kept', async () => {
    const fields = { code: cvuOf('other') }
    assert.deepEqual(await answer('CVU', { fields }), fields)
  })

  test('a SPEI answer names the bank its CLABE begins with', async () => {
    const { clabe: number, bankId } = await answer('SPEI')
    assert.equal(number?.slice(0, 3), bankId)
  })

  test('a reference is 25 letters and digits and tells nothing of the payment', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        assert.match(referenceOf(id), /^sbx[0-9a-z]{22}$/)
        assert.notEqual(referenceOf(id), referenceOf(`${id}.`))
      }),
    )
  })
})

describe('addresses', () => {
  test('have the form of their network', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        assert.match(addressOf(id, 'ETH'), /^0x[0-9a-f]{40}$/)
        assert.match(addressOf(id, 'TRON'), /^T[1-9A-HJ-NP-Za-km-z]{33}$/)
        assert.match(addressOf(id, 'SOLANA'), /^[1-9A-HJ-NP-Za-km-z]{32,44}$/)
      }),
    )
  })

  test('come with a link that names token, address and amount', async () => {
    const amount = { minor: 12_500_000n, currency: 'USDC' } as const
    const eth = await answer('CRYPTO', { amount })
    assert.match(eth.data ?? '', /^ethereum:0xA0b8.*@1\/transfer\?address=0x[0-9a-f]{40}&uint256=12500000$/)
    const sol = await answer('CRYPTO', { amount, fields: { network: 'SOLANA' } })
    assert.match(sol.data ?? '', new RegExp(`^solana:${sol.address}\\?amount=12\\.500000&spl-token=EPjF`))
    const tron = await answer('CRYPTO', { amount: { ...amount, currency: 'USDT' }, fields: { network: 'TRON' } })
    assert.equal(tron.data, `tron:${tron.address}?amount=12.500000&token=USDT`)
  })
})

describe('every answer', () => {
  const ajv = new Ajv({ strict: true, keywords: ['x-wants'] })
  addFormats.default(ajv)
  for (const rail of rails.filter((each) => each.type !== 'CARD')) {
    test(`${rail.type}: is valid for its rail, and leads the payer where its flow says`, async () => {
      const fields = await answer(rail.type)
      const validate = ajv.compile(rail.fields)
      assert.ok(validate({ ...sampleFields(rail), ...fields }), JSON.stringify(validate.errors))
      if (rail.flow === 'redirect')
        assert.equal(fields.url, `http://localhost:8080/sandbox/bank/${referenceOf('pay_01jd')}`)
      if (rail.flow === 'qr') assert.ok(fields.data)
      if (rail.flow === 'wallet') assert.deepEqual(fields, {})
      if (rail.flow === 'transfer') assert.ok(fields.clabe ?? fields.code ?? fields.address)
    })
  }
})
