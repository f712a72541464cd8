/** The identity endpoints (contract section 10.1). */
import Type from 'typebox'
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { addChildren, removeChildren } from './adopt.ts'
import { changeIdentity } from './change.ts'
import { createIdentity } from './create.ts'
import { identityExample, identityRequest } from './example.ts'
import { readIdentity } from './find.ts'
import { listIdentities } from './list.ts'
import {
  ChangeIdentity,
  Children,
  CreateIdentity,
  Identity,
  IdentityPage,
  IdentityQuery,
  identitySchemas,
  toWire,
} from './schema.ts'

const tag = 'Identities'
const ById = Type.Object({ id: Type.String({ description: 'Id of the identity.' }) })

const create = operation({
  operationId: 'createIdentity',
  tag,
  summary: 'Create an identity',
  description:
    'A person or an organisation that owns accounts, links and sessions. It is ACTIVE at once: persons are not verified here. An organisation’s document is unique; users may share one only with another email or phone.',
  body: named(CreateIdentity),
  answers: { 200: named(Identity) },
  keyed: true,
  refusals: ['alreadyExist', 'failedPrecondition'],
  example: { request: identityRequest, answer: identityExample },
})
const list = operation({
  operationId: 'listIdentities',
  tag,
  summary: 'List identities',
  querystring: IdentityQuery,
  answers: { 200: named(IdentityPage) },
  example: { answer: { data: [identityExample], pagination: { count: 1, next: 1, previous: 0, total: 1 } } },
})
const read = operation({
  operationId: 'getIdentity',
  tag,
  summary: 'Read an identity',
  params: ById,
  answers: { 200: named(Identity) },
  example: { answer: identityExample },
})
const change = operation({
  operationId: 'updateIdentity',
  tag,
  summary: 'Change an identity',
  description: 'Changes what is given and leaves the rest; null clears. Type and document stay.',
  params: ById,
  body: named(ChangeIdentity),
  answers: { 200: named(Identity) },
  refusals: ['alreadyExist'],
  example: { request: { nickname: 'Andina' }, answer: { ...identityExample, nickname: 'Andina' } },
})
const adopt = operation({
  operationId: 'addIdentityChildren',
  tag,
  summary: 'Put identities under another',
  description:
    'Children inherit the fee rules of their parents. An identity has one parent, and is never its own ancestor.',
  params: ById,
  body: named(Children),
  answers: { 200: named(Identity) },
  keyed: true,
  refusals: ['failedPrecondition'],
  example: { request: { children: [identityExample.children[0]?.id] }, answer: identityExample },
})
const release = operation({
  operationId: 'removeIdentityChildren',
  tag,
  summary: 'Take identities from under another',
  params: ById,
  body: named(Children),
  answers: { 200: named(Identity) },
  example: { request: { children: [identityExample.children[0]?.id] }, answer: { ...identityExample, children: [] } },
})

export function identityRoutes(app: App, ctx: Context): void {
  for (const schema of identitySchemas) app.addSchema(schema)

  app.post('/identities', { schema: create }, async ({ caller, body }) =>
    toWire(await createIdentity(ctx, caller, body)),
  )
  app.get('/identities', { schema: list }, async ({ caller, query }) => {
    const { identities, pagination } = await listIdentities(ctx, caller, query)
    return { data: identities.map(toWire), pagination }
  })
  app.get('/identities/:id', { schema: read }, async ({ caller, params }) =>
    toWire(await readIdentity(ctx.sql, caller.merchant.id, params.id)),
  )
  app.patch('/identities/:id', { schema: change }, async ({ caller, params, body }) =>
    toWire(await changeIdentity(ctx, caller, params.id, body)),
  )
  app.post('/identities/:id/children', { schema: adopt }, async ({ caller, params, body }) =>
    toWire(await addChildren(ctx, caller, params.id, body.children)),
  )
  app.delete('/identities/:id/children', { schema: release }, async ({ caller, params, body }) =>
    toWire(await removeChildren(ctx, caller, params.id, body.children)),
  )
}
