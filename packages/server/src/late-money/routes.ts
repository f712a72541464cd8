/** The endpoints of the policies for late and surplus money (ours). */
import Type from 'typebox'
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { readPolicies, setPolicies } from './policies.ts'

const tag = 'Payments'
const closed = { additionalProperties: false }
const Policy = Type.Enum(['accept', 'refund', 'hold'])

const LateMoneyPolicies = Type.Object(
  {
    default: Policy,
    rails: Type.Array(
      Type.Object({ rail: Type.String({ minLength: 1, maxLength: 20, example: 'PIX' }), policy: Policy }, closed),
      { maxItems: 100, description: 'Payment methods that do otherwise.' },
    ),
  },
  {
    ...closed,
    $id: 'LateMoneyPolicies',
    title: 'LateMoneyPolicies',
    description:
      '`accept`: money that still pays its order does so, all other money is held. `refund`: it is sent back. `hold`: it waits for a decision (`POST /payments/{id}/resolve`). Money in another currency is always held.',
  },
)
const example = { default: 'accept' as const, rails: [{ rail: 'PIX', policy: 'refund' as const }] }

const read = operation({
  operationId: 'getLateMoneyPolicies',
  tag,
  summary: 'What becomes of late and surplus money',
  answers: { 200: named(LateMoneyPolicies) },
  example: { answer: example },
})
const set = operation({
  operationId: 'setLateMoneyPolicies',
  tag,
  summary: 'Say what becomes of late and surplus money',
  description: 'Replaces all policies; money that comes from now on follows them.',
  body: named(LateMoneyPolicies),
  answers: { 200: named(LateMoneyPolicies) },
  example: { request: example, answer: example },
})

export function lateMoneyRoutes(app: App, ctx: Context): void {
  app.addSchema(LateMoneyPolicies)
  app.get('/late-money-policies', { schema: read }, ({ caller }) => readPolicies(ctx, caller))
  app.put('/late-money-policies', { schema: set }, ({ caller, body }) => setPolicies(ctx, caller, body))
}
