/**
 * A merchant's backend under load: keep-alive connections, one request at a time on each. HTTP/1.1 over plain sockets, because
 * on a machine that client and server share, a client that costs as much as the server would measure itself.
 */
import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { SandboxSeed } from '../packages/server/src/seed.ts'

export type Answer = { status: number; text: string }

export type ApiClient = {
  /** Sends one request on a free connection; waits for one when all are in use. Rejects when the connection is lost. */
  call(method: string, path: string, body?: unknown): Promise<Answer>
  headers: Record<string, string>
  close(): void
}

/**
 * Signs in and returns a client of `connections` sockets. Every POST carries an Idempotency-Key of its own, as the documentation
 * advises; with `keyed: false` none does.
 */
export async function openClient(
  address: string,
  seed: SandboxSeed,
  connections: number,
  { keyed = true }: { keyed?: boolean } = {},
): Promise<ApiClient> {
  const headers: Record<string, string> = {
    'x-api-key': seed.apiKey,
    'user-agent': 'Bench/1.0',
    'conomyhq-api-version': '24-04-2025',
    'content-type': 'application/json',
  }
  const url = new URL(address)
  const free: Connection[] = Array.from({ length: connections }, () => new Connection(url))
  const all = [...free]
  const waiting: ((connection: Connection) => void)[] = []
  let head = ''
  const rebuildHead = () => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    head = ` HTTP/1.1\r\nhost: ${url.host}\r\n${lines.join('')}`
  }
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const connection = free.pop() ?? (await new Promise<Connection>((resolve) => waiting.push(resolve)))
    try {
      const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
      const length = body === undefined ? '' : `content-length: ${Buffer.byteLength(text)}\r\n`
      const key = keyed && method === 'POST' ? `idempotency-key: ${randomUUID()}\r\n` : ''
      return await connection.ask(`${method} ${path}${head}${key}${length}\r\n${text}`)
    } finally {
      const next = waiting.shift()
      if (next) next(connection)
      else free.push(connection)
    }
  }
  rebuildHead()
  const token = await call('POST', '/auth', { clientId: seed.clientId, clientSecret: seed.clientSecret })
  headers.authorization = `Bearer ${JSON.parse(token.text).accessToken}`
  rebuildHead()
  return {
    call,
    headers,
    close: () => {
      for (const connection of all) connection.close()
    },
  }
}

/** One socket. Answers are told apart by `content-length`, which the server always sends. */
class Connection {
  readonly #url: URL
  #socket: Socket | undefined
  #parts: Buffer[] = []
  #size = 0
  /** Bytes of the whole answer once its head was read. */
  #expected = 0
  #bodyAt = 0
  #status = 0
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined

  constructor(url: URL) {
    this.#url = url
  }

  ask(text: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#open().write(text)
    })
  }

  close(): void {
    this.#socket?.destroy()
  }

  #open(): Socket {
    if (this.#socket && !this.#socket.destroyed) return this.#socket
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port), noDelay: true })
    socket.on('data', (part: Buffer) => this.#take(part))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the connection was closed')))
    this.#socket = socket
    return socket
  }

  #fail(error: Error): void {
    const waiting = this.#waiting
    this.#reset()
    waiting?.reject(error)
  }

  #reset(): void {
    this.#waiting = undefined
    this.#parts = []
    this.#size = 0
    this.#expected = 0
  }

  #take(part: Buffer): void {
    this.#parts.push(part)
    this.#size += part.length
    if (this.#expected === 0) this.#readHead()
    if (this.#expected === 0 || this.#size < this.#expected) return
    const whole = Buffer.concat(this.#parts)
    const answer = { status: this.#status, text: whole.toString('utf8', this.#bodyAt, this.#expected) }
    const waiting = this.#waiting
    this.#reset()
    waiting?.resolve(answer)
  }

  #readHead(): void {
    const sofar = Buffer.concat(this.#parts)
    const end = sofar.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = sofar.toString('latin1', 0, end)
    this.#status = Number(head.slice(9, 12))
    this.#bodyAt = end + 4
    this.#expected = this.#bodyAt + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
  }
}

let tokens = 0

/** The body of a session of 11.90 BRL by PIX, with a token of its own. */
export function sessionBody(seed: SandboxSeed, accountNumber = seed.accounts.BRL) {
  return {
    checkoutToken: `bench-${process.pid}-${++tokens}-${Math.random().toString(36).slice(2, 8)}`,
    items: [
      {
        description: 'Café',
        preTaxAmount: '10.00',
        totalAmount: '11.90',
        tax: { name: 'ICMS', type: 'PERCENTAGE', value: '19', amount: '1.90' },
      },
    ],
    currency: 'BRL',
    paymentMethodsAllowed: ['PIX'],
    duration: 3600,
    owner: { identityId: seed.identityId },
    destinations: [{ type: 'ACCOUNT', amount: '11.90', account: { accountNumber } }],
    successUrl: 'https://shop.example/ok',
    failedUrl: 'https://shop.example/no',
  }
}

// The sandbox's "silent" bank leaves the outcome to the call that plays its notice.
export const pixBody = {
  origins: [
    {
      type: 'PIX',
      currency: 'BRL',
      pix: {
        customer: {
          firstName: 'Ana',
          lastName: 'Souza',
          email: 'ana+silent@example.com',
          documentType: 'CPF',
          documentNumber: '52998224725',
        },
      },
    },
  ],
}

/** The `id` of the object that an answer holds, without reading the rest; an unexpected status is an error. */
export function idOf(answer: Answer, status: number): string {
  const id = answer.status === status ? /"id":"([^"]+)"/.exec(answer.text)?.[1] : undefined
  if (id === undefined) throw new Error(`${answer.status} instead of ${status}: ${answer.text.slice(0, 300)}`)
  return id
}

/** One whole paid flow: create, submit, the provider's notification. Returns the session's id. */
export async function payOnce(client: ApiClient, body: string | object): Promise<string> {
  const sessionId = idOf(await client.call('POST', '/checkout-sessions', body), 201)
  const paymentId = idOf(await client.call('POST', `/checkout-sessions/${sessionId}/payments`, pixText), 200)
  const told = await client.call('POST', '/payments/received', `{"transactionId":"${paymentId}"}`)
  if (told.status !== 200 || !told.text.includes('"status":"RECEIVED"')) {
    throw new Error(`the notification: ${told.status} ${told.text.slice(0, 300)}`)
  }
  return sessionId
}

const pixText = JSON.stringify(pixBody)
