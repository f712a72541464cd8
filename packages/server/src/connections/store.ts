/** SQL of connections: a merchant's configured use of a connector. */

import { texts } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'

export type ConnectionRow = {
  merchantId: number
  id: string
  connector: string
  sealedCredentials: Uint8Array
  clockOffsetMs: bigint
}

/** Named exception to merchant isolation: the connection is what tells the merchant. */
export async function findConnectionById(sql: Executor, id: string): Promise<ConnectionRow | undefined> {
  const [row] = await sql<ConnectionRow[]>`
    select c.merchant_id, c.id, c.connector, c.sealed_credentials, m.clock_offset_ms
    from connections c join merchants m on m.id = c.merchant_id where c.id = ${id}`
  return row
}

export async function findSandboxConnection(sql: Executor, merchantId: number): Promise<ConnectionRow | undefined> {
  const [row] = await sql<ConnectionRow[]>`
    select c.merchant_id, c.id, c.connector, c.sealed_credentials, m.clock_offset_ms
    from connections c join merchants m on m.id = c.merchant_id
    where c.merchant_id = ${merchantId} and c.connector = 'sandbox'`
  return row
}

/** Inserts the sandbox connection of a merchant, unless it has one. */
export async function insertSandboxConnection(
  sql: Executor,
  row: { merchantId: number; id: string; rails: readonly string[]; sealedCredentials: Uint8Array; now: Date },
): Promise<void> {
  await sql`
    insert into connections (merchant_id, id, connector, rails, sealed_credentials, created_at)
    values (${row.merchantId}, ${row.id}, 'sandbox', ${texts(row.rails)}, ${row.sealedCredentials}, ${row.now})
    on conflict (merchant_id) where connector = 'sandbox' do nothing`
}
