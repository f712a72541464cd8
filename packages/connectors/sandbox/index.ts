/** The front door of the sandbox: the connector, and what plays its banks. */
export * from './accounts.ts'
export * from './connector.ts'
export * from './emv.ts'
export * from './mail.ts'
export * from './notices.ts'
export * from './scenarios.ts'
export * from './twin.ts'
