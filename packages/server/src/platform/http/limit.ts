/** The rate limit per API client (1,000 a second, unless it was created with another or with none). */
import rateLimit from '@fastify/rate-limit'
import type { App } from '../../kit/operation.ts'
import { problem } from '../../kit/problem.ts'

export async function limitRates(app: App): Promise<void> {
  await app.register(rateLimit, {
    global: true,
    timeWindow: 1000,
    max: (request) => request.caller?.requestsPerSecond ?? Number.MAX_SAFE_INTEGER,
    allowList: (request) => !request.caller || request.caller.requestsPerSecond === null,
    // Asked before allowList is: requests without a caller get a name, though nobody counts them.
    keyGenerator: (request) => request.caller?.clientId ?? '',
    errorResponseBuilder: (_request, context) =>
      problem(
        'tooManyRequests',
        `This API client may make ${context.max} requests a second; slow down and try again.`,
        { retryAfterSeconds: 1 },
      ),
  })
}
