/** News of open pages, as server-sent events. */
import type { FastifyRequest } from 'fastify'
import type { Context } from '../kit/context.ts'
import type { App } from '../kit/operation.ts'
import { problem } from '../kit/problem.ts'
import { safeHeaders } from './answer.ts'
import { readToken } from './load.ts'
import { readPageVersions } from './store.ts'
import { watch } from './watch.ts'

const route = {
  schema: { hide: true },
  config: { access: 'open' as const, forPayers: true },
  // Fastify would answer HEAD with the same handler, whose stream has no end.
  exposeHeadRoute: false,
}

const unreadMax = 16 * 1024

/** `allow` throws when the address asks for this page too often. */
export function livePages(scope: App, ctx: Context, allow: (request: FastifyRequest) => void): void {
  const pages = watch(ctx)
  scope.addHook('preClose', async () => pages.close())
  scope.get('/pay/:token/events', route, async (request, reply) => {
    allow(request)
    const page = await findPage(ctx, (request.params as { token: string }).token)
    const raw = reply.raw
    // The browser may have gone while we looked.
    if (raw.destroyed) return reply.hijack()
    const version = String((request.query as { v?: unknown }).v ?? '').slice(0, 80)
    const listener = {
      // News are few bytes: what piles up is not being read.
      send: (text: string) => void (raw.writableLength > unreadMax ? raw.destroy() : raw.write(text)),
      end: () => void raw.end(),
    }
    if (!pages.add({ ...page, version, address: request.ip, listener })) {
      throw problem('unavailable', 'Too many pages are open.', { retryAfterSeconds: 30 })
    }
    raw.on('close', () => pages.remove(listener))
    reply.hijack()
    request.startWaiting()
    raw.writeHead(200, { ...safeHeaders, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
    raw.write('retry: 3000\n\n')
  })
}

/** The page that a token opens. Throws `notFound`. */
async function findPage(ctx: Context, token: string) {
  const key = readToken(token)
  const [page] = key ? await readPageVersions(ctx.sql, [key.merchantId], [key.pageToken]) : []
  if (!page) throw problem('notFound', 'There is no such page.')
  return { merchantId: page.merchantId, pageToken: page.pageToken }
}
