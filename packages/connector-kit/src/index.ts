/** The front door: everything that a connector is written with. */
export * from './connector.ts'
export * from './currencies.ts'
export * from './money.ts'
export * from './rail.ts'
