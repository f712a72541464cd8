/** Idempotency-Key on every POST with credentials (design: section 4 rule 15). */
import type { FastifyRequest } from 'fastify'
import type { AppContext } from '../context.ts'
import { nowFor } from '../kit/context.ts'
import { claimKey, completeKey, forgetKey, type KeyOwner, releaseKey, requestHash } from '../kit/idempotency.ts'
import type { App } from '../kit/operation.ts'

const claimed = new WeakMap<FastifyRequest, KeyOwner>()
/** Answers that say nothing of the request itself, or that were given before anything was decided. */
const neverStored = new Set([400, 401, 429])

export function replayAnswers(app: App, ctx: AppContext): void {
  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key']
    if (request.method !== 'POST' || typeof key !== 'string' || !request.caller) return
    const owner = { merchantId: request.caller.merchant.id, clientId: request.caller.clientId, key }
    const path = request.url.split('?')[0] ?? ''
    const claim = await claimKey(
      ctx.sql,
      owner,
      requestHash(request.method, path, request.body),
      new Date(ctx.clock.nowMs()),
      nowFor(ctx, request.caller.merchant),
    )
    if (claim.is === 'run') {
      claimed.set(request, owner)
      request.caller.seed = claim.seed
      request.caller.resumed = claim.resumed
      return
    }
    reply.header('idempotent-replayed', 'true').code(claim.status).type('application/json; charset=utf-8')
    // A Buffer is sent as it is; an object would be serialised again.
    return reply.send(Buffer.from(claim.body))
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const owner = claimed.get(request)
    if (!owner) return payload
    claimed.delete(request)
    const status = reply.statusCode
    try {
      const { unstored } = request.routeOptions.config
      if (unstored && status < 300) await releaseKey(ctx.sql, owner, new Date(ctx.clock.nowMs() - 1))
      else if (status >= 500) await releaseKey(ctx.sql, owner, new Date(ctx.clock.nowMs()))
      else if (neverStored.has(status)) await forgetKey(ctx.sql, owner)
      else await completeKey(ctx.sql, owner, status, typeof payload === 'string' ? payload : '')
    } catch (error) {
      // The work is done and on disk; the seed lets a repeated request find it once the lease is over.
      request.log.error({ err: error }, 'an idempotent answer could not be stored')
    }
    return payload
  })
}
