/** Opens the connections of a pool: encrypted as the URL says, set up, checked, and each with a session of its own. */

import { addressOf } from './address.ts'
import { checkConnection, type SessionOptions } from './check.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import type { DatabaseAddress } from './database-url.ts'
import { ConnectionError } from './errors.ts'
import { trackSessions } from './pooler.ts'

type Options = SessionOptions & { applicationName: string; onNotice?: (message: string) => void }
/** Opens a connection; `onLost` is called when it is gone, perhaps more than once. */
export type Open = (onLost: (connection: Connection) => void) => Promise<Connection>

export function connector(database: DatabaseAddress, options: Options): Open {
  const common = {
    applicationName: options.applicationName,
    connectTimeoutMs: database.connectTimeoutMs ?? 10_000,
    onNotice: options.onNotice ?? (() => undefined),
  }
  const sessions = trackSessions(() => connect(database, { ...common, onLost: () => undefined }))
  return async (onLost) => {
    const connection = await connect(database, {
      ...common,
      onLost: (lost) => {
        sessions.forget(lost)
        onLost(lost)
      },
    })
    // A pooler may let us in at once and keep us waiting for a session.
    const timer = setTimeout(() => connection.destroy(), common.connectTimeoutMs)
    try {
      await sessions.admit(connection, await checkConnection(connection, options))
      return connection
    } catch (error) {
      connection.destroy()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Where encryption is optional and the server has none, the connection is made in the clear. */
async function connect(database: DatabaseAddress, options: Omit<ConnectionOptions, 'address'>): Promise<Connection> {
  const address = addressOf(database)
  try {
    return await Connection.open({ ...options, address })
  } catch (error) {
    const isRefused = error instanceof ConnectionError && error.code === 'TLS_REFUSED'
    if (!database.tls?.isOptional || !isRefused) throw error
    return Connection.open({ ...options, address: { ...address, ssl: false } })
  }
}
