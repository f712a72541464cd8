/** No regular expression of the product takes more than linear time, whatever the text. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeApi } from '../src/describe.ts'
import { strictAjv } from '../src/platform/http/body.ts'
import { hardTexts, literalsIn, type Pattern, patternsInSchemas, patternsInSources, sampleOf } from './patterns.ts'

const small = 16 * 1024
const whole = 256 * 1024
/** What a linear pattern needs for the small text is far below this, and a quadratic one takes some 100 ms. */
const smallBudgetMs = 25
const wholeBudgetMs = 50

const document = await describeApi()
const patterns = unique([...patternsInSources(), ...patternsInSchemas(document), ...patternsOfFormats()])

describe('the patterns', () => {
  test('are found in sources, in schemas and in formats', () => {
    assert.ok(patterns.length > 100, `${patterns.length}`)
    for (const known of ['src/kit/mask.ts', 'src/checkout-page/client/page.js', 'format email', '/components/schemas'])
      assert.ok(
        patterns.some(({ at }) => at.startsWith(known)),
        known,
      )
  })

  test('are told from divisions, comments and texts', () => {
    const text =
      "const a = b / c / d // /no/\nconst e = `x \x24{f(/one/g)} /no/ \x24{g / 2} y`\nh.replace(/t[/]wo\\//u, '/no/')"
    assert.deepEqual(
      literalsIn('x.ts', text).map(({ at, pattern }) => [at, String(pattern)]),
      [
        ['x.ts:2', '/one/g'],
        ['x.ts:3', '/t[/]wo\\//u'],
      ],
    )
    assert.throws(() => literalsIn('x.ts', 'new RegExp(text)'), /builds a RegExp/)
  })

  test('are tried with texts that lead into them, and a quadratic one is noticed', () => {
    assert.deepEqual(
      [...hardTexts(/eyJ/, 20)].filter((text) => text.startsWith('eyJ-')),
      ['eyJ-eyJ-eyJ-eyJ-eyJ-', 'eyJ-eyJ-eyJ-eyJ-ey\u0001!'],
    )
    assert.equal(sampleOf('^(?:ab|cd)[x-z]{2}\\.(?!no)\\d+$', '', 0), 'abxx.1')
    assert.ok(slowest(/\b(eyJ)[\w-]{8,}\.[\w-]+/g, small).ms > smallBudgetMs)
    assert.ok(slowest(/0+$/, small).ms > smallBudgetMs)
  })
})

for (const { at, pattern } of patterns) {
  test(`${at} ${String(pattern).slice(0, 60)} takes linear time`, () => {
    const first = slowest(pattern, small)
    assert.ok(first.ms < smallBudgetMs, `${first.ms} ms for 16 KB of ${JSON.stringify(first.text.slice(0, 60))}…`)
    // The slowest of the small texts, sixteen times as long.
    const unit = first.text.slice(0, -2)
    const text = unit.repeat(Math.ceil(whole / unit.length)).slice(0, whole - 2) + first.text.slice(-2)
    const ms = Math.min(cpuMs(pattern, text), cpuMs(pattern, text))
    assert.ok(ms < wholeBudgetMs, `${ms} ms for 256 KB of ${JSON.stringify(first.text.slice(0, 60))}…`)
  })
}

function slowest(pattern: RegExp, length: number): { ms: number; text: string } {
  let worst = { ms: -1, text: '' }
  for (const text of hardTexts(pattern, length)) {
    const once = cpuMs(pattern, text)
    // A pause of the machine is not the pattern's fault: what seems slow is tried again.
    const ms = once < smallBudgetMs ? once : Math.min(once, cpuMs(pattern, text), cpuMs(pattern, text))
    if (ms > worst.ms) worst = { ms, text }
    if (ms > smallBudgetMs) return worst
  }
  return worst
}

/** CPU time of this process for one use of the pattern: a replacement visits every match of a global one. */
function cpuMs(pattern: RegExp, text: string): number {
  const from = process.cpuUsage()
  pattern.lastIndex = 0
  text.replace(pattern, '')
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1000
}

/** The formats that our schemas name, as far as the library checks them by a pattern. */
function patternsOfFormats(): Pattern[] {
  const { formats } = strictAjv(false)
  const text = JSON.stringify(document)
  return Object.entries(formats).flatMap(([name, format]) =>
    format instanceof RegExp && text.includes(`"format":"${name}"`) ? [{ at: `format ${name}`, pattern: format }] : [],
  )
}

function unique(found: Pattern[]): Pattern[] {
  return [...new Map(found.map((each) => [String(each.pattern), each])).values()]
}
