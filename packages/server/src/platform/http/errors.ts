/** The one place where a refusal or a bug becomes an answer. */

import { DatabaseError } from '@pasarela/sql'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { brokenConstraint } from '../../kit/db.ts'
import { maskSecrets } from '../../kit/mask.ts'
import { type App, jsonType } from '../../kit/operation.ts'
import { describeFaults, type Fault, Problem, pointerPart, problem, problemBody } from '../../kit/problem.ts'
import type { ProblemKey } from '../../vocabulary/problems.ts'
import { keyInUse } from '../idempotency.ts'

type AjvError = NonNullable<FastifyError['validation']>[number]

const byFastifyCode: Record<string, [ProblemKey, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['payloadTooLarge', 'The body is over 256 KB.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupportedMediaType', 'Send the body as application/json.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['parsingResource', 'The body is not valid JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['parsingResource', 'The body is empty.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['parsingResource', 'The body is not as long as Content-Length says.'],
  FST_ERR_BAD_URL: ['invalidParam', 'The URL is not valid.'],
  FST_ERR_MAX_PARAM_LENGTH: ['notFound', 'There is no such resource.'],
  FST_ERR_ASYNC_CONSTRAINT: ['notFound', 'There is no such resource.'],
}

const places: Record<string, string> = { body: '', querystring: '/query', params: '/path', headers: '/headers' }

export function answerErrors(app: App): void {
  app.setErrorHandler((error: unknown, request, reply) => sendProblem(asProblem(error, request), request, reply))
}

/** What the router refuses before there is a route: a path that is no text, an id longer than any of ours. */
export function answerRouterError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(asProblem(error, request), request, reply)
}

function sendProblem(refusal: Problem, request: FastifyRequest, reply: FastifyReply) {
  if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', String(refusal.retryAfterSeconds))
  // What was wrong is named by what was sent: a card number in the wrong place is not repeated.
  const masked = maskSecrets(JSON.stringify(problemBody(refusal, request.id)))
  return reply.code(refusal.status).type(jsonType).send(JSON.parse(masked))
}

/** Turns whatever was thrown into a refusal; what is not expected is logged with its stack and answered 500 without it. */
function asProblem(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error
  const known = error as Partial<FastifyError>
  if (known.validation) return fromValidation(known.validation, known.validationContext ?? 'body')
  const mapped = known.code === undefined ? undefined : byFastifyCode[known.code]
  if (mapped) {
    const [key, detail] = mapped
    return problem(key, detail, key === 'invalidParam' ? { errors: [{ pointer: '/path', detail }] } : {})
  }
  if (error instanceof SyntaxError && known.statusCode === 400)
    return problem('parsingResource', 'The body is not valid JSON.')
  if (isOutOfReach(error)) {
    request.log.error({ err: error }, 'the database is out of reach')
    return problem('unavailable', 'The database cannot be reached right now; try again shortly.', {
      retryAfterSeconds: 1,
    })
  }
  if (brokenConstraint(error) === 'idempotency_keys_pkey') return keyInUse()
  request.log.error({ err: error }, 'unexpected error')
  return problem(
    'serverError',
    'Something failed on our side. Nothing is known to be wrong with the request; quote the traceId.',
  )
}

/** Connection lost, server shutting down, too many connections, or a statement that ran out of time. */
function isOutOfReach(error: unknown): boolean {
  const code = (error as { code?: unknown }).code
  if (typeof code !== 'string') return false
  if (error instanceof DatabaseError) return /^(08|53|57)/.test(code) || code === '55P03'
  // The Unix socket of a database that is down is a file that is not there.
  if (code === 'ENOENT') return (error as { syscall?: unknown }).syscall === 'connect'
  return /^(CONNECT|CONNECTION_|ECONN|ENOTFOUND|EPIPE)/.test(code)
}

/** A wrong or absent tag is also told by its own `enum` or `required`, a wrong name by its own rule: these only repeat it. */
const repeating = new Set(['if', 'discriminator', 'propertyNames'])

/** An answer names fewer faults than this; some of these only repeat another. */
const readMax = 200

function fromValidation(errors: AjvError[], context: string): Problem {
  const first = errors.slice(0, readMax)
  const telling = first.filter((e) => !repeating.has(e.keyword) && !isEcho(e, first))
  const shown = telling.length > 0 ? telling : first
  const faults = dedupe(shown.map((e) => toFault(e, places[context] ?? '')))
  const missingOnly = shown.every((e) => e.keyword === 'required')
  return problem(missingOnly ? 'missingParam' : 'invalidParam', describeFaults(faults), { errors: faults })
}

/** Of "this or null" that was meant to be this, the caller hears what is wrong with it, not that it is not null either. */
function isEcho(error: AjvError, all: AjvError[]): boolean {
  if (error.keyword === 'anyOf') return all.some((e) => e !== error && e.instancePath.startsWith(error.instancePath))
  const noNull = error.keyword === 'type' && error.params.type === 'null'
  return (
    noNull && all.some((e) => e !== error && e.keyword !== 'anyOf' && e.instancePath.startsWith(error.instancePath))
  )
}

function toFault(error: AjvError, place: string): Fault {
  // A rule about field names is broken by a name: the fault is at that field.
  const name = (error as { propertyName?: string }).propertyName
  const at = place + error.instancePath + (name === undefined ? '' : `/${pointerPart(name)}`)
  const params = error.params as Record<string, unknown>
  switch (error.keyword) {
    case 'required':
      return { pointer: `${at}/${pointerPart(String(params.missingProperty))}`, detail: 'is required' }
    case 'additionalProperties':
      return { pointer: `${at}/${pointerPart(String(params.additionalProperty))}`, detail: 'is not a known field' }
    case 'enum':
      if (name !== undefined) return { pointer: at, detail: 'is not a field of this form' }
      return { pointer: at, detail: `must be one of ${(params.allowedValues as unknown[]).join(', ')}` }
    case 'const':
      return { pointer: at, detail: `must be ${JSON.stringify(params.allowedValue)}` }
    case 'discriminator':
      return { pointer: `${at}/${pointerPart(String(params.tag))}`, detail: 'is not one of the known values' }
    case 'pattern':
      return { pointer: at, detail: patternDetail(error) }
    default:
      return { pointer: at, detail: error.message ?? 'is not valid' }
  }
}

/** A schema may say in words what its pattern wants (`errorMessage` beside `pattern`); a bare pattern helps nobody. */
function patternDetail(error: AjvError): string {
  const parent = (error as { parentSchema?: { 'x-wants'?: string } }).parentSchema
  return parent?.['x-wants'] ? `must be ${parent['x-wants']}` : (error.message ?? 'is not valid')
}

function dedupe(faults: Fault[]): Fault[] {
  const seen = new Set<string>()
  return faults.filter(({ pointer, detail }) => !seen.has(pointer + detail) && seen.add(pointer + detail))
}
