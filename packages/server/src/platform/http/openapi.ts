/** The API as OpenAPI 3.1. Its schemas are the ones that validate, as they are: 3.1 speaks JSON Schema, so nothing is translated. */
import type { RouteOptions } from 'fastify'
import type { App } from '../../kit/operation.ts'
import { type ProblemKey, problems } from '../../vocabulary/problems.ts'
import { frame, headers, parameters, problemExamples } from './openapi-frame.ts'

declare module 'fastify' {
  interface FastifySchema {
    /** Not an operation of the API: a page, a file, a probe. Every other route has an operationId. */
    hide?: boolean
  }
}

export type Json = Record<string, unknown>
export type OpenApi = Json & {
  openapi: string
  info: Json
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Json>>
  components: Record<string, Json>
}

/** What operation() puts on a route; everything else on it is Fastify's. */
type Described = {
  operationId?: string
  tags?: string[]
  summary?: string
  description?: string
  deprecated?: boolean
  hide?: boolean
  body?: Json
  querystring?: Json
  params?: Json
  response?: Record<string, Json>
  'x-example'?: { request?: unknown; answer?: unknown }
}

const routesOf = new WeakMap<object, RouteOptions[]>()

/** Remembers every route that is declared from here on; costs the start nothing else. */
export function watchRoutes(app: App): void {
  const routes: RouteOptions[] = []
  routesOf.set(app, routes)
  app.addHook('onRoute', (route) => {
    routes.push(route)
  })
}

/** The routes of the application: operations of the API, and those that only people and browsers visit. */
export function listRoutes(app: App): { method: string; url: string; schema: Described; config: Json }[] {
  const routes = routesOf.get(app) ?? []
  return routes.flatMap((route) =>
    [route.method].flat().map((method) => ({
      method,
      url: route.url,
      schema: (route.schema ?? {}) as Described,
      config: (route.config ?? {}) as Json,
    })),
  )
}

/** Builds the document. Throws when two schemas that differ have one `$id`, or a reference leads nowhere. */
export function buildOpenApi(app: App): OpenApi {
  const schemas = new Components(app.getSchemas() as Record<string, Json>)
  const paths: OpenApi['paths'] = {}
  for (const route of listRoutes(app)) {
    if (!route.schema.operationId || route.method === 'HEAD') continue
    const path = route.url.replace(/:([A-Za-z_]+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describe(route, schemas) }
  }
  const sorted = Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)))
  const components = { ...frame.components, schemas: schemas.all(), parameters, headers, examples: problemExamples() }
  return { ...frame, paths: sorted, components }
}

type Route = ReturnType<typeof listRoutes>[number]

function describe({ method, url, schema, config }: Route, schemas: Components): Json {
  const open = config.access === 'open'
  const bearer = !open && config.access !== 'key'
  const keyed = method === 'POST' && bearer
  const used = [
    ...(bearer ? ['UserAgent'] : []),
    ...(open ? [] : ['ApiVersion', 'PasarelaVersion']),
    ...(keyed ? ['IdempotencyKey'] : []),
  ]
  const sandboxOnly = config.sandboxOnly ? 'For sandbox merchants only; live ones get 404.' : undefined
  const description = [schema.description, sandboxOnly].filter(Boolean).join(' ')
  return {
    operationId: schema.operationId,
    tags: schema.tags,
    summary: schema.summary,
    ...(description ? { description } : {}),
    ...(schema.deprecated ? { deprecated: true } : {}),
    ...(open ? { security: [] } : bearer ? {} : { security: [{ ApiKey: [] }] }),
    parameters: [
      ...pathParameters(url, schema.params, schemas),
      ...listParameters('query', schema.querystring, schemas),
      ...used.map((name) => ({ $ref: `#/components/parameters/${name}` })),
    ],
    ...(schema.body ? { requestBody: requestBody(schema.body, schema['x-example']?.request, schemas) } : {}),
    responses: Object.fromEntries(
      Object.entries(schema.response ?? {}).map(([status, answer]) => [
        status,
        response(status, answer, schema['x-example']?.answer, keyed, schemas),
      ]),
    ),
  }
}

function requestBody(body: Json, example: unknown, schemas: Components): Json {
  return { required: !acceptsNothing(body), content: json(schemas.place(body), example) }
}

/** A body that may be absent is declared as optional (`Type.Optional`, or one of several forms that is null). */
function acceptsNothing(body: Json): boolean {
  return '~optional' in body || [body.anyOf, body.oneOf].flat().some((form) => (form as Json)?.type === 'null')
}

function response(status: string, answer: Json, example: unknown, keyed: boolean, schemas: Components): Json {
  const failed = Number(status) >= 400
  const extra = failed ? (retryHints[status] ?? []) : keyed ? ['IdempotentReplayed'] : []
  const named = Object.fromEntries(['TraceId', ...extra].map((key) => [headerNames[key], header(key)]))
  const { description, ...rest } = answer
  const said = typeof description === 'string' ? description : (answer.title ?? 'Done.')
  if (answer.type === 'null' || answer.type === 'void' || status === '204') return { description: said, headers: named }
  if (!failed) return { description: said, headers: named, content: json(schemas.place(answer), example) }
  const examples = keysIn(said as string, Number(status)).map((key) => [key, { $ref: `#/components/examples/${key}` }])
  const content = { 'application/json': { schema: schemas.place(rest), examples: Object.fromEntries(examples) } }
  return { description: said, headers: named, content }
}

const headerNames: Record<string, string> = {
  TraceId: 'x-trace-id',
  RetryAfter: 'retry-after',
  IdempotentReplayed: 'idempotent-replayed',
}
const retryHints: Record<string, string[]> = { 409: ['RetryAfter'], 429: ['RetryAfter'], 503: ['RetryAfter'] }

function header(name: string): Json {
  return { $ref: `#/components/headers/${name}` }
}

/** The problems that operation() named in the description of this status. */
function keysIn(description: string, status: number): ProblemKey[] {
  const keys = Object.keys(problems) as ProblemKey[]
  return keys.filter((key) => problems[key].status === status && description.includes(`\`${key}\``))
}

function json(schema: unknown, example: unknown): Json {
  const examples = example === undefined ? {} : { examples: { typical: { value: example } } }
  return { 'application/json': { schema, ...examples } }
}

function pathParameters(url: string, params: Json | undefined, schemas: Components): Json[] {
  const declared = listParameters('path', params, schemas)
  const names = [...url.matchAll(/:([A-Za-z_]+)/g)].map((match) => match[1])
  return names.map(
    (name) => declared.find((p) => p.name === name) ?? { name, in: 'path', required: true, schema: { type: 'string' } },
  )
}

function listParameters(where: 'path' | 'query', schema: Json | undefined, schemas: Components): Json[] {
  if (!schema) return []
  const whole = schemas.resolve(schema)
  const required = new Set((whole.required as string[] | undefined) ?? [])
  return Object.entries((whole.properties ?? {}) as Record<string, Json>).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path' || required.has(name),
    ...(description ? { description } : {}),
    schema: schemas.place(rest),
  }))
}

/** The schemas that have a name: each stands once under `components`, wherever it was used. */
class Components {
  readonly #shared: Record<string, Json>
  readonly #placed = new Map<string, { text: string; schema: unknown }>()

  constructor(shared: Record<string, Json>) {
    this.#shared = shared
  }

  all(): Json {
    const sorted = [...this.#placed].sort(([a], [b]) => (a < b ? -1 : 1))
    return Object.fromEntries(sorted.map(([name, { schema }]) => [name, schema]))
  }

  /** The schema itself, where it was given by reference. */
  resolve(schema: Json): Json {
    const name = referenced(schema)
    return name === undefined ? schema : this.#sharedSchema(name)
  }

  /** The schema as it stands in the document: named ones become a reference to their component. */
  place(schema: unknown): unknown {
    if (Array.isArray(schema)) return schema.map((part) => this.place(part))
    if (schema === null || typeof schema !== 'object') return schema
    const { $id, ...own } = schema as Json
    if (typeof $id === 'string') return this.#component($id, own)
    const name = referenced(own)
    if (name !== undefined) {
      const { $ref: _, ...beside } = own
      return { ...this.#component(name, withoutId(this.#sharedSchema(name))), ...this.#copy(beside) }
    }
    return this.#copy(own)
  }

  #copy(schema: Json): Json {
    return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, this.place(value)]))
  }

  #component(name: string, own: Json): Json {
    const reference = { $ref: `#/components/schemas/${name}` }
    const text = JSON.stringify(own)
    const placed = this.#placed.get(name)
    if (placed && placed.text !== text) throw new Error(`two schemas that differ are called ${name}`)
    if (!placed) {
      const entry = { text, schema: {} as unknown }
      this.#placed.set(name, entry)
      entry.schema = this.#copy(own)
    }
    return reference
  }

  #sharedSchema(name: string): Json {
    const schema = this.#shared[name]
    if (!schema) throw new Error(`there is no schema called ${name}`)
    return schema
  }
}

function withoutId({ $id: _, ...rest }: Json): Json {
  return rest
}

/** The name in a reference to a registered schema (`Problem#`); a reference inside one schema would lose its base here. */
function referenced(schema: Json): string | undefined {
  const ref = schema.$ref
  if (typeof ref !== 'string') return undefined
  const name = ref.replace(/#$/, '')
  if (name === '' || name.includes('#')) throw new Error(`${ref}: refer to a schema by its name`)
  return name
}
