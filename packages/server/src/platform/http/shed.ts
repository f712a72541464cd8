/** Load shedding: what would only be answered late is refused at once, before it has cost much (ADR 75). */
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { type App, jsonType } from '../../kit/operation.ts'
import { problem, problemBody } from '../../kit/problem.ts'
import { type Admission, openAdmission } from './admission.ts'
import { connections } from './connections.ts'

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

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A payer's browser asks for it: admitted before what machines ask for. */
    forPayers?: boolean
  }
  interface FastifyRequest {
    /** Refused by load shedding: neither checked nor logged. */
    isShed: boolean
    /** Calls the request answered though its stream goes on: it only waits, and no longer counts as under way. */
    startWaiting(): void
    /** Calls `then` once the client has the whole answer, or the connection is closed. */
    whenAnswered(then: () => void): void
  }
}

/**
 * The first hook of every request: one that is not admitted gets 503 `unavailable` with `Retry-After`, and its credentials
 * and body are not looked at. One that was admitted is never cut short.
 */
export function shedLoad(app: App, admission: Admission = openAdmission()): void {
  const refuse = refuser(app.log)
  const connectionOf = connections()
  app.decorateRequest('isShed', false)
  app.decorateRequest('startWaiting', () => undefined)
  app.decorateRequest('whenAnswered', () => undefined)
  app.addHook('onRequest', (request, reply, done) => {
    const connection = connectionOf(request.raw.socket)
    if (!connection.mayAsk()) {
      request.isShed = true
      reply.hijack()
      request.raw.socket.destroy()
      return
    }
    const leave = admission.enter(performance.now(), shareOf(request))
    if (leave === undefined) {
      request.isShed = true
      reply.hijack()
      return refuse(reply.raw)
    }
    const ends = [() => leave(performance.now())]
    const answered = connection.enter(() => {
      for (const end of ends.splice(0)) end()
    })
    reply.raw.once('close', answered)
    request.whenAnswered = (then) => void (ends.length > 0 ? ends.push(then) : then())
    request.startWaiting = () => {
      reply.raw.once('close', connection.wait())
      answered()
    }
    done()
  })
}

function shareOf(request: FastifyRequest): number {
  return request.routeOptions.config.forPayers ? payersShare : 1
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
