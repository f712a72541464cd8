/** Reading bodies: JSON only, nothing coerced, nothing dropped, no NUL, no broken characters. */
import { Ajv, type Options } from 'ajv'
import addFormats from 'ajv-formats'
import type { App } from '../kit/operation.ts'
import { type Fault, type Problem, problem } from '../kit/problem.ts'

const options: Options = {
  allErrors: true,
  removeAdditional: false,
  useDefaults: false,
  discriminator: true,
  verbose: true,
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

export function readBodies(app: App): void {
  const strict = strictAjv(false)
  const lenient = strictAjv(true)
  app.setValidatorCompiler(({ schema, httpPart }) => {
    const ajv = httpPart === 'body' ? strict : lenient
    for (const [id, shared] of Object.entries(app.getSchemas()))
      if (!ajv.getSchema(id)) ajv.addSchema(shared as object, id)
    return ajv.compile(schema as object)
  })
  app.removeContentTypeParser(['text/plain', 'application/json'])
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = body as string
    if (text === '') return done(null, undefined)
    parse(request, text, (error, value) => {
      if (error) return done(problem('parsingResource', `The body is not valid JSON: ${error.message}`))
      // Only an escape can smuggle in a NUL or half a character.
      return text.includes('\\u') ? done(refuseBadText(value), value) : done(null, value)
    })
  })
}

function refuseBadText(value: unknown): Problem | null {
  const errors: Fault[] = []
  findBadText(value, '', errors)
  return errors.length === 0 ? null : problem('invalidParam', `${errors[0]?.pointer} ${errors[0]?.detail}`, { errors })
}

function findBadText(value: unknown, pointer: string, into: Fault[]): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) into.push({ pointer, detail: 'contains a NUL character' })
    else if (!value.isWellFormed()) into.push({ pointer, detail: 'contains half of a surrogate pair' })
  } else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      if (key.includes('\0') || !key.isWellFormed())
        into.push({ pointer, detail: 'has a field name that is not valid text' })
      findBadText(inner, `${pointer}/${key}`, into)
    }
  }
}
