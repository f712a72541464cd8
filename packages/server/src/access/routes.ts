/** POST /auth: credentials for a bearer token (contract section 1.3). */
import Type from 'typebox'
import type { Context } from '../kit/context.ts'
import { type App, operation } from '../kit/operation.ts'
import { limits } from '../vocabulary/limits.ts'
import type { Authenticator } from './authenticate.ts'

const Credentials = Type.Object(
  {
    clientId: Type.String({ minLength: 1, maxLength: 200, description: 'From `pasarela clients create`.' }),
    clientSecret: Type.String({ minLength: 1, maxLength: 200, description: 'Shown once when the client was created.' }),
  },
  { $id: 'Credentials', title: 'Credentials', additionalProperties: false },
)

const AccessToken = Type.Object(
  {
    accessToken: Type.String({ description: 'JWT; send it as `Authorization: Bearer <accessToken>`.' }),
    tokenType: Type.Literal('Bearer'),
    expiresIn: Type.Integer({ description: 'Seconds until it expires; call again before.' }),
  },
  { $id: 'AccessToken', title: 'AccessToken', additionalProperties: false },
)

const authenticateClient = operation({
  operationId: 'authenticate',
  tag: 'Authentication',
  summary: 'Exchange client credentials for a bearer token',
  description:
    'Needs the `x-api-key` of the same API client. There is no refresh: call it again before the token runs out.',
  body: Credentials,
  answers: { 200: AccessToken },
  open: true,
  example: {
    request: { clientId: 'client_01k9v3m5x8e2wvq0c7d4n6t1ab', clientSecret: 'psk_sandbox_…' },
    answer: { accessToken: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…', tokenType: 'Bearer', expiresIn: 3600 },
  },
})

export function accessRoutes(app: App, ctx: Context & { auth: Authenticator }): void {
  app.post('/auth', { schema: authenticateClient, config: { access: 'key' } }, async (request) => ({
    accessToken: await ctx.auth.signIn(request.headers, request.body, ctx.clock.nowMs()),
    tokenType: 'Bearer' as const,
    expiresIn: limits.tokenSeconds,
  }))
}
