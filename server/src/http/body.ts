/** Reading bodies: JSON only, nothing coerced, nothing dropped, no NUL, no broken characters. */
import { Ajv, type Options } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import type { App } from '../kit/operation.ts'
import { describeFaults, type Fault, type Problem, pointerPart, problem } from '../kit/problem.ts'

const options: Options = {
  allErrors: true,
  removeAdditional: false,
  useDefaults: false,
  discriminator: true,
  verbose: true,
  // Optimising the generated code costs more than it saves.
  code: { optimize: false },
  // One function per named schema: to optimise one that held them all took the engine 200 MB and most of a second.
  inlineRefs: false,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  keywords: ['x-example', 'x-wants', 'example'],
}

/** A strict Ajv: `true` is not 1 and a misspelt field is a fault. Query strings alone are coerced: they are all text. */
export function strictAjv(coerceTypes: boolean): Ajv {
  const ajv = new Ajv({ ...options, coerceTypes })
  addFormats.default(ajv)
  return ajv
}

type Check = ((value: unknown) => boolean) & { errors?: FastifySchemaValidationError[] | null }

/**
 * Compiles validators on first use and writes answers by JSON.stringify: compiling everything for every route took four
 * seconds of every start. Answers are held to their schemas by the tests instead, which is stricter than filtering them.
 */
export function readBodies(app: App): void {
  const strict = strictAjv(false)
  const lenient = strictAjv(true)
  app.setValidatorCompiler(({ schema, httpPart }) =>
    lazily(app, httpPart === 'body' ? strict : lenient, schema as object),
  )
  app.setSerializerCompiler(() => JSON.stringify)
  app.removeContentTypeParser(['text/plain', 'application/json'])
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = body as string
    if (text === '') return done(null, undefined)
    parse(request, text, (error, value) => {
      if (error) return done(problem('parsingResource', `The body is not valid JSON${placeOf(error)}.`))
      // Only an escape can smuggle in a NUL or half a character.
      return text.includes('\\u') ? done(refuseBadText(value), value) : done(null, value)
    })
  })
}

/** Where the parser stumbled. Its own words would repeat what stands there. */
function placeOf(error: Error): string {
  const place = /position \d+/.exec(error.message)?.[0]
  return place === undefined ? '' : ` at ${place}`
}

function lazily(app: App, ajv: Ajv, schema: object): Check {
  let compiled: ReturnType<Ajv['compile']> | undefined
  const check: Check = (value) => {
    if (!compiled) {
      for (const [id, shared] of Object.entries(app.getSchemas())) {
        if (!(id in ajv.schemas)) ajv.addSchema(sizesFirst(withBranchesApart(shared as Branching)), id)
      }
      compiled = ajv.compile(sizesFirst(schema) as object)
    }
    const valid = compiled(value) as boolean
    check.errors = (compiled.errors ?? null) as FastifySchemaValidationError[] | null
    return valid
  }
  return check
}

/** The keywords that look at every item or field. */
const ofItems = ['items', 'uniqueItems']
const ofFields = ['propertyNames', 'patternProperties', 'additionalProperties']
const conditions = ['if', 'then', 'else']

/** An object with more unknown fields than this is refused without naming them. */
const unknownFieldsMax = 20

type Keywords = Record<string, unknown>

/**
 * The same schema, but it does not look into a list, map or object that is too large. Validation names all faults of a body, so
 * it would go on with each of 40,000 items behind `maxItems`.
 */
function sizesFirst<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(sizesFirst) as T
  if (schema === null || typeof schema !== 'object') return schema
  const inner: Keywords = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, sizesFirst(value)]))
  const { maxItems, maxProperties, properties, additionalProperties } = inner
  if (typeof maxItems === 'number') return whenSmall(inner, { maxItems }, ofItems) as T
  if (typeof maxProperties === 'number') return whenSmall(inner, { maxProperties }, ofFields) as T
  if (additionalProperties !== false) return inner as T
  const names = Object.keys((properties as object | undefined) ?? {})
  const known = Object.fromEntries(names.map((name) => [name, true]))
  const size = { maxProperties: names.length + unknownFieldsMax }
  return whenSmall(inner, size, [...ofFields, ...conditions], { properties: known }) as T
}

/** Applies these keywords only to what is of this size. What is not, fails by its size alone. */
function whenSmall(schema: Keywords, size: Keywords, keywords: string[], more: Keywords = {}): Keywords {
  const [each, rest]: [Keywords, Keywords] = [{ ...more }, {}]
  for (const [keyword, value] of Object.entries(schema)) (keywords.includes(keyword) ? each : rest)[keyword] = value
  for (const keyword of Object.keys(size)) delete rest[keyword]
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
  const checked = { if: size, then: each, else: size }
  return { ...rest, allOf: [...((rest.allOf as object[] | undefined) ?? []), checked] }
}

type Branching = { oneOf?: object[]; discriminator?: object }

/** The same schema with each of its tagged branches under a name, so that each becomes a function of its own. */
function withBranchesApart(schema: Branching): object {
  if (!schema.discriminator || !schema.oneOf) return schema
  const names = schema.oneOf.map((_, index) => `branch${index}`)
  return {
    ...schema,
    oneOf: names.map((name) => ({ $ref: `#/$defs/${name}` })),
    $defs: Object.fromEntries(names.map((name, index) => [name, schema.oneOf?.[index]])),
  }
}

function refuseBadText(value: unknown): Problem | null {
  const errors: Fault[] = []
  findBadText(value, '', errors)
  return errors.length === 0 ? null : problem('invalidParam', describeFaults(errors), { errors })
}

function findBadText(value: unknown, pointer: string, into: Fault[]): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) into.push({ pointer, detail: 'contains a NUL character' })
    else if (!value.isWellFormed()) into.push({ pointer, detail: 'contains half of a surrogate pair' })
  } else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      if (key.includes('\0') || !key.isWellFormed())
        into.push({ pointer, detail: 'has a field name that is not valid text' })
      findBadText(inner, `${pointer}/${pointerPart(key)}`, into)
    }
  }
}
