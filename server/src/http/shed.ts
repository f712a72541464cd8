/** Load shedding: what would only be answered late is refused at once, before it has cost anything (ADR 75). */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import { type App, jsonType } from '../kit/operation.ts'
import { problem, problemBody } from '../kit/problem.ts'
import { type Admission, openAdmission } from './admission.ts'

/**
 * How long a refusal is held back. A client that knows no pause asks again on the same connection at once: held back, its
 * connection rests, and the work of refusing stays small beside that of answering.
 */
const holdMs = 250
/** More connections than this are not kept waiting: their number itself would weigh. */
const heldMax = 5_000
const logEveryMs = 1_000
const retryAfterSeconds = 1
/** A payer in front of the page goes before what machines will ask again by themselves. */
const payersShare = 1.5

/**
 * Stands before the whole application: a request that is not admitted gets 503 `unavailable` with `Retry-After`, and nothing
 * of it is read, checked or logged. One that was admitted is never cut short. Call it when all routes are registered.
 */
export function shedLoad(app: App, admission: Admission = openAdmission()): void {
  const server = app.server
  const answer = server.listeners('request') as RequestListener[]
  const refuse = refuser(app.log)
  server.removeAllListeners('request')
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (!isPatient(request.url)) {
      const leave = admission.enter(performance.now(), isPayers(request.url) ? payersShare : 1)
      if (leave === undefined) return refuse(response)
      response.once('close', () => leave(performance.now()))
    }
    for (const listener of answer) listener.call(server, request, response as Parameters<RequestListener>[1])
  })
}

/** The line on which an open page waits for news: it asks for next to nothing, for minutes. */
function isPatient(url = ''): boolean {
  return url.startsWith('/pay/') && url.endsWith('/events')
}

function isPayers(url = ''): boolean {
  return url.startsWith('/pay/')
}

function refuser(log: FastifyBaseLogger): (response: ServerResponse) => void {
  const held: { response: ServerResponse; dueMs: number }[] = []
  let isTimed = false
  let unsaid = 0
  let saidMs = Number.NEGATIVE_INFINITY

  const release = () => {
    const now = performance.now()
    const due = held.findIndex(({ dueMs }) => dueMs > now)
    for (const { response } of held.splice(0, due < 0 ? held.length : due)) sendRefusal(response)
    isTimed = held.length > 0
    if (isTimed) setTimeout(release, holdMs / 5)
  }
  return (response) => {
    const now = performance.now()
    unsaid += 1
    if (now - saidMs >= logEveryMs) {
      log.warn({ refused: unsaid }, 'more is asked than can be answered in time: requests are refused with 503')
      unsaid = 0
      saidMs = now
    }
    if (held.length >= heldMax) return sendRefusal(response)
    held.push({ response, dueMs: now + holdMs })
    if (!isTimed) setTimeout(release, holdMs)
    isTimed = true
  }
}

function sendRefusal(response: ServerResponse): void {
  const traceId = randomUUID()
  const detail = 'The server has more to do than it can answer in time. Nothing was done; try again after Retry-After.'
  const body = JSON.stringify(problemBody(problem('unavailable', detail), traceId))
  response.writeHead(503, {
    'content-type': jsonType,
    'content-length': Buffer.byteLength(body),
    'retry-after': String(retryAfterSeconds),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-trace-id': traceId,
  })
  response.end(body)
}
