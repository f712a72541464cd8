/**
 * A pooler in transaction mode: its clients share one session of Postgres, a transaction at a time. The first client's login makes
 * the session; the others are let in without one.
 */
import { connect, createServer, type Socket } from 'node:net'

export type Pooler = { port: number; close(): Promise<void> }
type Client = { socket: Socket; pending: Buffer; batch: Buffer[]; isIn: boolean }

const authenticated = Buffer.from('R\0\0\0\x08\0\0\0\0', 'latin1')
/** A process and a key that no server has given. */
const backendKey = Buffer.from('K\0\0\0\x0c\0\0\0\x01\0\0\0\x01', 'latin1')
const ready = Buffer.from('Z\0\0\0\x05I', 'latin1')

export async function openPooler(target: number): Promise<Pooler> {
  const clients = new Set<Client>()
  const waiting: { client: Client; bytes: Buffer }[] = []
  const session = connect(target, '127.0.0.1')
  let owner: Client | undefined
  let fromServer: Buffer = Buffer.alloc(0)

  /** Sends what waits, unless another client's transaction is under way. */
  function sendNext(): void {
    const at = owner ? waiting.findIndex(({ client }) => client === owner) : 0
    const [next] = at === -1 ? [] : waiting.splice(at, 1)
    if (!next) return
    owner = next.client
    session.write(next.bytes)
  }

  session.on('data', (chunk: Buffer) => {
    fromServer = Buffer.concat([fromServer, chunk])
    for (let message = readMessage(fromServer); message; message = readMessage(fromServer)) {
      fromServer = fromServer.subarray(message.length)
      const client = owner
      if (client?.isIn === false && message[0] === 0x4b) client.socket.write(backendKey)
      else client?.socket.write(message)
      if (message[0] !== 0x5a) continue
      if (client) client.isIn = true
      if (message[5] === 0x49) owner = undefined
      sendNext()
    }
  })
  session.on('error', () => undefined)

  const server = createServer((socket) => {
    const client: Client = { socket, pending: Buffer.alloc(0), batch: [], isIn: clients.size > 0 }
    const isFirst = !client.isIn
    let isGreeted = false
    clients.add(client)
    if (isFirst) owner = client
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      client.pending = Buffer.concat([client.pending, chunk])
      if (isFirst && !client.isIn) {
        session.write(client.pending)
        client.pending = Buffer.alloc(0)
        return
      }
      if (!isFirst && !isGreeted) {
        isGreeted = true
        client.pending = Buffer.alloc(0)
        socket.write(Buffer.concat([authenticated, backendKey, ready]))
        return
      }
      for (let message = readMessage(client.pending); message; message = readMessage(client.pending)) {
        client.pending = client.pending.subarray(message.length)
        // A client that leaves does not end the session.
        if (message[0] === 0x58) continue
        client.batch.push(message)
        if (message[0] !== 0x51 && message[0] !== 0x53) continue
        waiting.push({ client, bytes: Buffer.concat(client.batch.splice(0)) })
        if (!owner || owner === client) sendNext()
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: address && typeof address === 'object' ? address.port : 0,
    close: () => {
      session.destroy()
      for (const { socket } of clients) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** The first message, once all of it is there: a letter, then the length of the rest. */
function readMessage(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 5) return undefined
  const length = 1 + bytes.readUInt32BE(1)
  return bytes.length < length ? undefined : bytes.subarray(0, length)
}
