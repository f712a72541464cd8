/** TCP ports of this machine: which are free, and why one cannot be had. */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { errorCode } from './operator-error.ts'

/** Below the range that systems take for outgoing connections, which could grab a port between our look and its use. */
const firstPort = 20_000
const lastPort = 32_000
const attemptsMax = 100

/** A port that nobody listens on at this moment. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const port = randomInt(firstPort, lastPort)
    const reason = await whyNotListen(host, port)
    if (reason === undefined) return port
    if (reason !== 'EADDRINUSE') throw Object.assign(new Error(`cannot listen on ${host}: ${reason}`), { code: reason })
  }
  throw new Error(`no free port on ${host} after ${attemptsMax} attempts`)
}

/** Why one cannot listen there, as an error code; undefined when one can. */
export function whyNotListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error) => resolve(errorCode(error) ?? error.message))
    probe.listen(port, host, () => probe.close(() => resolve(undefined)))
  })
}
