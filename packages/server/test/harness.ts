/** The application on a cloned database with a clock of the test's own; every answer is validated again by a strict validator. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyBaseLogger, InjectOptions } from 'fastify'
import { versionV2 } from '../src/access/caller.ts'
import { createClient, createMerchant } from '../src/access/manage-clients.ts'
import { buildApp } from '../src/app.ts'
import { type AppContext, buildContext } from '../src/context.ts'
import type { App } from '../src/kit/operation.ts'
import type { Admission } from '../src/platform/http/admission.ts'
import { openLog } from '../src/platform/log.ts'
import { jobsOf } from '../src/worker.ts'
import { freshDatabase } from './database.ts'
import { keepEvents, keepExchange, keepLog, plant } from './evidence.ts'

/** pino's number for `error`. */
const errorLevel = 50

// biome-ignore lint/suspicious/noExplicitAny: answers are read freely by tests and validated by schema here.
export type Body = any
export type Answer = { status: number; body: Body; headers: Record<string, string | string[] | undefined> }
export type CallOptions = { headers?: Record<string, string | undefined>; version?: 'v1' | 'v2'; raw?: string }

export type Client = {
  merchantId: number
  clientId: string
  clientSecret: string
  apiKey: string
  token: string
  /** Calls the API as this client, v2 unless said otherwise; the answer was validated against its declared schema. */
  call(method: string, url: string, body?: unknown, options?: CallOptions): Promise<Answer>
}

export type TestApp = {
  app: App
  ctx: AppContext
  databaseUrl: string
  client: Client
  /** Another merchant's client. */
  newMerchant(mode?: 'live' | 'sandbox'): Promise<Client>
  /** Moves the clock and runs every job until none finds more to do. */
  advance(ms: number): Promise<void>
  /** Moves the clock alone: no job has seen it yet. */
  passTime(ms: number): void
  runJobs(): Promise<void>
  close(): Promise<void>
}

/** Tests send bursts that a server would partly refuse. */
const admitsAll: Admission = { enter: () => () => undefined, limit: () => Number.POSITIVE_INFINITY }

/** Starts the application on a database of its own; close it in `after`. `publicUrl`: where a test listens, if it does. */
export async function startTestApp({
  publicUrl = 'http://127.0.0.1:8080',
  log = quietLog,
  admission = admitsAll,
  unreadAnswerMs,
  ownClock = true,
}: {
  publicUrl?: string
  /** A clock that the test moves; without it the application reads its own, as it does in use. */
  ownClock?: boolean
  log?: FastifyBaseLogger
  admission?: Admission
  unreadAnswerMs?: number
} = {}): Promise<TestApp> {
  const database = await freshDatabase()
  let nowMs = Date.now()
  const ctx = await buildContext({
    databaseUrl: database.url,
    publicUrl,
    masterKey: randomBytes(32),
    ...(ownClock ? { clock: { nowMs: () => nowMs } } : {}),
    log,
    poolSize: 12,
    providerTimeoutMs: 400,
  })
  const check = answerChecker()
  const app = await buildApp(ctx, { onRoute: check.learn, admission, ...(unreadAnswerMs ? { unreadAnswerMs } : {}) })
  const newMerchant = async (mode: 'live' | 'sandbox' = 'sandbox') => clientOf(app, ctx, check, mode)
  const runJobs = async () => {
    for (const job of jobsOf(ctx)) while (await job.run());
  }
  return {
    app,
    ctx,
    databaseUrl: database.url,
    client: await newMerchant(),
    newMerchant,
    advance: async (ms) => {
      nowMs += ms
      await runJobs()
    },
    passTime: (ms) => {
      nowMs += ms
    },
    runJobs,
    close: async () => {
      await app.close()
      await ctx.close()
      await keepEvents(database.url)
      await database.drop()
    },
  }
}

async function clientOf(app: App, ctx: AppContext, check: AnswerChecker, mode: 'live' | 'sandbox'): Promise<Client> {
  const merchant = await createMerchant(ctx.sql, { name: `Shop ${mode}`, mode })
  const secrets = await createClient(ctx.sql, { merchantId: merchant.id, name: 'test', requestsPerSecond: null })
  plant(secrets.apiKey)
  plant(secrets.clientSecret)
  const base = { 'x-api-key': secrets.apiKey, 'user-agent': 'Tests/1.0' }
  const signIn = async (): Promise<string> => {
    const { clientId, clientSecret } = secrets
    const answer = await app.inject({
      method: 'POST',
      url: '/auth',
      headers: base,
      payload: { clientId, clientSecret },
    })
    assert.equal(answer.statusCode, 200, answer.body)
    const { accessToken } = answer.json()
    plant(accessToken)
    return accessToken
  }
  let token = await signIn()
  let signedInMs = ctx.clock.nowMs()
  const call = async (method: string, url: string, body?: unknown, options: CallOptions = {}): Promise<Answer> => {
    // A test that moves the clock by hours is not about tokens.
    if (ctx.clock.nowMs() - signedInMs > 50 * 60_000) {
      token = await signIn()
      signedInMs = ctx.clock.nowMs()
    }
    const headers: Record<string, string> = {}
    const wanted = {
      ...base,
      authorization: `Bearer ${token}`,
      ...(options.version === 'v1' ? {} : { 'conomyhq-api-version': versionV2 }),
      ...options.headers,
    }
    for (const [name, value] of Object.entries(wanted)) if (value !== undefined) headers[name] = value
    const payload = options.raw ?? (body === undefined ? undefined : JSON.stringify(body))
    if (payload !== undefined) headers['content-type'] ??= 'application/json'
    const request: InjectOptions = {
      method: method as 'GET',
      url,
      headers,
      ...(payload === undefined ? {} : { payload }),
    }
    const response = await app.inject(request)
    const answer = {
      status: response.statusCode,
      body: response.body === '' ? undefined : parse(response.body),
      headers: response.headers as Answer['headers'],
    }
    keepExchange(payload, response.statusCode, response.body)
    check.verify(method, url, answer)
    return answer
  }
  return { merchantId: merchant.id, ...secrets, token, call }
}

function parse(text: string): Body {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

type LearnedRoute = { method: string | string[]; url: string; schema?: { response?: unknown } }
type AnswerChecker = {
  learn(route: LearnedRoute, shared: Record<string, unknown>): void
  verify(method: string, url: string, answer: Answer): void
}

/** Knows every route's declared answers and holds what comes out against them: no undeclared status, no undeclared field. */
function answerChecker(): AnswerChecker {
  const ajv = new Ajv({ strict: false, allErrors: true, discriminator: true })
  addFormats.default(ajv)
  const routes: { method: string; pattern: RegExp; weight: number; answers: Record<string, object>; url: string }[] = []
  let shared: () => Record<string, unknown> = () => ({})
  return {
    learn(route, schemas) {
      shared = () => schemas
      for (const method of [route.method].flat()) {
        const pattern = new RegExp(`^${route.url.replace(/:[^/]+/g, '[^/]+')}$`)
        routes.push({
          method,
          pattern,
          weight: route.url.split(':').length,
          answers: (route.schema?.response ?? {}) as Record<string, object>,
          url: route.url,
        })
      }
    },
    verify(method, url, answer) {
      const path = (url.split('?')[0] ?? '').replace(/^\/sandbox(?=\/)/, '')
      const found = routes
        .filter((r) => r.method === method && r.pattern.test(path))
        .sort((a, b) => a.weight - b.weight)[0]
      if (!found) return
      const schema = found.answers[answer.status]
      assert.ok(
        schema,
        `${method} ${found.url} answered ${answer.status}, which it does not declare: ${JSON.stringify(answer.body)}`,
      )
      if (answer.body === undefined) return
      for (const [id, s] of Object.entries(shared())) if (!ajv.getSchema(id)) ajv.addSchema(s as object, id)
      const valid = ajv.validate(schema, answer.body)
      assert.ok(
        valid,
        `${method} ${found.url} ${answer.status}: ${ajv.errorsText()}\n${JSON.stringify(answer.body, null, 1)}`,
      )
    },
  }
}

/** Errors of ours are printed; everything, down to traces, is kept to be searched for secrets when the run is over. */
const quietLog: FastifyBaseLogger = openLog('trace', {
  write: (line) => {
    keepLog(line.trimEnd())
    if (Number(/"level":(\d+)/.exec(line)?.[1]) >= errorLevel) process.stderr.write(line)
  },
})
