/** The registry of connectors: one line per connector. */
import { rails } from '../rails/index.ts'
import type { Connector } from './connector.ts'
import { sandbox } from './sandbox/index.ts'

export const connectors: readonly Connector[] = [sandbox(rails)]

const byName: ReadonlyMap<string, Connector> = new Map(connectors.map((connector) => [connector.name, connector]))

/** The connector of that name; undefined if we have none. */
export function connectorFor(name: string): Connector | undefined {
  return byName.get(name)
}
