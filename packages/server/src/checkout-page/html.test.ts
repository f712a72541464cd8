/** Templates: hostile values stay text, in content and in attributes, and nothing but our own markup is markup. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { html, ours } from './html.ts'

/** What a browser makes of our entities. */
function decoded(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
}

const hostile: [value: string, escaped: string][] = [
  ['<script>alert(1)</script>', '&#60;script&#62;alert(1)&#60;/script&#62;'],
  ['" onmouseover="alert(1)', '&#34; onmouseover&#61;&#34;alert(1)'],
  ["' autofocus onfocus='alert(1)", '&#39; autofocus onfocus&#61;&#39;alert(1)'],
  ['&lt;b&gt; &#60;', '&#38;lt;b&#38;gt; &#38;#60;'],
  ['--><img src=x>', '--&#62;&#60;img src&#61;x&#62;'],
  ['</title></textarea></style>', '&#60;/title&#62;&#60;/textarea&#62;&#60;/style&#62;'],
  ['$& $1 $` ¡Hola, Ñandú! \u{1f600} \u2028', '$&#38; $1 $` ¡Hola, Ñandú! \u{1f600} \u2028'],
]

describe('a value in a template', () => {
  for (const [value, escaped] of hostile) {
    test(`${JSON.stringify(value)} is text, in content and in both kinds of quoted attributes`, () => {
      const made = html`<p title="${value}" lang='${value}'>${value}</p>!${value}`.text
      assert.equal(made, `<p title="${escaped}" lang='${escaped}'>${escaped}</p>!${escaped}`)
    })
  }

  test('of any kind comes back from the browser as it went in, and brings no markup character', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^["&'<=>!#;a]*$/)), (text) => {
        const { text: made } = html`${text}`
        assert.equal(decoded(made), text)
        assert.doesNotMatch(made, /["'<=>]|&(?!#(?:34|38|39|60|61|62);)/)
      }),
      { numRuns: 2_000 },
    )
  })

  test('is markup only if our tag made it, also within lists', () => {
    const item = html`<li>${'a<b'}</li>`
    assert.equal(html`<ul>${[item, [ours('<hr>'), '<hr>']]}</ul>`.text, '<ul><li>a&#60;b</li><hr>&#60;hr&#62;</ul>')
    const forged = { text: '<b>', toString: () => '<b>' }
    assert.throws(() => html`${forged as never}`)
  })

  test('is nothing when it is false, null or undefined, and a number is its digits', () => {
    assert.equal(html`[${false}${null}${undefined}${[]}][${0}]`.text, '[][0]')
  })
})

test('no template leaves an attribute unquoted: there, a blank would begin another one', () => {
  const folders = ['./', './view/', '../sandbox/bank/'].map((path) => new URL(path, import.meta.url))
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') })),
  )
  const templates = files.filter(({ text }) => text.includes('html`'))
  assert.ok(templates.length > 8)
  for (const { name, text } of templates) assert.doesNotMatch(text, /<\w[^>`]*\s[\w-]+=\$\{/, name)
})
