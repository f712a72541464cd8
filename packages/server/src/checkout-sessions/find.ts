/** Reading sessions, for those who act on them. */
import { batcher, perPool } from '../kit/batch.ts'
import type { Executor, Sql } from '../kit/db.ts'
import { limits } from '../vocabulary/limits.ts'
import type { Session } from './session.ts'
import { findSessionsByIds, type SessionKey } from './store.ts'

const readerOf = perPool((sql) =>
  batcher<SessionKey, Session | undefined>({ most: limits.readBatchMax, lanes: limits.batchLanes }, (keys) =>
    findSessionsByIds(sql, keys),
  ),
)

/** A session that was not deleted; what is asked for while another read is under way is read together. */
export function readSession(sql: Sql, merchantId: number, id: string): Promise<Session | undefined> {
  return readerOf(sql)({ merchantId, id })
}

/** A session that was not deleted. */
export async function findSession(sql: Executor, merchantId: number, id: string): Promise<Session | undefined> {
  const row = await findSessionEvenDeleted(sql, merchantId, id)
  return row?.deletedAt === null ? row : undefined
}

/** A session whether deleted or not: its payments live on. */
export async function findSessionEvenDeleted(
  sql: Executor,
  merchantId: number,
  id: string,
): Promise<Session | undefined> {
  const [row] = await sql<Session[]>`select * from checkout_sessions where merchant_id = ${merchantId} and id = ${id}`
  return row
}

/** The newest session of the chain that this secret page token opens. */
export async function findSessionOfPage(
  sql: Executor,
  merchantId: number,
  pageToken: string,
): Promise<Session | undefined> {
  const [row] = await sql<Session[]>`
    select * from checkout_sessions
    where merchant_id = ${merchantId} and page_token = ${pageToken} and successor_id is null`
  return row
}
