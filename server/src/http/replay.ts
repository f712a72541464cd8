/** Idempotency-Key on every POST with credentials (design: section 4 rule 15). */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AppContext } from '../context.ts'
import { nowFor } from '../kit/context.ts'
import { claimKey, completeKey, forgetKey, type KeyOwner, releaseKey, requestHash } from '../kit/idempotency.ts'
import { type App, jsonType } from '../kit/operation.ts'

const claimed = new WeakMap<FastifyRequest, KeyOwner>()
/** Answers that say nothing of the request itself, or that were given before anything was decided. */
const neverStored = new Set([400, 401, 429])

export function replayAnswers(app: App, ctx: AppContext): void {
  // Most requests carry no key: these hooks make them wait for nothing.
  app.addHook('preHandler', (request, reply, done) => {
    const key = request.headers['idempotency-key']
    if (request.method !== 'POST' || typeof key !== 'string' || !request.caller) return done()
    claim(ctx, request, key).then((stored) => {
      if (!stored) return done()
      reply.header('idempotent-replayed', 'true').code(stored.status).type(jsonType)
      // A Buffer is sent as it is; an object would be serialised again.
      reply.send(Buffer.from(stored.body))
    }, done)
  })

  app.addHook('onSend', (request, reply, payload, done) => {
    const owner = claimed.get(request)
    if (!owner) return done(null, payload)
    claimed.delete(request)
    keep(ctx, owner, reply, payload)
      // The work is done and on disk; the seed lets a repeated request find it once the lease is over.
      .catch((error: unknown) => request.log.error({ err: error }, 'an idempotent answer could not be stored'))
      .then(() => done(null, payload))
  })
}

/** Claims the key for this run, or gives the answer that an earlier run left. */
async function claim(
  ctx: AppContext,
  request: FastifyRequest,
  key: string,
): Promise<{ status: number; body: string } | undefined> {
  const owner = { merchantId: request.caller.merchant.id, clientId: request.caller.clientId, key }
  const { method, body } = request
  const identity = { method, path: request.url.split('?')[0] ?? '', version: request.caller.version, body }
  const found = await claimKey(
    ctx.sql,
    owner,
    requestHash(identity),
    new Date(ctx.clock.nowMs()),
    nowFor(ctx, request.caller.merchant),
  )
  if (found.is !== 'run') return found
  claimed.set(request, owner)
  request.caller.seed = found.seed
  request.caller.resumed = found.resumed
  return undefined
}

/** Keeps the answer for a repeated request, or lets the key go. */
async function keep(ctx: AppContext, owner: KeyOwner, reply: FastifyReply, payload: unknown): Promise<void> {
  const status = reply.statusCode
  const { unstored } = reply.routeOptions.config
  if (unstored && status < 300) await releaseKey(ctx.sql, owner, new Date(ctx.clock.nowMs() - 1))
  else if (status >= 500) await releaseKey(ctx.sql, owner, new Date(ctx.clock.nowMs()))
  else if (neverStored.has(status)) await forgetKey(ctx.sql, owner)
  else await completeKey(ctx.sql, owner, status, typeof payload === 'string' ? payload : '')
}
