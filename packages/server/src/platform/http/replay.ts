/** Idempotency-Key on every POST with credentials (design: section 4 rule 15). */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AppContext } from '../../context.ts'
import { nowFor } from '../../kit/context.ts'
import { type App, jsonType } from '../../kit/operation.ts'
import { Problem, problemBody } from '../../kit/problem.ts'
import { answerKey, claimKey, forgetKey, isKnownKey, newKey, releaseKey } from '../idempotency.ts'
import type { RequestKey, StoredAnswer } from '../idempotency-key.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The verb writes the request's key, with its answer, in the statement that does the work. Nothing is claimed before: where the
     * work takes more than one commit, the verb claims the key itself.
     */
    writesKey?: boolean
  }
}

/** Answers that say nothing of the request itself, or that were given before anything was decided. */
const neverStored = new Set([400, 401, 429])

export function replayAnswers(app: App, ctx: AppContext): void {
  // These hooks use callbacks: a request without a key waits for nothing.
  app.addHook('preHandler', (request, reply, done) => {
    const key = request.headers['idempotency-key']
    if (request.method !== 'POST' || typeof key !== 'string' || !request.caller) return done()
    begin(ctx, request, key).then((stored) => {
      if (!stored) return done()
      // A Buffer is sent as it is; an object would be serialised again.
      replay(reply, stored).send(Buffer.from(stored.body))
    }, done)
  })

  app.addHook('onSend', (request, reply, payload, done) => {
    const key = request.caller?.key
    if (!key || key.state === 'answered') return done(null, payload)
    keep(ctx, key, reply, payload).then(
      (stored) => {
        if (stored) replay(reply, stored)
        done(null, stored?.body ?? payload)
      },
      (error: unknown) => {
        if (error instanceof Problem) return done(null, refuse(request, reply, error))
        // The work is done and on disk; the seed lets a repeated request find it once the lease is over.
        request.log.error({ err: error }, 'an idempotent answer could not be stored')
        done(null, payload)
      },
    )
  })
}

function replay(reply: FastifyReply, { status }: StoredAnswer): FastifyReply {
  return reply.header('idempotent-replayed', 'true').code(status).type(jsonType)
}

/** Replaces the answer by a refusal: a twin is at work on the same request. */
function refuse(request: FastifyRequest, reply: FastifyReply, refusal: Problem): string {
  reply.code(refusal.status).header('retry-after', String(refusal.retryAfterSeconds ?? 1))
  return JSON.stringify(problemBody(refusal, request.id))
}

/** Readies the key for this run. Returns the answer that an earlier run left. */
async function begin(ctx: AppContext, request: FastifyRequest, text: string): Promise<StoredAnswer | undefined> {
  const { method, body, caller } = request
  const owner = { merchantId: caller.merchant.id, clientId: caller.clientId, key: text }
  const path = request.url.split('?')[0] ?? ''
  const key = newKey(owner, { method, path, version: caller.version, body }, nowFor(ctx, caller.merchant))
  const isDeferred = request.routeOptions.config.writesKey && !(await isKnownKey(ctx.sql, owner))
  const claimed = isDeferred ? key : await claimKey(ctx.sql, key, new Date(ctx.clock.nowMs()))
  if ('body' in claimed) return claimed
  Object.assign(caller, { key: claimed, seed: claimed.seed, resumed: claimed.resumed })
  return undefined
}

/** Keeps the answer for a repeated request, or lets the key go. Returns a twin's answer that was faster. */
async function keep(
  ctx: AppContext,
  key: RequestKey,
  reply: FastifyReply,
  payload: unknown,
): Promise<StoredAnswer | undefined> {
  const status = reply.statusCode
  const nowMs = ctx.clock.nowMs()
  const { unstored } = reply.routeOptions.config
  if (unstored && status < 300) await releaseKey(ctx.sql, key, new Date(nowMs - 1))
  else if (status >= 500) await releaseKey(ctx.sql, key, new Date(nowMs))
  else if (neverStored.has(status)) await forgetKey(ctx.sql, key)
  else return answerKey(ctx.sql, key, { status, body: typeof payload === 'string' ? payload : '' }, new Date(nowMs))
  return undefined
}
