/** Reading merchants, for jobs and pages that have no caller. */
import type { Executor } from '../kit/db.ts'
import type { Merchant } from './caller.ts'

export type MerchantRow = Omit<Merchant, 'clockOffsetMs'> & { clockOffsetMs: bigint }

export function toMerchant(row: MerchantRow): Merchant {
  return { ...row, clockOffsetMs: Number(row.clockOffsetMs) }
}

export async function findMerchant(sql: Executor, merchantId: number): Promise<Merchant | undefined> {
  const [row] = await sql<MerchantRow[]>`
    select id, name, mode, time_zone, quote_ttl_seconds, late_money, payer_refresh, clock_offset_ms
    from merchants where id = ${merchantId}`
  return row && toMerchant(row)
}

/** The number of a merchant as public addresses write it, in base 36; undefined where it can be no merchant's. */
export function readMerchantNumber(base36: string): number | undefined {
  const number = Number.parseInt(base36, 36)
  return number <= 2 ** 31 - 1 ? number : undefined
}
