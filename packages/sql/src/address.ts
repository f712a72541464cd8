/** How the driver reaches what a database URL names. */

import type { Address } from './connection.ts'
import { tlsOptions } from './database-tls.ts'
import type { DatabaseAddress } from './database-url.ts'

export function addressOf(database: DatabaseAddress): Address {
  const { host, port, user, password, tls, keepAliveDelayMs, startupOptions } = database
  return {
    host,
    port,
    user,
    password,
    database: database.database,
    ssl: tlsOptions(host, tls) ?? false,
    keepAlive: keepAliveDelayMs > 0,
    keepAliveInitialDelayMillis: keepAliveDelayMs,
    options: startupOptions,
  }
}
