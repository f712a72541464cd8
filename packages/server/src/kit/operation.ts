/** How a slice declares an operation: the one object from which validation, serialisation and OpenAPI come. */

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import Type, { type TSchema } from 'typebox'
import { type ProblemKey, problems } from '../vocabulary/problems.ts'

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** The media type of our answers, where it has to be said: of JSON text that was made already, and of refusals. */
export const jsonType = 'application/json; charset=utf-8'

/** Sends an answer whose text is made already: it is the same that an Idempotency-Key keeps. */
export function sendText<R extends FastifyReply>(reply: R, { status, body }: { status: number; body: string }): never {
  // The type of an answer is its schema's; this is that object as text.
  return reply.code(status).type(jsonType).send(body) as never
}

/** The answer of every non-2xx (contract section 7.1); the schema is registered once under this name. */
export const ProblemSchema = Type.Object(
  {
    status: Type.Integer(),
    code: Type.String({ description: 'Stable two-digit code; branch on this or on `type`.' }),
    type: Type.String({ description: 'Stable name of the problem.' }),
    detail: Type.String({ description: 'What was wrong and what to do, for a person. May change.' }),
    traceId: Type.String({ description: 'Name of this request in our log.' }),
    statusCode: Type.Integer({ description: 'Same as `status`, for readers of the older body.' }),
    error: Type.String({ description: 'Same as `type`, for readers of the older body.' }),
    message: Type.String({ description: 'Same as `detail`, for readers of the older body.' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object(
          {
            pointer: Type.String({ description: 'JSON pointer (RFC 6901) of the offending value.' }),
            detail: Type.String(),
          },
          { additionalProperties: false },
        ),
      ),
    ),
    resourceId: Type.Optional(Type.String({ description: 'The resource that exists already.' })),
  },
  { $id: 'Problem', title: 'Problem', additionalProperties: false },
)

/** A schema that names a registered one: one component in OpenAPI, one type in TypeScript. */
export function named<T extends TSchema>(schema: T): T {
  const id = (schema as { $id?: string }).$id
  if (!id) throw new Error('a named schema needs its $id')
  return Type.Unsafe({ $ref: `${id}#` }) as unknown as T
}

type Answers = Record<number, TSchema>
const everywhere: ProblemKey[] = [
  'invalidParam',
  'missingParam',
  'unauthorized',
  'forbiddenOperation',
  'tooManyRequests',
  'serverError',
  'unavailable',
]

const withBody: ProblemKey[] = ['parsingResource', 'payloadTooLarge', 'unsupportedMediaType']
const withKey: ProblemKey[] = ['requestInProgress', 'idempotencyMismatch']

const noParameters = Type.Object({}, { additionalProperties: false })

type Operation<A extends Answers, B, Q, P> = {
  operationId: string
  tag: string
  summary: string
  description?: string
  body?: B
  querystring?: Q
  params?: P
  answers: A
  /** A POST with credentials, which takes an `Idempotency-Key`. */
  keyed?: boolean
  /** Refusals besides those that follow from what the operation takes: see refusalsOf. */
  refusals?: ProblemKey[]
  /** One example request body and one example of the success answer, shown in the reference. */
  example?: { request?: unknown; answer?: unknown }
  /** Needs no credentials at all. */
  open?: boolean
}

/** Every refusal that an operation may give, in the order of the table: a path that names a resource may name none. */
function refusalsOf({
  body,
  params,
  keyed,
  refusals = [],
}: Pick<Operation<Answers, unknown, unknown, unknown>, 'body' | 'params' | 'keyed' | 'refusals'>): ProblemKey[] {
  const may = new Set([
    ...everywhere,
    ...(body ? withBody : []),
    ...(keyed ? withKey : []),
    ...(params ? (['notFound'] as const) : []),
    ...refusals,
  ])
  return (Object.keys(problems) as ProblemKey[]).filter((key) => may.has(key))
}

/** The Fastify schema of an operation, with every refusal declared by status. */
export function operation<
  A extends Answers,
  B extends TSchema | undefined = undefined,
  Q extends TSchema | undefined = undefined,
  P extends TSchema | undefined = undefined,
>(input: Operation<A, B, Q, P>) {
  const refused = refusalsOf(input)
  const statuses = [...new Set(refused.map((key) => problems[key].status))].sort()
  const declared: Record<number, TSchema> = {}
  for (const status of statuses) {
    const keys = refused.filter((key) => problems[key].status === status)
    declared[status] = Type.Unsafe({
      $ref: 'Problem#',
      description: keys.map((key) => `\`${key}\`: ${problems[key].title}.`).join(' '),
    })
  }
  const schema = {
    operationId: input.operationId,
    tags: [input.tag],
    summary: input.summary,
    ...(input.description ? { description: input.description } : {}),
    ...(input.open ? { security: [] } : {}),
    ...(input.example ? { 'x-example': input.example } : {}),
    response: { ...declared, ...input.answers },
    ...(input.body ? { body: input.body } : {}),
    // A parameter that nobody reads is refused, as a field is.
    ...(input.open ? {} : { querystring: noParameters }),
    ...(input.querystring ? { querystring: input.querystring } : {}),
    ...(input.params ? { params: input.params } : {}),
  }
  return schema as unknown as OperationSchema<A, B, Q, P>
}

type OperationSchema<A, B, Q, P> = { operationId: string; response: A } & (B extends TSchema ? { body: B } : unknown) &
  (Q extends TSchema ? { querystring: Q } : unknown) &
  (P extends TSchema ? { params: P } : unknown)
