/** SQL of events. */
import type { Executor } from '../kit/db.ts'

/** Takes rows as `toEventRow` makes them, any number in one statement. */
export async function insertEvents(sql: Executor, rows: readonly object[]): Promise<void> {
  await sql`insert into events select * from json_populate_recordset(null::events, ${rows as never}::json)`
}
