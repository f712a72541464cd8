/** What each connection has under way. Answers leave in the order of their requests, so one that waits holds up the rest. */
import type { Socket } from 'node:net'
import { limits } from '../../vocabulary/limits.ts'

export type Connection = {
  /** False: too much is unanswered already, or the connection carries a stream that nothing can follow. */
  mayAsk(): boolean
  /** Counts one request. Call the result at its end; when the connection closes first, that happens by itself. */
  enter(onLeave: () => void): () => void
  /** From now on the connection carries a stream, until the result is called. */
  wait(): () => void
}

export function connections(): (socket: Socket) => Connection {
  const known = new WeakMap<Socket, Connection>()
  return (socket) => {
    const found = known.get(socket)
    if (found) return found
    const opened = open(socket)
    known.set(socket, opened)
    return opened
  }
}

function open(socket: Socket): Connection {
  const underWay = new Set<() => void>()
  let isWaiting = false
  // Node 20 does not close the answers that were still queued behind another one.
  socket.once('close', () => {
    for (const leave of underWay) leave()
  })
  return {
    mayAsk: () => !isWaiting && underWay.size < limits.requestsPerConnectionMax,
    enter(onLeave) {
      const leave = () => {
        if (underWay.delete(leave)) onLeave()
      }
      underWay.add(leave)
      return leave
    },
    wait() {
      isWaiting = true
      return () => {
        isWaiting = false
      }
    },
  }
}
