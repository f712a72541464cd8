/** Which connector moves a merchant's money on a rail. */

import type { Rail } from '@pasarela/connector-kit'
import type { Merchant } from '../access/caller.ts'
import { problem } from '../kit/problem.ts'

/** The sandbox for sandbox merchants. A live merchant needs a connection; there is no live connector yet. */
export function connectorNameFor(merchant: Merchant, rail: Rail): string {
  if (merchant.mode === 'sandbox') return 'sandbox'
  throw problem('failedPrecondition', `${rail.name} has no connection configured for this live merchant.`)
}
