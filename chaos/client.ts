/** A merchant's backend as a careful developer would write it: it repeats what was not answered, and writes down every answer. */
import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SandboxSeed } from '../packages/server/src/seed.ts'
import type { Random } from './random.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are read freely here and held against the database later.
export type Body = any

/** A line of the recorded ledger: what was asked, what was answered, and when (milliseconds since the start). */
export type Answered = {
  method: string
  path: string
  key: string | undefined
  status: number
  begunMs: number
  endedMs: number
  /** The noun that was answered, and a digest of its content. */
  id: string | undefined
  digest: string | undefined
}

export type Ask = { method: 'GET' | 'POST' | 'DELETE'; path: string; body?: Body; key?: string }
export type Reply = {
  status: number
  body: Body
  /** An earlier attempt got no answer, so that it may have been done already. */
  uncertain: boolean
}

export type Counts = { requests: number; unanswered: number; writes: number; statuses: Record<number, number> }

export type Client = {
  readonly answers: Answered[]
  readonly counts: Counts
  /** Asks one server, once. Undefined: no whole answer came. */
  once(ask: Ask): Promise<{ status: number; body: Body } | undefined>
  /** Asks until there is an answer that stands, or the patience is over (undefined). */
  insist(ask: Ask, untilMs: number): Promise<Reply | undefined>
  signIn(untilMs: number): Promise<void>
  close(): void
}

export type ClientOptions = {
  addresses: readonly URL[]
  seed: SandboxSeed
  random: Random
  ledgerFile: string
  /** Told of every answered write: when its request was sent. */
  onWrite(begunMs: number): void
}

const answerTimeoutMs = 15_000

/** Opens a client of several servers; it picks another one at random for every attempt. */
export function openClient(options: ClientOptions): Client {
  const { addresses, seed, random, ledgerFile } = options
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const answers: Answered[] = []
  const counts: Counts = { requests: 0, unanswered: 0, writes: 0, statuses: {} }
  let bearer = ''

  async function once({ method, path, body, key }: Ask) {
    const begunMs = performance.now()
    counts.requests++
    const headers = {
      'x-api-key': seed.apiKey,
      'user-agent': 'Chaos/1.0',
      'conomyhq-api-version': '24-04-2025',
      'content-type': 'application/json',
      ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    }
    const raw = await send(agent, random.pick(addresses), method, path, headers, body)
    if (!raw) {
      counts.unanswered++
      return undefined
    }
    const status = raw.status
    counts.statuses[status] = (counts.statuses[status] ?? 0) + 1
    const answer = { status, body: raw.text === '' ? undefined : JSON.parse(raw.text) }
    if (path !== '/auth') record({ method, path, key, status, begunMs, body: answer.body })
    return answer
  }

  function record({ body, ...line }: Omit<Answered, 'endedMs' | 'id' | 'digest'> & { body: Body }): void {
    const good = line.status < 300
    const id = good ? (body?.id ?? body?.refundId) : undefined
    const answered = { ...line, endedMs: performance.now(), id, digest: good && body?.id ? digestOf(body) : undefined }
    answers.push(answered)
    appendFileSync(ledgerFile, `${JSON.stringify({ ...answered, body })}\n`)
    if (!good || line.method === 'GET') return
    counts.writes++
    options.onWrite(line.begunMs)
  }

  async function signIn(untilMs: number): Promise<void> {
    const { clientId, clientSecret } = seed
    const reply = await insist({ method: 'POST', path: '/auth', body: { clientId, clientSecret } }, untilMs)
    if (reply?.status !== 200) throw new Error(`cannot sign in: ${JSON.stringify(reply)}`)
    bearer = reply.body.accessToken
  }

  async function insist(ask: Ask, untilMs: number): Promise<Reply | undefined> {
    let uncertain = false
    for (let pauseMs = 40; ; pauseMs = Math.min(800, pauseMs * 2)) {
      const answer = await once(ask)
      if (answer?.status === 401 && ask.path !== '/auth') await signIn(untilMs)
      else if (answer && !isPassing(answer)) return { ...answer, uncertain }
      // An error of the server leaves open what was done, as silence does.
      uncertain ||= answer === undefined || answer.status >= 500
      if (performance.now() + pauseMs > untilMs) return undefined
      await sleep(pauseMs * (0.5 + random.next()))
    }
  }

  return { answers, counts, once, insist, signIn, close: () => agent.destroy() }
}

/** Whether the same request should simply be sent again. */
function isPassing({ status, body }: { status: number; body: Body }): boolean {
  return status >= 500 || status === 429 || (status === 409 && body?.type === 'requestInProgress')
}

function send(
  agent: Agent,
  address: URL,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: Body,
): Promise<{ status: number; text: string } | undefined> {
  return new Promise((resolve) => {
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const length = payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) }
    const { hostname, port } = address
    const options = { host: hostname, port, method, path, agent, headers: { ...headers, ...length } }
    const sent = request({ ...options, timeout: answerTimeoutMs }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part) => parts.push(part))
      response.on('error', () => resolve(undefined))
      response.on('end', () =>
        resolve(
          response.complete ? { status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() } : undefined,
        ),
      )
    })
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => resolve(undefined))
    sent.on('close', () => resolve(undefined))
    sent.end(payload)
  })
}

/** A digest of a noun's content as events hold it: without the secret `url` and the drawn QR code. */
export function digestOf(noun: Body): string {
  const text = JSON.stringify(noun, (key, value) => {
    if (key === 'url' && typeof noun.url === 'string' && value === noun.url) return undefined
    if (key === 'qrCode') return undefined
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
  return createHash('sha256').update(text).digest('base64').slice(0, 16)
}
