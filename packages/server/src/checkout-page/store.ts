/** SQL of the hosted pages: the one question that open pages ask over and over. */

import { ints, texts } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'

export type PageVersion = { merchantId: number; pageToken: string; version: string }

/**
 * How the sessions behind these pages are now, all in one statement. A version changes with every event of the session. A page
 * that does not exist, or whose session is deleted, has no row.
 */
export async function readPageVersions(
  sql: Executor,
  merchantIds: readonly number[],
  pageTokens: readonly string[],
): Promise<PageVersion[]> {
  return sql<PageVersion[]>`
    select s.merchant_id, s.page_token, s.id || '.' || s.event_sequence as version
    from unnest(${ints(merchantIds)}::int[], ${texts(pageTokens)}::text[]) as open (merchant_id, page_token)
    join checkout_sessions s on s.merchant_id = open.merchant_id and s.page_token = open.page_token and s.successor_id is null
      and s.deleted_at is null`
}
