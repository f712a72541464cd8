/** Who gets in: the version, the credentials, the User-Agent and the base URL, checked before a body is read. */
import type { FastifyRequest } from 'fastify'
import { versionOf } from '../../access/authenticate.ts'
import { type Caller, versionV2 } from '../../access/caller.ts'
import type { AppContext } from '../../context.ts'
import type { App } from '../../kit/operation.ts'
import { problem } from '../../kit/problem.ts'

/** `bearer`: key and token (the default). `key`: the key alone (POST /auth). `open`: nobody is asked. */
export type Access = 'bearer' | 'key' | 'open'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** Exists for sandbox merchants only; 404 to live ones. */
    sandboxOnly?: boolean
    /** Its answers hold a secret: they are not kept for a repeated Idempotency-Key, the verb makes the same answer again. */
    unstored?: boolean
  }
  interface FastifyRequest {
    caller: Caller
  }
}

const sandboxRequests = new WeakSet<object>()

/** The same API is also served under /sandbox: the prefix is taken off before routing and remembered. */
export function withoutSandboxPrefix(raw: { url?: string | undefined }): string {
  const url = raw.url ?? '/'
  if (!url.startsWith('/sandbox/')) return url
  sandboxRequests.add(raw)
  return url.slice('/sandbox'.length)
}

export function guard(app: App, ctx: AppContext): void {
  app.decorateRequest('caller', null as unknown as Caller)
  app.addHook('onRequest', async (request, reply) => {
    // Answers hold secret addresses: no cache keeps them, and no browser takes one for something else. Pages say their own.
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    if (request.url.includes('%00')) {
      const pointer = request.url.split('?')[0]?.includes('%00') ? '/path' : '/query'
      throw problem('invalidParam', 'The URL contains a NUL character.', {
        errors: [{ pointer, detail: 'contains a NUL character' }],
      })
    }
    const { access = 'bearer', sandboxOnly } = request.routeOptions.config
    if (access === 'open' || request.is404) return
    reply.header('conomyhq-api-version', versionOf(request.headers) === 'v2' ? versionV2 : '')
    if (access === 'key') return
    const caller = await ctx.auth.authenticate(request.headers, ctx.clock.nowMs())
    requireUserAgent(request)
    requireSandbox(request, caller, sandboxOnly === true)
    request.caller = caller
  })
}

function requireUserAgent(request: FastifyRequest): void {
  if (request.headers['user-agent']) return
  throw problem('missingParam', 'The header User-Agent is required: name your application, for example "MyShop/1.0".', {
    errors: [{ pointer: '/headers/user-agent', detail: 'is required' }],
  })
}

function requireSandbox(request: FastifyRequest, caller: Caller, sandboxOnly: boolean): void {
  if (caller.merchant.mode === 'sandbox') return
  if (sandboxOnly) throw problem('notFound', `There is no ${request.method} ${request.routeOptions.url ?? ''}.`)
  if (sandboxRequests.has(request.raw)) {
    throw problem('forbiddenOperation', 'These are live credentials; use the base URL without /sandbox.')
  }
}
