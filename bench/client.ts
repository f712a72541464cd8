/** A merchant's backend under load: keep-alive connections, one request at a time on each. */
import { Agent, request } from 'node:http'
import type { SandboxSeed } from '../server/src/seed.ts'

export type Answer = { status: number; text: string }

export type ApiClient = {
  call(method: string, path: string, body?: unknown): Promise<Answer>
  headers: Record<string, string>
  close(): void
}

/** Signs in and returns a client of `connections` sockets. */
export async function openClient(address: string, seed: SandboxSeed, connections: number): Promise<ApiClient> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const headers: Record<string, string> = {
    'x-api-key': seed.apiKey,
    'user-agent': 'Bench/1.0',
    'conomyhq-api-version': '24-04-2025',
    'content-type': 'application/json',
  }
  const url = new URL(address)
  const call = (method: string, path: string, body?: unknown) =>
    new Promise<Answer>((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const length = text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }
      const sent = request(
        { host: url.hostname, port: url.port, method, path, agent, headers: { ...headers, ...length } },
        (response) => {
          const parts: Buffer[] = []
          response.on('data', (part) => parts.push(part))
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
        },
      )
      sent.on('error', reject)
      sent.end(text)
    })
  const token = await call('POST', '/auth', { clientId: seed.clientId, clientSecret: seed.clientSecret })
  headers.authorization = `Bearer ${JSON.parse(token.text).accessToken}`
  return { call, headers, close: () => agent.destroy() }
}

let tokens = 0

/** The body of a session of 11.90 BRL by PIX, with a token of its own. */
export function sessionBody(seed: SandboxSeed) {
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
    destinations: [{ type: 'ACCOUNT', amount: '11.90', account: { accountNumber: seed.accounts.BRL } }],
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
