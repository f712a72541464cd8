/** The HTTP application: one error handler, strict bodies, and THE LIST of slices in rank order. */
import { randomUUID } from 'node:crypto'
import Fastify, { LogController, type RouteOptions } from 'fastify'
import { accessRoutes } from './access/routes.ts'
import { accountRoutes } from './accounts/routes.ts'
import { brandRoutes } from './brands/routes.ts'
import { checkoutPageRoutes } from './checkout-page/routes.ts'
import { sessionRoutes } from './checkout-sessions/routes.ts'
import type { AppContext } from './context.ts'
import { discoveryRoutes } from './discovery/routes.ts'
import { eventRoutes } from './events/routes.ts'
import { exchangeRateRoutes } from './exchange-rates/routes.ts'
import { identityRoutes } from './identities/routes.ts'
import { type App, ProblemSchema } from './kit/operation.ts'
import { Pagination } from './kit/page.ts'
import { lateMoneyRoutes } from './late-money/routes.ts'
import { noticeRoutes } from './notices/routes.ts'
import { linkRoutes } from './payment-links/routes.ts'
import { paymentRoutes } from './payments/routes.ts'
import { noteWrites } from './platform/http/activity.ts'
import type { Admission } from './platform/http/admission.ts'
import { boundAnswers } from './platform/http/answers.ts'
import { readBodies } from './platform/http/body.ts'
import { answerClientError } from './platform/http/client-errors.ts'
import { serveDocs } from './platform/http/docs.ts'
import { answerErrors, answerRouterError } from './platform/http/errors.ts'
import { forgetChanges } from './platform/http/forget.ts'
import { guard, withoutSandboxPrefix } from './platform/http/guard.ts'
import { limitRates } from './platform/http/limit.ts'
import { logRequests } from './platform/http/log.ts'
import { refuseUnrouted } from './platform/http/methods.ts'
import { watchRoutes } from './platform/http/openapi.ts'
import { replayAnswers } from './platform/http/replay.ts'
import { shedLoad } from './platform/http/shed.ts'
import { processingRoutes } from './processing/routes.ts'
import { ruleRoutes } from './rules/routes.ts'
import { sandboxBankRoutes } from './sandbox/bank/routes.ts'
import { sandboxRoutes } from './sandbox/routes.ts'
import { limits } from './vocabulary/limits.ts'
import { webhookRoutes } from './webhooks/routes.ts'

export type AppOptions = {
  /** Called with every route and the shared schemas: how tests learn what may be answered. */
  onRoute?: (route: RouteOptions, shared: Record<string, unknown>) => void
  admission?: Admission
  /** How long a client may take nothing of its answer. */
  unreadAnswerMs?: number
}

/** Builds the application, ready to listen or to be injected into. The caller closes it. */
export async function buildApp(ctx: AppContext, { onRoute, admission, unreadAnswerMs }: AppOptions = {}): Promise<App> {
  const app = Fastify({
    loggerInstance: ctx.log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'traceId' }),
    bodyLimit: limits.bodyBytes,
    genReqId: () => randomUUID(),
    rewriteUrl: withoutSandboxPrefix,
    requestTimeout: 30_000,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    frameworkErrors: answerRouterError as never,
    clientErrorHandler: answerClientError,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
  }) as unknown as App
  app.addSchema(ProblemSchema)
  app.addSchema(Pagination)
  if (onRoute) app.addHook('onRoute', (route) => onRoute(route, app.getSchemas()))
  watchRoutes(app)
  answerErrors(app)
  logRequests(app)
  shedLoad(app, admission)
  guard(app, ctx)
  refuseUnrouted(app)
  readBodies(app)
  noteWrites(app, ctx)
  await limitRates(app)
  boundAnswers(app, unreadAnswerMs)
  replayAnswers(app, ctx)
  forgetChanges(app, ctx)

  accessRoutes(app, ctx)
  eventRoutes(app, ctx)
  identityRoutes(app, ctx)
  accountRoutes(app, ctx)
  brandRoutes(app, ctx)
  ruleRoutes(app, ctx)
  exchangeRateRoutes(app, ctx)
  discoveryRoutes(app, ctx)
  linkRoutes(app, ctx)
  paymentRoutes(app, ctx)
  sessionRoutes(app, ctx)
  processingRoutes(app, ctx)
  lateMoneyRoutes(app, ctx)
  webhookRoutes(app, ctx)
  noticeRoutes(app, ctx)
  checkoutPageRoutes(app, ctx)
  sandboxRoutes(app, ctx)
  sandboxBankRoutes(app, ctx)

  serveDocs(app)

  await app.ready()
  return app
}
