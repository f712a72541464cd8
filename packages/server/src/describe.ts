/** The application without a database: enough to say what it would serve. */
import type { FastifyBaseLogger } from 'fastify'
import { buildApp } from './app.ts'
import type { AppContext } from './context.ts'
import { systemClock } from './kit/clock.ts'
import type { App } from './kit/operation.ts'
import { buildOpenApi, type OpenApi } from './platform/http/openapi.ts'

/** Every route, and a context that nothing may be asked of. The caller closes it. */
export function buildIdleApp(): Promise<App> {
  const ctx = { clock: systemClock, log: silent, publicUrl: 'http://127.0.0.1:8080', masterKey: new Uint8Array(32) }
  // Verbs alone use the rest of the context, and no request is ever made.
  return buildApp(ctx as unknown as AppContext)
}

/** The OpenAPI document of this version: what /openapi.json answers, and what packages/server/openapi.json holds. */
export async function describeApi(): Promise<OpenApi> {
  const app = await buildIdleApp()
  try {
    return buildOpenApi(app)
  } finally {
    await app.close()
  }
}

const silent = {
  level: 'silent',
  child: () => silent,
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {},
  silent() {},
} as unknown as FastifyBaseLogger
