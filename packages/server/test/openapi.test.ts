/** The document says what the application does: every route, every refusal, with examples that its own schemas accept. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import Fastify from 'fastify'
import Type, { type TSchema } from 'typebox'
import { buildIdleApp } from '../src/describe.ts'
import { type App, named, operation, ProblemSchema } from '../src/kit/operation.ts'
import { buildOpenApi, type Json, listRoutes, type OpenApi, watchRoutes } from '../src/platform/http/openapi.ts'

let app: App
let document: OpenApi
type Operation = { name: string; path: string; method: string; said: Described }
type Described = {
  operationId: string
  summary: string
  tags: string[]
  security?: unknown[]
  parameters: { $ref?: string; name?: string; in?: string; description?: string }[]
  requestBody?: { content: Content }
  responses: Record<string, { description: string; content?: Content }>
}
type Content = Record<string, { schema: Json; examples?: Record<string, { value?: unknown; $ref?: string }> }>

const operations: Operation[] = []

before(async () => {
  app = await buildIdleApp()
  document = buildOpenApi(app)
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, said] of Object.entries(methods))
      operations.push({ name: `${method.toUpperCase()} ${path}`, path, method, said: said as unknown as Described })
})
after(() => app.close())

test('packages/server/openapi.json is what the routes declare; `npm run generate` renews it', () => {
  const committed = readFileSync(new URL('../openapi.json', import.meta.url), 'utf8')
  assert.equal(committed, `${JSON.stringify(document, null, 2)}\n`)
})

test('it is a valid OpenAPI 3.1 document', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document) as Json)
  assert.ok(valid, JSON.stringify(errors, null, 1))
})

test('every route is an operation of the document, or is hidden from it on purpose', () => {
  const routes = listRoutes(app).filter(({ method }) => method !== 'HEAD' && method !== 'OPTIONS')
  const undecided = routes.filter(({ schema }) => Boolean(schema.operationId) === Boolean(schema.hide))
  assert.deepEqual(
    undecided.map(({ method, url }) => `${method} ${url}`),
    [],
  )
  const declared = routes.filter(({ schema }) => schema.operationId)
  assert.deepEqual(
    declared.map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`).sort(),
    operations.map(({ name }) => name).sort(),
  )
})

test('operation ids are unique, in one style, and stand under a tag that is described', () => {
  const ids = operations.map(({ said }) => said.operationId)
  assert.equal(new Set(ids).size, ids.length)
  for (const id of ids) assert.match(id, /^[a-z]+(?:[A-Z][a-z0-9]*)*$/)
  const used = new Set(operations.flatMap(({ said }) => said.tags))
  assert.deepEqual([...used].sort(), document.tags.map((tag) => tag.name).sort())
})

test('every operation and every parameter is described', () => {
  for (const { name, said } of operations) {
    assert.ok(said.summary, `${name} has no summary`)
    for (const parameter of said.parameters) {
      if (parameter.$ref) continue
      assert.ok(parameter.description, `${name}: the ${parameter.in} parameter ${parameter.name} has no description`)
    }
    for (const [status, answer] of Object.entries(said.responses)) assert.ok(answer.description, `${name} ${status}`)
  }
})

test('headers are declared where they are taken', () => {
  for (const { name, method, path, said } of operations) {
    const headers = said.parameters.flatMap(({ $ref }) => $ref?.split('/').pop() ?? [])
    const open = said.security?.length === 0
    assert.equal(headers.includes('ApiVersion') && headers.includes('PasarelaVersion'), !open, name)
    assert.equal(headers.includes('UserAgent'), !open && path !== '/auth', name)
    assert.equal(headers.includes('IdempotencyKey'), method === 'post' && !open && path !== '/auth', name)
  }
})

test('every refusal that may come is declared, as a Problem with an example', () => {
  for (const { name, method, path, said } of operations) {
    const statuses = Object.keys(said.responses)
    const keyed = method === 'post' && path !== '/auth' && said.security?.length !== 0
    const expected = [
      ...['400', '401', '403', '429', '500', '503'],
      ...(path.includes('{') ? ['404'] : []),
      ...(said.requestBody ? ['413', '415'] : []),
      ...(keyed ? ['409', '422'] : []),
    ]
    for (const status of expected) assert.ok(statuses.includes(status), `${name} does not declare ${status}`)
    const named = Object.values(said.responses).flatMap(
      ({ description }) => description.match(/(?<=`)\w+(?=`: )/g) ?? [],
    )
    for (const [taken, keys] of [
      [path.includes('{'), ['notFound']],
      [said.requestBody !== undefined, ['parsingResource', 'payloadTooLarge', 'unsupportedMediaType']],
      [keyed, ['requestInProgress', 'idempotencyMismatch']],
    ] as const)
      if (taken) for (const key of keys) assert.ok(named.includes(key), `${name} does not name ${key}`)
    if (!keyed) assert.ok(!named.includes('idempotencyMismatch'), `${name} takes no Idempotency-Key`)
    for (const [status, { content }] of Object.entries(said.responses)) {
      if (Number(status) < 400) continue
      const body = content?.['application/json']
      assert.deepEqual(body?.schema, { $ref: '#/components/schemas/Problem' }, `${name} ${status}`)
      assert.ok(Object.keys(body?.examples ?? {}).length > 0, `${name} ${status} has no example`)
    }
  }
})

describe('examples', () => {
  test('of every request body and every answer are there, and valid by the schema beside them', () => {
    const check = exampleChecker()
    for (const { name, said } of operations) {
      if (said.requestBody) check(`${name}, request`, said.requestBody.content)
      for (const [status, { content }] of Object.entries(said.responses))
        if (content) check(`${name}, ${status}`, content)
    }
  })
})

/** A strict validator over the document's own schemas. */
function exampleChecker(): (where: string, content: Content) => void {
  const keywords = ['x-wants', 'x-example', 'example', 'x-problems']
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allErrors: true,
    discriminator: true,
    keywords,
  })
  addFormats.default(ajv)
  const inDefinitions = (part: unknown): object =>
    JSON.parse(JSON.stringify(part).replaceAll('"#/components/schemas/', '"api#/$defs/'))
  ajv.addSchema({ $id: 'api', $defs: inDefinitions(document.components.schemas) })
  const shared = document.components.examples as Record<string, { value: unknown }>
  return (where, content) => {
    for (const [type, { schema, examples }] of Object.entries(content)) {
      if (type !== 'application/json') continue
      const values = Object.values(examples ?? {}).map((e) =>
        e.$ref ? shared[e.$ref.split('/').pop() ?? '']?.value : e.value,
      )
      assert.ok(values.length > 0, `${where} has no example`)
      const valid = ajv.compile(inDefinitions(schema))
      for (const value of values)
        assert.ok(valid(value), `${where}: ${ajv.errorsText(valid.errors)}\n${JSON.stringify(value, null, 1)}`)
    }
  }
}

/** Names of the caller's own choosing, with values of a declared form: metadata. */
function isMap(patternProperties: unknown, additionalProperties: unknown): boolean {
  return patternProperties !== undefined || typeof additionalProperties === 'object'
}

test('every object in a request body is closed', () => {
  const open = new Set<string>()
  const visit = (schema: unknown, where: string, seen: Set<string>): void => {
    if (schema === null || typeof schema !== 'object') return
    const { $ref, properties, additionalProperties, unevaluatedProperties, type, patternProperties } = schema as Json
    if (typeof $ref === 'string') {
      const name = $ref.split('/').pop() ?? ''
      if (!seen.has(name)) visit((document.components.schemas as Json)[name], name, seen.add(name))
      return
    }
    const branches = ((schema as Json).oneOf ?? (schema as Json).anyOf ?? []) as Json[]
    const allClosed = branches.length > 0 && branches.every((branch) => branch.additionalProperties === false)
    const closed =
      allClosed ||
      additionalProperties === false ||
      unevaluatedProperties === false ||
      isMap(patternProperties, additionalProperties)
    if ((properties !== undefined || type === 'object') && !closed) open.add(where)
    for (const [key, part] of Object.entries(schema)) if (key !== 'examples') visit(part, `${where}/${key}`, seen)
  }
  for (const { name, said } of operations)
    if (said.requestBody) visit(said.requestBody.content['application/json']?.schema, name, new Set())
  assert.deepEqual([...open], [])
})

test('/openapi.json needs no credentials and is sent once', async () => {
  const first = await app.inject({ url: '/openapi.json' })
  assert.equal(first.statusCode, 200)
  assert.deepEqual(first.json(), JSON.parse(JSON.stringify(document)))
  const etag = String(first.headers.etag)
  const again = await app.inject({ url: '/openapi.json', headers: { 'if-none-match': etag } })
  assert.deepEqual([again.statusCode, again.body], [304, ''])
  const packed = await app.inject({ url: '/sandbox/openapi.json', headers: { 'accept-encoding': 'gzip, br' } })
  assert.equal(packed.headers['content-encoding'], 'gzip')
  assert.ok(packed.rawPayload.length < first.rawPayload.length / 3)
})

describe('building the document', () => {
  const declare = async (shared: TSchema[], ...bodies: TSchema[]) => {
    const small = Fastify() as unknown as App
    for (const schema of [ProblemSchema, ...shared]) small.addSchema(schema)
    watchRoutes(small)
    bodies.forEach((body, index) => {
      const schema = operation({
        operationId: `do${index}`,
        tag: 'Test',
        summary: 'Does.',
        body,
        answers: { 200: Type.Object({}) },
      })
      small.post(`/do/${index}/:id`, { schema }, async () => ({}))
    })
    await small.ready()
    const built = () => buildOpenApi(small) as OpenApi & { components: { schemas: Json } }
    return { built, close: () => small.close() }
  }

  test('a named schema is one component, however often it is used; patterns and closedness stay as they are', async () => {
    const shared = Type.Object(
      { m: Type.Record(Type.String({ pattern: '^a' }), Type.String()) },
      { $id: 'Shared', additionalProperties: false },
    )
    const outer = Type.Object({ first: named(shared), second: Type.Optional(named(shared)) })
    const { built, close } = await declare([shared], outer, Type.Object({ other: named(shared) }))
    const { components, paths } = built()
    assert.deepEqual(Object.keys(components.schemas), ['Problem', 'Shared'])
    assert.equal(JSON.stringify(components.schemas.Shared), JSON.stringify({ ...shared, $id: undefined }))
    assert.ok(JSON.stringify(paths).includes('"second":{"$ref":"#/components/schemas/Shared"}'))
    assert.ok(Object.keys(paths).includes('/do/0/{id}'))
    await close()
  })

  test('two schemas that differ under one name are refused', async () => {
    const { built, close } = await declare(
      [],
      Type.Object({ a: Type.String() }, { $id: 'Twin' }),
      Type.Object({}, { $id: 'Twin' }),
    )
    assert.throws(built, /two schemas that differ are called Twin/)
    await close()
  })
})
