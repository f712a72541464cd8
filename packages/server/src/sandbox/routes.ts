/** What exists for testing alone. Reached below `/sandbox` too: that prefix is taken off every path. */
import Type from 'typebox'
import type { Authenticator } from '../access/authenticate.ts'
import { sandboxConnection } from '../connections/connection.ts'
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { limits } from '../vocabulary/limits.ts'
import { advanceClock } from './advance-clock.ts'
import { planNotices } from './plan-notices.ts'

const closed = { additionalProperties: false }

const AdvanceClock = Type.Object(
  {
    seconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: limits.clockAdvanceSecondsMax, description: 'How far the clock is moved.' }),
    ),
    until: Type.Optional(Type.String({ format: 'date-time', description: 'Or: to which moment.' })),
  },
  { ...closed, $id: 'AdvanceClock', title: 'AdvanceClock', description: 'Exactly one of the two.' },
)
const TestClock = Type.Object(
  { now: Type.String({ format: 'date-time', description: "The time by the merchant's clock." }) },
  { ...closed, $id: 'TestClock', title: 'TestClock' },
)

const advance = operation({
  operationId: 'advanceClock',
  tag: 'Sandbox',
  summary: "Move the merchant's test clock",
  description:
    'Also `POST /sandbox/clock/advance`. Time moves for the sessions, links and payments of this merchant alone, and never back; what becomes due on the way happens in its order before the answer. Other processes follow within five seconds.',
  body: named(AdvanceClock),
  answers: { 200: named(TestClock) },
  keyed: true,
  refusals: ['notFound', 'failedPrecondition'],
  example: { request: { seconds: 3600 }, answer: { now: '2026-01-31T20:41:00.000Z' } },
})

const SandboxConnection = Type.Object(
  {
    id: Type.String(),
    url: Type.String({ description: 'Where its notices go.' }),
    secret: Type.String({ description: 'Signs them.' }),
  },
  { ...closed, $id: 'SandboxConnection', title: 'SandboxConnection' },
)
const connection = operation({
  operationId: 'getSandboxConnection',
  tag: 'Sandbox',
  summary: "Play the merchant's bank yourself",
  description:
    'Also `GET /sandbox/connection`. Post `{event, reference, paymentId, amount, currency}` to `url`, with the header `sandbox-signature: t=<unix seconds>,v1=<HMAC-SHA256 of "<t>.<body>" by the secret, hex>`. Without `reference` it is the one that the sandbox gave the payment. Events: authorized, captured, received, settled, declined, expired, reversed.',
  answers: { 200: named(SandboxConnection) },
  refusals: ['notFound'],
  example: {
    answer: {
      id: 'con_01k9v3q7zde8x9tq3p5s2w4r6c',
      url: 'http://127.0.0.1:8080/notifications/sandbox/con_01k9v3q7zde8x9tq3p5s2w4r6c',
      secret: 'pns_sandbox_…',
    },
  },
})

export function sandboxRoutes(app: App, ctx: Context & { auth: Authenticator }): void {
  planNotices(ctx)
  app.addSchema(AdvanceClock)
  app.addSchema(TestClock)
  app.addSchema(SandboxConnection)

  app.get('/connection', { schema: connection, config: { sandboxOnly: true } }, async ({ caller }) => {
    const { id, secret } = await sandboxConnection(ctx, caller.merchant.id)
    return { id, url: `${ctx.publicUrl}/notifications/sandbox/${id}`, secret }
  })

  app.post('/clock/advance', { schema: advance, config: { sandboxOnly: true } }, async ({ caller, body }) => {
    try {
      return { now: (await advanceClock(ctx, caller, body)).toISOString() }
    } finally {
      ctx.auth.forget(caller.merchant.id)
    }
  })
}
