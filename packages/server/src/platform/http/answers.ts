/**
 * Answers that their clients do not read stay in memory. They are bounded per merchant and in total, the pages of lists that are
 * made at the same moment too, and a connection that takes nothing for long is closed.
 */
import type { FastifyRequest } from 'fastify'
import type { App } from '../../kit/operation.ts'
import { problem } from '../../kit/problem.ts'
import { limits } from '../../vocabulary/limits.ts'
import { type Gate, openGate } from './gate.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers a page, which may be large. Set for every route that takes `limit`. */
    isList?: boolean
  }
}

/** Smaller answers fit into the buffers of the connection. */
const smallBytes = 16 * 1024

/** What one merchant has in memory. */
type Share = { unreadBytes: number; pages: Gate }

/** Call it before routes are registered. */
export function boundAnswers(app: App, unreadMs: number = limits.unreadAnswerMs): void {
  const shares = new Map<number, Share>()
  const pages = openGate(limits.pagesAtOnceMax)
  const leaves = new WeakMap<FastifyRequest, () => void>()
  let unreadBytes = 0

  app.addHook('onRoute', (route) => {
    const query = route.schema?.querystring as { properties?: Record<string, unknown> } | undefined
    if (query?.properties?.limit) route.config = { ...route.config, isList: true }
  })
  app.addHook('preHandler', (request, _reply, done) => {
    if (!request.caller) return done()
    const share = shareOf(shares, request)
    const refuse = () => done(refusal(share.unreadBytes, unreadBytes))
    if (refusal(share.unreadBytes, unreadBytes)) return refuse()
    if (!request.routeOptions.config.isList) return done()
    share.pages.enter(() =>
      pages.enter(() => {
        const leave = once(() => {
          pages.leave()
          share.pages.leave()
        })
        leaves.set(request, leave)
        request.whenAnswered(leave)
        // Those that were made meanwhile may not have been read.
        refuse()
      }),
    )
  })
  app.addHook('onSend', (request, _reply, payload, done) => {
    // The timer begins anew with everything that the client takes, and with its next request.
    const { socket } = request.raw
    // Requests that tests inject have no real one.
    if ('setTimeout' in socket) socket.setTimeout(unreadMs)
    const size = sizeOf(payload)
    if (size > smallBytes && request.caller) {
      const share = shareOf(shares, request)
      share.unreadBytes += size
      unreadBytes += size
      request.whenAnswered(() => {
        share.unreadBytes -= size
        unreadBytes -= size
      })
    }
    leaves.get(request)?.()
    done(null, payload)
  })
}

function shareOf(shares: Map<number, Share>, { caller }: FastifyRequest): Share {
  const { id } = caller.merchant
  const share = shares.get(id) ?? { unreadBytes: 0, pages: openGate(limits.pagesAtOncePerMerchantMax) }
  shares.set(id, share)
  return share
}

function refusal(ofMerchant: number, inAll: number) {
  if (ofMerchant >= limits.unreadBytesPerMerchantMax) {
    const detail = 'Earlier answers of this merchant have not been read yet; read them, then try again.'
    return problem('tooManyRequests', detail, { retryAfterSeconds: 1 })
  }
  if (inAll < limits.unreadBytesMax) return undefined
  return problem('unavailable', 'Too many answers have not been read yet; try again shortly.', { retryAfterSeconds: 1 })
}

function sizeOf(payload: unknown): number {
  return typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.byteLength(payload) : 0
}

function once(then: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) then()
    isDone = true
  }
}
