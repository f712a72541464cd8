/** The front door: the port to Postgres. */
export * from './database-tls.ts'
export * from './database-url.ts'
export * from './sql.ts'
