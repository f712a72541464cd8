/** Reading sessions, for those who act on them. */
import { batcher, perPool } from '../kit/batch.ts'
import type { Sql } from '../kit/db.ts'
import { limits } from '../vocabulary/limits.ts'
import type { Session } from './session.ts'
import { findSessionsByIds, type SessionKey } from './store.ts'

export {
  findSessionById as findSession,
  findSessionByPageToken as findSessionOfPage,
  findSessionEvenDeleted,
} from './store.ts'

const readerOf = perPool((sql) =>
  batcher<SessionKey, Session | undefined>({ most: limits.readBatchMax, lanes: limits.batchLanes }, (keys) =>
    findSessionsByIds(sql, keys),
  ),
)

/** A session that was not deleted; what is asked for while another read is under way is read together. */
export function readSession(sql: Sql, merchantId: number, id: string): Promise<Session | undefined> {
  return readerOf(sql)({ merchantId, id })
}
