/** A shop's webhook receiver: it is slow or fails now and then, checks every signature, and remembers in which order things came. */
import { createServer, type Server } from 'node:http'
import { Webhook } from 'standardwebhooks'
import type { Random } from './random.ts'

type Heard = { stream: string; sequence: number }

export type Receiver = {
  readonly url: string
  /** Messages that were taken (answered 2xx), in the order of arrival, repetitions included. */
  readonly taken: Heard[]
  /** Messages whose signature was wrong. */
  readonly forged: string[]
  /** The secret that the endpoint was made with; set before the first message comes. */
  secret: string
  close(): Promise<void>
}

/** Listens on this machine. One message in ten is refused, so that order under repetition is seen too. */
export async function openReceiver(random: Random): Promise<Receiver> {
  const taken: Heard[] = []
  const forged: string[] = []
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part) => parts.push(part))
    request.on('error', () => undefined)
    request.on('end', () => {
      const text = Buffer.concat(parts).toString()
      if (!isSigned(receiver.secret, text, request.headers)) forged.push(text.slice(0, 200))
      const refused = random.chance(0.1)
      if (!refused)
        taken.push({ stream: String(request.headers['pasarela-stream']), sequence: JSON.parse(text).sequence })
      response.writeHead(refused ? 500 : 204).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = address && typeof address === 'object' ? address.port : 0
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    taken,
    forged,
    secret: '',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return receiver
}

/** Messages out of order within their stream; what was taken before may come again, but nothing may be skipped. */
export function orderFaults({ taken, forged }: Receiver): string[] {
  const last = new Map<string, number>()
  const skipped = taken.flatMap(({ stream, sequence }) => {
    const before = last.get(stream) ?? 0
    last.set(stream, Math.max(before, sequence))
    return sequence <= before + 1 ? [] : [`a webhook of ${stream} came as ${sequence} after ${before}`]
  })
  return [...skipped, ...forged.map((text) => `a webhook with a wrong signature: ${text}`)]
}

/** How many different messages were taken. */
export function countTaken({ taken }: Receiver): number {
  return new Set(taken.map(({ stream, sequence }) => `${stream} ${sequence}`)).size
}

function isSigned(secret: string, text: string, headers: Record<string, unknown>): boolean {
  try {
    new Webhook(secret).verify(text, headers as Record<string, string>)
    return true
  } catch {
    return false
  }
}
