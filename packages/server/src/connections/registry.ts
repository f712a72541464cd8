/** The registry of connectors: one line per connector. */

import type { Connector } from '@pasarela/connector-kit'
import { sandbox } from '@pasarela/connectors/sandbox'
import { rails } from '../rails/index.ts'

export const connectors: readonly Connector[] = [sandbox(rails)]

const byName: ReadonlyMap<string, Connector> = new Map(connectors.map((connector) => [connector.name, connector]))

/** The connector of that name; undefined if we have none. */
export function connectorFor(name: string): Connector | undefined {
  return byName.get(name)
}
