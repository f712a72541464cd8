/** Properties of the postings: they balance, mirrors cancel, nobody loses or gains a minor unit. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Currency, currencyCodes, formatAmount } from '@pasarela/connector-kit'
import fc from 'fast-check'
import * as ledger from './posting.ts'

const currency = fc.constantFrom(...currencyCodes)
const amount = fc.bigInt({ min: 1n, max: 10n ** 13n })

/** Shares of 1 to 20 destinations whose fees are spread from one total that is less than the gross. */
const shares = fc.tuple(fc.array(amount, { minLength: 1, maxLength: 20 }), fc.nat(10_000)).map(([grosses, part]) => {
  const gross = grosses.reduce((a, b) => a + b, 0n)
  const fee = ((gross - 1n) * BigInt(part)) / 10_000n
  const fees = ledger.spreadFee(fee, grosses)
  const destinations = grosses.map((g, i) => ({ accountId: `acc_${i}`, gross: g, fee: fees[i] ?? 0n }))
  return { gross, fee, destinations }
})

const incoming = fc.tuple(shares, currency, currency, amount).map(([{ gross, fee, destinations }, to, from, paid]) => ({
  fee,
  to,
  input: {
    rail: 'PIX',
    purchase: { currency: from, minor: from === to ? gross : paid },
    gross: { currency: to, minor: gross },
    destinations,
  },
}))

function sumsByCurrency(postings: readonly ledger.Posting[]): Map<Currency, bigint> {
  const sums = new Map<Currency, bigint>()
  for (const [code, sum] of ledger.effects(postings)) {
    const of = code.split(':').at(-1) as Currency
    sums.set(of, (sums.get(of) ?? 0n) + sum)
  }
  return sums
}

function assertWellFormed(postings: readonly ledger.Posting[]): void {
  for (const { debit, credit, currency: of, amountMinor } of postings) {
    assert.ok(amountMinor > 0n)
    assert.notEqual(debit, credit)
    for (const code of [debit, credit]) assert.match(code, new RegExp(`^[a-z]+(:[A-Za-z0-9_]+)*:${of}$`))
  }
  for (const [of, sum] of sumsByCurrency(postings)) assert.equal(sum, 0n, `${of} does not balance`)
}

describe('what is paid in', () => {
  test('balances in every currency, and the destinations get gross less fee', () => {
    fc.assert(
      fc.property(incoming, ({ input, fee, to }) => {
        const postings = ledger.paidPostings(input)
        assertWellFormed(postings)
        const done = ledger.effects(postings)
        assert.equal(done.get(`clearing:PIX:${input.purchase.currency}`), -input.purchase.minor)
        assert.equal(done.get(`fees:${to}`) ?? 0n, fee)
        for (const { accountId, gross, fee: own } of input.destinations) {
          assert.ok(own <= gross, 'a share pays no more than itself')
          assert.equal(done.get(`pending:${accountId}:${to}`) ?? 0n, gross - own)
        }
      }),
    )
  })

  test('is the same out of a hold, and empties what was held', () => {
    fc.assert(
      fc.property(incoming, ({ input, to }) => {
        const held = ledger.heldPostings({ rail: input.rail, amount: input.purchase })
        const accepted = ledger.holdAcceptedPostings(input)
        assertWellFormed(accepted)
        const both = ledger.effects([...held, ...accepted])
        assert.equal(both.get(`held:${input.purchase.currency}`), undefined)
        assert.deepEqual(both, ledger.effects(ledger.paidPostings(input)))
        assert.equal(
          accepted.some((posting) => posting.credit.startsWith('held:')),
          false,
          to,
        )
      }),
    )
  })

  test('is undone by its mirror', () => {
    fc.assert(
      fc.property(incoming, ({ input }) => {
        const paid = ledger.paidPostings(input)
        const back = ledger.mirrored(paid)
        assertWellFormed(back)
        assert.equal(ledger.effects([...paid, ...back]).size, 0)
      }),
    )
  })

  test('is wholly available once settled', () => {
    fc.assert(
      fc.property(incoming, ({ input, to }) => {
        const settled = ledger.settledPostings({ currency: to, destinations: input.destinations })
        assertWellFormed(settled)
        const done = ledger.effects([...ledger.paidPostings(input), ...settled])
        for (const { accountId, gross, fee } of input.destinations) {
          assert.equal(done.get(`pending:${accountId}:${to}`), undefined)
          assert.equal(done.get(`available:${accountId}:${to}`) ?? 0n, gross - fee)
        }
      }),
    )
  })

  test('cannot be shared out in another sum, nor converted within one currency', () => {
    const destinations = [{ accountId: 'acc_1', gross: 100n, fee: 0n }]
    const money = (minor: bigint, of: Currency = 'CLP') => ({ minor, currency: of })
    const one = { rail: 'WEBPAY', destinations }
    assert.throws(() => ledger.paidPostings({ ...one, purchase: money(99n, 'BRL'), gross: money(99n) }), RangeError)
    assert.throws(() => ledger.paidPostings({ ...one, purchase: money(99n), gross: money(100n) }), RangeError)
    assert.throws(
      () => ledger.settledPostings({ currency: 'CLP', destinations: [{ accountId: 'a', gross: 1n, fee: 2n }] }),
      RangeError,
    )
  })
})

describe('what goes back', () => {
  const refund = fc.tuple(fc.array(amount, { minLength: 1, maxLength: 20 }), currency, currency, amount)

  test('leaves the accounts by the rail it came from; nothing stays on the way', () => {
    fc.assert(
      fc.property(refund, ([amounts, of, payers, back]) => {
        const taken = amounts.map((amountMinor, i) => ({ accountId: `acc_${i}`, amountMinor }))
        const sum = amounts.reduce((a, b) => a + b, 0n)
        const purchase = { currency: payers, minor: payers === of ? sum : back }
        const started = ledger.refundStartedPostings({ currency: of, taken })
        const done = ledger.refundDonePostings({ rail: 'PIX', purchase, taken: { currency: of, minor: sum } })
        assertWellFormed([...started, ...done])
        const all = ledger.effects([...started, ...done])
        assert.equal(all.get(`refunding:${of}`), undefined)
        assert.equal(all.get(`clearing:PIX:${payers}`), purchase.minor)
        assert.equal(ledger.effects([...started, ...ledger.mirrored(started)]).size, 0)
      }),
    )
  })

  test('a hold that is sent back leaves no trace but the entries', () => {
    const held = { rail: 'SPEI', amount: { minor: 5000n, currency: 'MXN' as const } }
    const both = [...ledger.heldPostings(held), ...ledger.holdReturnedPostings(held)]
    assertWellFormed(both)
    assert.equal(ledger.effects(both).size, 0)
  })

  test('a provider that pays out what it cleared owes nothing', () => {
    const paid = { minor: 250n, currency: 'CLP' as const }
    const done = ledger.effects([
      ...ledger.paidPostings({
        rail: 'WEBPAY',
        purchase: paid,
        gross: paid,
        destinations: [{ accountId: 'acc_1', gross: 250n, fee: 0n }],
      }),
      ...ledger.providerPaidOutPostings({ connection: 'con_1', rail: 'WEBPAY', amount: paid }),
    ])
    assert.deepEqual(
      [...done],
      [
        ['pending:acc_1:CLP', 250n],
        ['cash:con_1:CLP', -250n],
      ],
    )
  })
})

describe('a fee that is spread', () => {
  test('is spread whole, and no part is a minor unit or more from its exact share', () => {
    fc.assert(
      fc.property(shares, ({ gross, fee, destinations }) => {
        assert.equal(
          destinations.reduce((sum, share) => sum + share.fee, 0n),
          fee,
        )
        for (const share of destinations) {
          const distance = share.fee * gross - fee * share.gross
          assert.ok(distance < gross && distance > -gross, `${formatAmount(share.fee, 'CLP')} of ${share.gross}`)
        }
      }),
    )
  })
})
