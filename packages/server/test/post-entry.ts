/** Posts a ledger entry by itself: in the product an entry is always part of the statement that writes its payment. */
import type { Executor } from '../src/kit/db.ts'
import type { NewEntry } from '../src/ledger/entry.ts'
import { postPart } from '../src/ledger/post-part.ts'

/** Posts one entry. Rejects with a broken unique index when its source has one of this kind. */
export async function postEntry(sql: Executor, entry: NewEntry): Promise<void> {
  const guarded = { sessionId: entry.sourceId, entry }
  await sql`
    with written as (
      select ${entry.merchantId}::int as merchant_id, ${entry.sourceId}::text as id
    ), ${postPart(sql, [guarded], 'written')}
    select from written`
}
