/** A receiver of webhooks on this machine: keeps what it is told, answers as the test wants. */
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Body } from './harness.ts'

export type Got = { body: Body; raw: string; headers: IncomingHttpHeaders; atMs: number }

/** What to answer: a status, or a handler of its own that ends the answer as it likes. */
export type Behaviour = (got: Got, nth: number) => number | RequestListener | Promise<number>

export type Receiver = {
  url: string
  got: Got[]
  behave(behaviour: Behaviour): void
  close(): Promise<void>
}

/** Starts a receiver that answers 200 until it is told otherwise. */
export async function startReceiver(): Promise<Receiver> {
  const got: Got[] = []
  let behaviour: Behaviour = () => 200
  const server = createServer((request, response) => {
    let raw = ''
    request.setEncoding('utf8')
    request.on('data', (chunk) => {
      raw += chunk
    })
    request.on('end', async () => {
      const one: Got = { raw, body: JSON.parse(raw), headers: request.headers, atMs: performance.now() }
      got.push(one)
      const answer = await behaviour(one, got.length)
      if (typeof answer === 'function') answer(request, response)
      else response.writeHead(answer).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook?key=secret-in-the-url`,
    got,
    behave: (wanted) => {
      behaviour = wanted
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
