/** Every query parameter of every list takes what the document says that it takes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { type Body, startTestApp, type TestApp } from '../../../test/harness.ts'
import { makeShop, type Shop } from '../../../test/shop.ts'
import { describeApi } from '../../describe.ts'

const valuesEach = 60
const signs = [...'aZ09,;:._-+*/%\\\'" <ñé漢💳\n\t']

let t: TestApp
let shop: Shop
let endpointId: string
before(async () => {
  t = await startTestApp({ publicUrl: 'https://pay.example.com' })
  shop = await makeShop(t.client)
  const endpoint = await t.client.call('POST', '/webhook-endpoints', { url: 'https://hooks.example.com/x' })
  endpointId = endpoint.body.id
})
after(() => t.close())

const document = (await describeApi()) as Body
const parameters = Object.entries<Body>(document.paths).flatMap(([path, { get }]) =>
  (get?.parameters ?? [])
    .filter((parameter: Body) => parameter.in === 'query')
    .map((parameter: Body) => ({ path, name: parameter.name as string, schema: parameter.schema as Body })),
)

describe('a value that its schema describes is never refused as malformed', () => {
  test('in any of the parameters there are', () => {
    assert.ok(parameters.length > 80, `${parameters.length}`)
    for (const known of ['after', 'types', 'product', 'startDate'])
      assert.ok(
        parameters.some(({ name }) => name === known),
        known,
      )
  })

  for (const { path, name, schema } of parameters) {
    test(`${path}?${name}=`, async () => {
      for (const value of fc.sample(valuesOf(schema), { numRuns: valuesEach, seed: 7 })) {
        const url = `${realPath(path)}?${encodeURIComponent(name)}=${encodeURIComponent(value)}`
        const answer = await t.client.call('GET', url)
        // What is well formed may still not exist.
        assert.ok([200, 404].includes(answer.status), `${url}: ${answer.status} ${JSON.stringify(answer.body)}`)
      }
    })
  }
})

function valuesOf(schema: Body): fc.Arbitrary<string> {
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.type === 'integer') return fc.integer({ min: schema.minimum, max: schema.maximum }).map(String)
  if (schema.type === 'boolean') return fc.constantFrom('true', 'false')
  assert.equal(schema.type, 'string', JSON.stringify(schema))
  const { minLength = 0, maxLength = 200, pattern } = schema
  if (pattern) return fc.stringMatching(new RegExp(pattern, 'u')).filter((text) => text.length <= maxLength)
  const unit = fc.constantFrom(...signs)
  return fc.string({ unit, minLength, maxLength: Math.min(maxLength, 200) }).filter((text) => text.length <= maxLength)
}

function realPath(path: string): string {
  return path.replace('/webhook-endpoints/{id}', `/webhook-endpoints/${endpointId}`).replace('{id}', shop.identityId)
}
