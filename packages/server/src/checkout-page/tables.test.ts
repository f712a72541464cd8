/** The page's tables and small parts, each by itself. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { contrast } from '../brands/colors.ts'
import { sessionMachine } from '../checkout-sessions/session.ts'
import { paymentMachine } from '../payments/payment.ts'
import { rails } from '../rails/index.ts'
import { checkValues, fieldsOf, toRailObject } from './fields.ts'
import { bareMoney, moment, money, rateText, timeLeft } from './format.ts'
import { limiter } from './limiter.ts'
import { methodName, methodsOf } from './methods.ts'
import { actions, screenFor, screenOfPayment, screens, whatActionDoes } from './screens.ts'
import { script } from './script.ts'
import { styleOf } from './style.ts'
import { themeCss } from './theme.ts'
import { countryGuess, fill, languages, type WordKey } from './words.ts'

describe('screens', () => {
  test('every status, with every payment, has a screen; every screen is reached', () => {
    const reached = new Set<string>()
    for (const status of sessionMachine.statuses) {
      reached.add(screenFor(status, undefined))
      for (const payment of [...paymentMachine.statuses, 'HELD' as const]) {
        for (const { flow } of rails) {
          for (const instructed of [true, false]) reached.add(screenFor(status, { status: payment, flow, instructed }))
        }
      }
    }
    assert.deepEqual([...reached].sort(), [...screens].sort())
    assert.deepEqual(Object.keys(screenOfPayment).sort(), [...paymentMachine.statuses, 'HELD'].sort())
  })

  test('an action is done only where the session’s machine has room for it', () => {
    const submits = (status: string) => 'submit' in (sessionMachine.table[status as 'ATTEMPT'] ?? {})
    for (const status of sessionMachine.statuses) {
      for (const action of actions) assert.match(whatActionDoes[action][status], /^(do|show)$/)
      assert.equal(whatActionDoes.pay[status] === 'do', submits(status), status)
      assert.equal(whatActionDoes.refresh[status] === 'show', ['PROCESSING_PAYMENT', 'FINISHED'].includes(status))
    }
  })
})

describe('words', () => {
  const keys = Object.keys(languages.es) as WordKey[]
  for (const [code, words] of Object.entries(languages)) {
    test(`${code}: none is missing, none is empty, each is filled with the same names`, () => {
      assert.deepEqual(Object.keys(words).sort(), [...keys].sort())
      const names = (sentence: string) => [...sentence.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()
      for (const key of keys) {
        assert.ok(words[key].trim() !== '', key)
        if (!/Text$|Title$|^notice|^helpAt$|^askMerchant$/.test(key))
          assert.deepEqual(names(words[key]), names(languages.es[key]), key)
        for (const name of names(words[key])) {
          assert.match(name ?? '', /^(merchant|amount|count|name|method|currency|rate|example|types|seconds)$/, key)
        }
      }
    })
  }
  test('only names that are the same everywhere are the same in two languages', () => {
    const same = keys.filter((key) => languages.es[key] === languages.en[key])
    assert.deepEqual(same, ['total', 'subtotal', 'methodSIP', 'methodLIGO', 'clabe', 'cvu'])
  })
  test('every rail has a name, and a sentence is filled once', () => {
    for (const rail of rails) assert.ok(methodName(rail, languages.pt).length > 1)
    assert.equal(fill('{a} {b} {c}', { a: '{b}', b: 1 }), '{b} 1 {c}')
  })
})

describe('amounts, rates, dates', () => {
  const plain = (text: string) => text.replace(/\s/g, ' ')
  test('as the country of the currency writes them', () => {
    const amounts: [string, Parameters<typeof money>[1], string][] = [
      ['1190', 'CLP', '$1.190 CLP'],
      ['19.90', 'BRL', 'R$ 19,90'],
      ['89900.00', 'COP', '$ 89.900 COP'],
      ['89900.50', 'COP', '$ 89.900,50 COP'],
      ['1249.50', 'MXN', '$1,249.50 MXN'],
      ['1234.50', 'ARS', '$ 1.234,50 ARS'],
      ['149.90', 'PEN', 'S/ 149.90'],
      ['1234.90', 'BOB', 'Bs 1.234,90'],
      ['1234567', 'PYG', 'Gs. 1.234.567'],
      ['12.00', 'USD', '$12.00 USD'],
      ['26.441087', 'USDC', '26,441087 USDC'],
      ['26.500000', 'USDT', '26,50 USDT'],
      ['9999999999999.99', 'BRL', 'R$ 9.999.999.999.999,99'],
    ]
    for (const [amount, currency, expected] of amounts) assert.equal(plain(money(amount, currency)), expected)
    assert.equal(plain(bareMoney('1190', 'CLP')), '$1.190')
    assert.equal(rateText('170.5', 'BRL', 'CLP'), '1 BRL = 170,5 CLP')
  })
  test('days in the page’s language and the merchant’s time zone', () => {
    const at = new Date('2026-01-05T02:30:00Z')
    assert.match(plain(moment(at, 'es', 'CLP', 'America/Santiago')), /^4 de enero de 2026.* 11:30 p\. m\.$/)
    assert.match(plain(moment(at, 'pt', 'BRL', 'America/Sao_Paulo')), /^4 de janeiro de 2026.*23:30$/)
    assert.match(plain(moment(at, 'en', 'CLP', 'UTC')), /^January 5, 2026.*2:30 AM$/)
  })
  test('what is left', () => {
    assert.deepEqual([-5, 0, 59.9, 3599, 3600, 90_000].map(timeLeft), [
      '00:00',
      '00:00',
      '00:59',
      '59:59',
      '1:00:00',
      '1 d 1 h',
    ])
  })
})

describe('methods', () => {
  const quote = (types: [string, 'CLP' | 'BRL' | 'COP'][]) => ({
    quotedAt: '',
    methods: types.map(([type, currency]) => ({
      type,
      currency,
      rate: '1',
      purchaseAmount: '1',
      purchaseMinor: '1',
      enabled: type !== 'ETPAY',
      fees: [],
    })),
  })
  const orderOf = (types: [string, 'CLP' | 'BRL' | 'COP'][], currency: 'CLP' | 'COP', guess?: string) =>
    methodsOf(quote(types), currency, guess).map(({ key }) => key)

  test('the usual ones of the order’s country first, what cannot be used not at all', () => {
    assert.deepEqual(
      orderOf(
        [
          ['CARD', 'CLP'],
          ['PIX', 'BRL'],
          ['FINTOC', 'CLP'],
          ['ETPAY', 'CLP'],
          ['WEBPAY', 'CLP'],
        ],
        'CLP',
      ),
      ['WEBPAY-CLP', 'FINTOC-CLP', 'CARD-CLP', 'PIX-BRL'],
    )
  })
  test('those of the payer’s own country before all, where the browser tells it', () => {
    assert.equal(countryGuess('pt-BR,pt;q=0.9'), 'BRA')
    assert.equal(countryGuess('es-419,es;q=0.9'), undefined)
    const types: [string, 'CLP' | 'BRL'][] = [
      ['CARD', 'CLP'],
      ['WEBPAY', 'CLP'],
      ['PIX', 'BRL'],
    ]
    assert.deepEqual(orderOf(types, 'CLP', 'BRA'), ['PIX-BRL', 'WEBPAY-CLP', 'CARD-CLP'])
    // Cards are nobody's own: they keep their place.
    assert.deepEqual(
      orderOf(
        [
          ['CARD', 'COP'],
          ['PSE', 'COP'],
        ],
        'COP',
        'CHL',
      ),
      ['PSE-COP', 'CARD-COP'],
    )
  })
})

describe('fields', () => {
  test('every field that any rail requires can be asked for, except a card’s token', () => {
    for (const rail of rails) {
      const asked = fieldsOf({ rail, customer: null, requirements: null }).map((field) => field.path)
      for (const path of rail.required) if (path !== 'token') assert.ok(asked.includes(path), `${rail.type} ${path}`)
    }
  })
  test('what is missing or no e-mail is told before anybody is asked', () => {
    const rail = rails.find((each) => each.type === 'WEBPAY')
    assert.ok(rail)
    const fields = fieldsOf({ rail, customer: null, requirements: null })
    assert.deepEqual(checkValues(fields, { 'customer.firstName': 'Ana', 'customer.email': 'ana@b' }), {
      'customer.lastName': 'errRequired',
      'customer.email': 'errEmail',
    })
    assert.deepEqual(toRailObject({ 'customer.address.street': 'x', bankId: '1' }), {
      customer: { address: { street: 'x' } },
      bankId: '1',
    })
  })
})

describe('the limit', () => {
  test('counts per address and page, and comes back with time', () => {
    let now = 0
    const limit = limiter(() => now, 3)
    for (let i = 0; i < 20; i++) assert.ok(limit.take('act', '1.1.1.1', 'a'))
    assert.ok(!limit.take('act', '1.1.1.1', 'a'))
    assert.ok(limit.take('act', '1.1.1.1', 'b'))
    assert.ok(limit.take('act', '2.2.2.2', 'a'))
    now = 2_000
    assert.ok(limit.take('act', '1.1.1.1', 'a'))
    assert.ok(!limit.take('act', '1.1.1.1', 'a'))
  })
})

describe('the style', () => {
  test('any colour that the API takes can be read, by day and by night', () => {
    const hex = fc.integer({ min: 0, max: 0xffffff }).map((n) => `#${n.toString(16).padStart(6, '0')}`)
    fc.assert(
      fc.property(hex, (primaryColor) => {
        const css = themeCss({ primaryColor })
        for (const block of css.split('@media')) {
          const value = (name: string) => new RegExp(`--${name}:(#[0-9a-f]{6});`).exec(block)?.[1] ?? ''
          assert.ok(contrast(value('onprimary'), value('primary')) >= 4.5, `${primaryColor}: ${block}`)
          for (const name of ['accent', 'danger', 'good', 'text', 'muted'])
            assert.ok(contrast(value(name), value('surface')) >= 4.5, `${name} of ${primaryColor}`)
          assert.ok(contrast(value('field'), value('surface')) >= 3)
        }
      }),
    )
  })
  test('a font’s name stays a name', () => {
    assert.match(themeCss({ fontFamily: 'Inter, Open Sans' }), /--ff:"Inter","Open Sans",system-ui/)
    assert.ok(!styleOf({ fontFamily: 'x"}</style><script>' }).element.text.includes('<script'))
  })
})

test('the script is whole after its comments are gone', () => {
  const text = script.plain.toString()
  assert.doesNotThrow(() => new Function(text))
  assert.ok(text.includes("'**.***.***/****-00'"))
  assert.ok(!/@param|@type/.test(text))
})
