/** The front door: a real Postgres that runs below a folder of the project. */
export * from './binaries.ts'
export * from './cluster.ts'
export * from './embedded-postgres.ts'
export * from './identity.ts'
export * from './postmaster.ts'
export * from './private-files.ts'
