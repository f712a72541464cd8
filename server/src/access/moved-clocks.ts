/** Which merchants live in another time: jobs visit them apart, because "due" is a matter of their clock. */
import type { Executor } from '../kit/db.ts'
import { listMovedClocks } from './store.ts'

/** The sandbox merchants whose test clock was moved. Crosses merchants: it serves jobs. */
export async function merchantsWithMovedClocks(sql: Executor): Promise<{ merchantId: number; offsetMs: number }[]> {
  const rows = await listMovedClocks(sql)
  return rows.map((row) => ({ merchantId: row.id, offsetMs: Number(row.clockOffsetMs) }))
}
