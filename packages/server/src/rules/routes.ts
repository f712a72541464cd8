/** The rule endpoints (contract section 10.7). */
import Type from 'typebox'
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { createRule } from './create.ts'
import { listRules, readRule } from './read.ts'
import { removeRule } from './remove.ts'
import { CreateRule, Rule, RulePage, RuleQuery, ruleSchemas, toWire } from './schema.ts'

const tag = 'Rules'
const ById = Type.Object({ id: Type.String({ description: 'Id of the rule.' }) })

const request = {
  type: 'FEE',
  identityId: 'idn_01k9v3m5x8e2wvq0c7d4n6t1ab',
  overwrites: false,
  filter: [{ name: 'paymentMethod', value: 'PIX' }],
  feeRule: { description: 'Pix fee', feeType: 'PERCENTAGE', value: '0.99' },
}
const answer = {
  id: 'rule_01k9v3s4f9d8bat3m6p0y7g2hj',
  ...request,
  owner: 'CLIENT',
  target: 'TRANSACTION',
  createdAt: '2026-01-05T12:00:00.000Z',
}

const create = operation({
  operationId: 'createRule',
  tag,
  summary: 'Create a fee rule',
  description:
    'Fees are taken from what the destinations receive, on the amount in the session’s currency, rounded half up; the payer never pays them. Children inherit the rules of their ancestors.',
  body: named(CreateRule),
  answers: { 201: named(Rule) },
  keyed: true,
  refusals: ['notFound', 'unimplemented'],
  example: { request, answer },
})
const list = operation({
  operationId: 'listRules',
  tag,
  summary: 'List rules',
  querystring: RuleQuery,
  answers: { 200: named(RulePage) },
  example: { answer: { pagination: { count: 1, next: 1, previous: 0, total: 1 }, results: [answer] } },
})
const read = operation({
  operationId: 'getRule',
  tag,
  summary: 'Read a rule',
  params: ById,
  answers: { 200: named(Rule) },
  example: { answer },
})
const remove = operation({
  operationId: 'deleteRule',
  tag,
  summary: 'Delete a rule',
  description: 'What was quoted by it stays quoted, what was charged stays charged.',
  params: ById,
  answers: { 204: Type.Null({ description: 'Deleted.' }) },
})

export function ruleRoutes(app: App, ctx: Context): void {
  for (const schema of ruleSchemas) app.addSchema(schema)

  app.post('/rules', { schema: create }, async ({ caller, body }, reply) =>
    reply.code(201).send(toWire(await createRule(ctx, caller, body))),
  )
  app.get('/rules', { schema: list }, async ({ caller, query }) => {
    const { rules, pagination } = await listRules(ctx, caller, query)
    return { pagination, results: rules.map(toWire) }
  })
  app.get('/rules/:id', { schema: read }, async ({ caller, params }) => toWire(await readRule(ctx, caller, params.id)))
  app.delete('/rules/:id', { schema: remove }, async ({ caller, params }, reply) => {
    await removeRule(ctx, caller, params.id)
    return reply.code(204).send(null)
  })
}
