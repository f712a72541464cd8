/** Poolers in front of Postgres. One that hands each transaction to another session loses what sessions are set to. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from './connection.ts'
import { OperatorError } from './operator-error.ts'

/** A pooler that answers no second connection for so long gives each session to one connection alone. */
const patienceMs = 2_000

export type Sessions = {
  /** Throws an OperatorError where the connection's session serves others too. `process` is the one that answered it. */
  admit(connection: Connection, process: number): Promise<void>
  forget(connection: Connection): void
}

/** The sessions of a pool's live connections. `openAnother` opens one more, which is not set up. */
export function trackSessions(openAnother: () => Promise<Connection>): Sessions {
  const processes = new Map<Connection, number>()
  return {
    async admit(connection, process) {
      // Without a pooler, the process that answers is the one that let us in.
      const isPooled = process !== connection.serverProcess
      const isFirst = processes.size === 0
      if ([...processes.values()].includes(process)) throw shared()
      processes.set(connection, process)
      if (!isPooled || !isFirst || !(await isShared(connection, process, openAnother))) return
      processes.delete(connection)
      throw shared()
    },
    forget: (connection) => void processes.delete(connection),
  }
}

async function isShared(connection: Connection, process: number, openAnother: () => Promise<Connection>) {
  if ((await processOf(connection)) !== process) return true
  const other = await openAnother()
  try {
    const answer = await Promise.race([processOf(other), sleep(patienceMs)])
    return answer === process
  } finally {
    other.destroy()
  }
}

async function processOf(connection: Connection): Promise<number> {
  const { rows } = await connection.command('select pg_backend_pid() as process')
  const [row] = rows as { process: number }[]
  return row?.process ?? 0
}

const shared = () =>
  new OperatorError(
    'The pooler in front of the database shares its sessions between transactions (transaction mode), which loses the role and ' +
      'the settings of a session. Give Pasarela the direct address, or a pooler in session mode.',
  )
