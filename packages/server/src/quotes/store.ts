/** SQL of what a merchant can be paid by. */
import type { Executor } from '../kit/db.ts'

export async function listConnectedRails(sql: Executor, merchantId: number): Promise<{ rail: string }[]> {
  return sql<{ rail: string }[]>`
    select distinct unnest(rails) as rail from connections where merchant_id = ${merchantId} and disabled_at is null`
}
