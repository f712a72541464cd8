/** Which rails a merchant can use: the sandbox serves them all; a live merchant has its connections. */
import type { Merchant } from '../access/caller.ts'
import type { Executor } from '../kit/db.ts'
import { listConnectedRails } from './store.ts'

/** Tells whether the merchant has a connector for a rail. */
export async function configuredRails(sql: Executor, merchant: Merchant): Promise<(rail: string) => boolean> {
  if (merchant.mode === 'sandbox') return () => true
  const rows = await listConnectedRails(sql, merchant.id)
  const served = new Set(rows.map((row) => row.rail))
  return (rail) => served.has(rail)
}
