/** What OpenAPI says besides the operations: who we are, the tags, the headers every request has, an example of each refusal. */
import { readFileSync } from 'node:fs'
import { versionV2 } from '../../access/caller.ts'
import { problem, problemBody } from '../../kit/problem.ts'
import { limits } from '../../vocabulary/limits.ts'
import { type ProblemKey, problems } from '../../vocabulary/problems.ts'

const { version } = JSON.parse(readFileSync(new URL('../../../../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const about = `Checkout sessions, payment links, payments and the money behind them.

- **Credentials.** Every request carries the \`x-api-key\` of an API client; all but \`POST /auth\` also its bearer token.
- **Amounts** are decimal strings in major units, as precise as the currency: \`"1190"\` CLP, \`"19.90"\` BRL. Numbers are refused.
- **Times** are RFC 3339 in UTC. Days in filters are \`dd/mm/yyyy\` in the merchant's time zone.
- **Errors** have one body everywhere; branch on \`type\`. A 400 names every offending place by its JSON pointer.
- **Unknown fields** are refused, in bodies and in query strings, so that a misspelt one is never silently ignored.
- **Repeating a POST** is safe with an \`Idempotency-Key\`: the same key and body get the stored answer.
- **Versions.** Without a version header the API speaks v1; \`${versionV2}\` selects v2, which is described here. In v1 a payment
  that is CREATED reads PENDING, and one that was refunded whole reads REFUNDED.`

/** Every tag, in the order of the reference. */
const tags = [
  ['Authentication', 'Credentials for a bearer token.'],
  ['Checkout sessions', "One payer's attempt to pay a fixed list of items."],
  ['Payment links', 'The reusable offer that checkout sessions are minted from.'],
  ['Payments', 'Money on its way from a payer to accounts, and back.'],
  ['Refunds', 'Money on its way back to a payer.'],
  ['Identities', 'Who owns accounts, links and sessions.'],
  ['Accounts', 'Ledger accounts of an identity, each in one currency.'],
  ['Brands', 'How the pages where payers pay look.'],
  ['Rules', 'What is charged: fees by rail and currency, inherited from parent identities.'],
  ['Exchange rates', 'What one currency is worth in another, as the merchant sets it.'],
  ['Discovery', 'Which payment methods, currencies and banks there are.'],
  ['Notifications', 'What providers told by themselves, and what became of it.'],
  ['Events', 'What happened, in an order that never changes.'],
  ['Webhooks', 'Being told of events, and what became of telling.'],
  ['Sandbox', 'For testing alone.'],
] as const

export const frame = {
  openapi: '3.1.1',
  info: {
    title: 'Pasarela',
    version,
    summary: 'A self-hosted checkout: sessions, links, payments and a ledger over REST.',
    description: about,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
  servers: [
    { url: '/', description: 'This server.' },
    { url: '/sandbox', description: 'The same API, for sandbox merchants only.' },
  ],
  security: [{ ApiKey: [], Bearer: [] }],
  tags: tags.map(([name, description]) => ({ name, description })),
  components: {
    securitySchemes: {
      ApiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The key of an API client.' },
      Bearer: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'The `accessToken` of `POST /auth`; it must belong to the same API client as the key.',
      },
    },
  },
}

const versionSchema = { type: 'string', enum: ['', versionV2] }

export const parameters = {
  UserAgent: {
    name: 'User-Agent',
    in: 'header',
    required: true,
    description: 'Names your application.',
    schema: { type: 'string', minLength: 1 },
    example: 'MyShop/1.0',
  },
  ApiVersion: {
    name: 'conomyhq-api-version',
    in: 'header',
    required: false,
    description: `The version to speak: absent or empty is v1, \`${versionV2}\` is v2. The one used is echoed.`,
    schema: versionSchema,
    example: versionV2,
  },
  PasarelaVersion: {
    name: 'pasarela-version',
    in: 'header',
    required: false,
    description: 'Another name of `conomyhq-api-version`, which wins where both are sent.',
    schema: versionSchema,
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description:
      'Makes repeating this request safe for 24 hours: the same key and body get the stored answer, marked `idempotent-replayed`; another body is 422 `idempotencyMismatch`; a twin still running is 409 `requestInProgress`.',
    schema: { type: 'string', minLength: 1, maxLength: limits.idempotencyKeyLength, pattern: '^[\\x21-\\x7e]+$' },
    example: '5f0c2f5e-order-1042',
  },
}

export const headers = {
  TraceId: {
    description: 'Name of this request in our log; the `traceId` of an error.',
    schema: { type: 'string', format: 'uuid' },
  },
  RetryAfter: { description: 'Seconds to wait before trying again.', schema: { type: 'integer', minimum: 1 } },
  IdempotentReplayed: {
    description: '`true` when this is the stored answer to an earlier request with the same Idempotency-Key.',
    schema: { type: 'string', enum: ['true'] },
  },
}

/** Where each refusal has an offending place to point at. */
const pointers: Partial<Record<ProblemKey, { pointer: string; detail: string }>> = {
  invalidParam: { pointer: '/items/0/preTaxAmount', detail: 'must be a string' },
  missingParam: { pointer: '/currency', detail: 'is required' },
}

/** One answer per problem, as the error handler would give it. */
export function problemExamples(): Record<string, { summary: string; value: unknown }> {
  const keys = Object.keys(problems) as ProblemKey[]
  return Object.fromEntries(
    keys.map((key) => {
      const fault = pointers[key]
      const detail = fault ? `${fault.pointer} ${fault.detail}` : `${problems[key].title}.`
      const refusal = problem(key, detail, fault ? { errors: [fault] } : {})
      return [key, { summary: problems[key].title, value: problemBody(refusal, exampleTraceId) }]
    }),
  )
}

const exampleTraceId = '0199f3a4-6f1e-7c52-9d0b-3c1f6a2e8b47'
