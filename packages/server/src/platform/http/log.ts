/** One structured line per request: route templates only, since a raw path may hold a session's secret url. */
import type { App } from '../../kit/operation.ts'

export function logRequests(app: App): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    reply.header('x-trace-id', request.id)
    done(null, payload)
  })
  app.addHook('onResponse', (request, reply, done) => {
    if (request.isShed) return done()
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url ?? '(none)',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        merchantId: request.caller?.merchant.id,
        clientId: request.caller?.clientId,
      },
      'request',
    )
    done()
  })
}
