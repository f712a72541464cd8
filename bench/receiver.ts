/** A merchant's receiver of webhooks in a process of its own: answers 200 at once and keeps when each stream's first message came. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** By stream, in milliseconds since 1970. */
const firstAt: Record<string, number> = {}

const server = createServer((request, response) => {
  const at = performance.timeOrigin + performance.now()
  const stream = String(request.headers['pasarela-stream'])
  firstAt[stream] ??= at
  request.resume()
  response.writeHead(200, { 'content-length': 2 }).end('{}')
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))

process.on('message', () => process.send?.(firstAt))
