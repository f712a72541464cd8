/** Which rails a merchant can use: the sandbox serves them all; a live merchant has its connections. */
import type { Merchant } from '../access/caller.ts'
import type { Executor } from '../kit/db.ts'

/** Tells whether the merchant has a connector for a rail. */
export async function configuredRails(sql: Executor, merchant: Merchant): Promise<(rail: string) => boolean> {
  if (merchant.mode === 'sandbox') return () => true
  const rows = await sql<{ rail: string }[]>`
    select distinct unnest(rails) as rail from connections where merchant_id = ${merchant.id} and disabled_at is null`
  const served = new Set(rows.map((row) => row.rail))
  return (rail) => served.has(rail)
}
