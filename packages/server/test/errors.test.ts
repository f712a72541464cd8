/** Every refusal has one page that says what it means and what to do, and every page is of a refusal. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Ajv } from 'ajv'
import { ProblemSchema } from '../src/kit/operation.ts'
import { type Fault, problem, problemBody } from '../src/kit/problem.ts'
import { type ProblemKey, problems } from '../src/vocabulary/problems.ts'

const folder = new URL('../../../docs/errors/', import.meta.url)
type Shown = { detail: string; traceId: string; errors?: Fault[]; resourceId?: string }
const keys = Object.keys(problems) as ProblemKey[]
const validBody = new Ajv({ strict: true }).compile(ProblemSchema)

test('the pages are those of vocabulary/problems.ts, no more and no fewer', () => {
  const pages = readdirSync(folder).filter((name) => name !== 'README.md')
  assert.deepEqual(pages.sort(), keys.map((key) => `${key}.md`).sort())
})

test('the list of pages names each with its status and code', () => {
  const list = readFileSync(new URL('README.md', folder), 'utf8')
  const rows = [...list.matchAll(/^\| (\d+) \| `(\d\d)` \| \[(\w+)\]\((\w+)\.md\) \| (.*) \| (yes|no) \|$/gm)]
  const listed = rows.map(([, status, code, key, file, title, again]) => ({ status, code, key, file, title, again }))
  const expected = keys.map((key) => {
    const { status, code, title, retryable } = problems[key]
    return { status: String(status), code, key, file: key, title, again: retryable ? 'yes' : 'no' }
  })
  const byKey = (a: { key?: string | undefined }, b: { key?: string | undefined }) =>
    String(a.key).localeCompare(String(b.key))
  assert.deepEqual(listed.sort(byKey), expected.sort(byKey))
})

for (const key of keys) {
  describe(`docs/errors/${key}.md`, () => {
    const page = readFileSync(new URL(`${key}.md`, folder), 'utf8')
    const { code, status, title, retryable } = problems[key]

    test('says what the table says', () => {
      const again = retryable ? 'trying again may help' : 'trying again unchanged will not help'
      const head = `# ${key}\n\n${title}: HTTP ${status}, code \`${code}\`; ${again}.\n\n## What it means\n\n`
      assert.ok(page.startsWith(head), page.slice(0, head.length))
      assert.match(
        page,
        /## What it means\n\n\S.{20,}\n\n## Example\n\n```json\n[^`]+\n```\n\n## What to do\n\n- \S.{10,}/,
      )
    })

    test('shows a body as the server answers it', () => {
      const body: Shown = JSON.parse(/```json\n([^`]+)```/.exec(page)?.[1] ?? '')
      const { errors, resourceId } = body
      assert.ok(validBody(body), JSON.stringify(validBody.errors))
      const refusal = problem(key, body.detail, { ...(errors && { errors }), ...(resourceId && { resourceId }) })
      assert.deepEqual(body, problemBody(refusal, body.traceId))
    })
  })
}

test('a code stands for one class of status', () => {
  for (const key of keys) assert.match(problems[key].code, /^\d\d$/)
  const statuses = new Map<string, Set<string>>()
  for (const key of keys) {
    const { code, status } = problems[key]
    statuses.set(code, (statuses.get(code) ?? new Set()).add(String(status)[0] ?? ''))
  }
  for (const [code, classes] of statuses) assert.equal(classes.size, 1, `code ${code} stands for both 4xx and 5xx`)
})
