/** What Node refuses before there is a request: headers that are too large or too slow, and what is not HTTP. */
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { jsonType } from '../../kit/operation.ts'
import { problem, problemBody } from '../../kit/problem.ts'
import type { ProblemKey } from '../../vocabulary/problems.ts'

const byNodeCode: Record<string, [ProblemKey, string]> = {
  HPE_HEADER_OVERFLOW: ['headersTooLarge', 'The request line and headers are over 16 KB.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['payloadTooLarge', 'The chunk extensions of the body are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['requestTimeout', 'The request did not arrive within 30 seconds.'],
}
const notHttp: [ProblemKey, string] = ['parsingResource', 'The request is not valid HTTP.']

/** Answers on the bare socket and closes it, unless an answer has begun there. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || hasBegun(socket)) return void socket.destroy(error)
  const [key, detail] = byNodeCode[error.code ?? ''] ?? notHttp
  const refusal = problem(key, detail)
  const traceId = randomUUID()
  const body = JSON.stringify(problemBody(refusal, traceId))
  const head = [
    `HTTP/1.1 ${refusal.status} Refused`,
    `content-type: ${jsonType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-trace-id: ${traceId}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

/** Node keeps the answer under way on its socket; a second one must not be written into it. */
function hasBegun(socket: Socket & { _httpMessage?: ServerResponse }): boolean {
  return socket._httpMessage?.headersSent === true
}
