/** Reading bodies: JSON only, nothing coerced, nothing dropped, no NUL, no broken characters. */
import { isUtf8 } from 'node:buffer'
import { Ajv, type Options } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import type { App } from '../../kit/operation.ts'
import { describeFaults, type Fault, type Problem, pointerPart, problem } from '../../kit/problem.ts'
import { sizesFirst } from './sizes-first.ts'

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
  app.addHook('onRequest', (request, reply, done) => done(refuseEncoded(request, reply)))
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    if (!isUtf8(body as Buffer)) return done(problem('parsingResource', 'The body is not valid UTF-8.'))
    const text = body.toString()
    parse(request, text, (error, value) => {
      if (error) return done(problem('parsingResource', `The body is not valid JSON${placeOf(error)}.`))
      if (text.length > 2 * nestingMax && isDeeper(value, nestingMax))
        return done(problem('parsingResource', `The body is nested more than ${nestingMax} levels deep.`))
      // Only an escape can smuggle in a NUL or half a character.
      return text.includes('\\u') ? done(refuseBadText(value), value) : done(null, value)
    })
  })
}

/** Bodies are read as they come. A compressed one is refused before it is read, and so are those of pages and notices. */
function refuseEncoded(request: FastifyRequest, reply: FastifyReply): Problem | undefined {
  const encoding = request.headers['content-encoding']
  if (!encoding || encoding.toLowerCase() === 'identity') return undefined
  reply.header('accept-encoding', 'identity')
  return problem(
    'unsupportedMediaType',
    'Send the body without compression: the only accepted Content-Encoding is identity.',
  )
}

/** Deeper values exhaust the stack of whatever walks them next, here or in the database. A level takes two characters. */
const nestingMax = 1_000

function isDeeper(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
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
