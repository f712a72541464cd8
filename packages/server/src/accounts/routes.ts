/** The account endpoints (contract section 10.2). */
import Type from 'typebox'
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { changeAccount } from './change.ts'
import { createAccount } from './create.ts'
import { listAccounts, readAccount } from './read.ts'
import { Account, AccountPage, AccountQuery, accountSchemas, ChangeAccount, CreateAccount, toWire } from './schema.ts'

const tag = 'Accounts'
const ById = Type.Object({ id: Type.String({ description: 'Id of the account.' }) })

const request = {
  identityId: 'idn_01k9v3m5x8e2wvq0c7d4n6t1ab',
  type: 'CHECKING',
  custody: 'BANK_ACCOUNT',
  currency: 'CLP',
  name: 'Ventas',
}
const answer = {
  id: 'acc_01k9v3q2d7b6yzn1j4k8w5e0fg',
  ...request,
  externalId: 'acc_01k9v3q2d7b6yzn1j4k8w5e0fg',
  balance: '49990',
  availableFunds: '30000',
  accountNumber: '73501948261740395834',
  accountHolder: 'Tienda Andina SpA',
  status: 'ACTIVE',
  parentId: '',
  createdAt: '2026-01-05T12:00:00.000Z',
  updatedAt: '2026-01-05T12:00:00.000Z',
}

const create = operation({
  operationId: 'createAccount',
  tag,
  summary: 'Create an account',
  description: 'A ledger account of an identity in one currency, to name as a destination of sessions and links.',
  body: named(CreateAccount),
  answers: { 201: named(Account) },
  keyed: true,
  example: { request, answer: { ...answer, balance: '0', availableFunds: '0' } },
})
const list = operation({
  operationId: 'listAccounts',
  tag,
  summary: 'List accounts',
  description: 'The list is one level deeper than others.',
  querystring: AccountQuery,
  answers: { 200: named(AccountPage) },
  example: { answer: { pagination: { pagination: { count: 1, next: 1, previous: 0, total: 1 }, results: [answer] } } },
})
const read = operation({
  operationId: 'getAccount',
  tag,
  summary: 'Read an account',
  params: ById,
  answers: { 200: named(Account) },
  example: { answer },
})
const change = operation({
  operationId: 'updateAccount',
  tag,
  summary: 'Change an account',
  params: ById,
  body: named(ChangeAccount),
  answers: { 200: named(Account) },
  example: { request: { status: 'BLOCKED' }, answer: { ...answer, status: 'BLOCKED' } },
})

export function accountRoutes(app: App, ctx: Context): void {
  for (const schema of accountSchemas) app.addSchema(schema)

  app.post('/accounts', { schema: create }, async ({ caller, body }, reply) =>
    reply.code(201).send(toWire(await createAccount(ctx, caller, body))),
  )
  app.get('/accounts', { schema: list }, async ({ caller, query }) => {
    const { accounts, pagination } = await listAccounts(ctx, caller, query)
    return { pagination: { pagination, results: accounts.map(toWire) } }
  })
  app.get('/accounts/:id', { schema: read }, async ({ caller, params }) =>
    toWire(await readAccount(ctx, caller, params.id)),
  )
  app.patch('/accounts/:id', { schema: change }, async ({ caller, params, body }) =>
    toWire(await changeAccount(ctx, caller, params.id, body)),
  )
}
