/** A wire between a client and Postgres that a test may cut, or on which it changes what the server says. */
import { connect, createServer, type Server, type Socket } from 'node:net'

export type Wire = {
  port: number
  /** Ends all connections: with a farewell, or as a dead machine does. */
  cut(how: 'end' | 'reset'): void
  close(): Promise<void>
}

type Change = (bytes: Buffer) => Buffer
const same: Change = (bytes) => bytes

/** Opens a port that leads to `target`. What is sent there and what is received may be changed on the way. */
export async function openWire(target: number, { sent = same, received = same } = {}): Promise<Wire> {
  const open = new Set<Socket>()
  const server: Server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    for (const [here, there, change] of [
      [near, far, sent],
      [far, near, received],
    ] as const) {
      open.add(here)
      here.on('data', (bytes: Buffer) => there.write(change(bytes)))
      here.on('error', () => there.destroy())
      here.on('close', () => {
        open.delete(here)
        there.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: address && typeof address === 'object' ? address.port : 0,
    cut: (how) => {
      for (const socket of open)
        if (how === 'reset') socket.resetAndDestroy()
        else socket.destroy()
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** The same URL by another port. */
export function through({ port }: { port: number }, url: string): string {
  const other = new URL(url)
  other.port = String(port)
  return other.href
}
