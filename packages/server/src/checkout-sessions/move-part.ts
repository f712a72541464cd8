/** The part of a writing statement that moves sessions, with the counters and account rows that follow them. */

import { json } from '@pasarela/sql'
import type { ColumnKind } from '../kit/columns.ts'
import type { Executor } from '../kit/db.ts'
import { type Fragment, raw } from '../kit/statement.ts'
import { sessionColumns } from './columns.ts'
import { countMoves } from './counts-part.ts'
import type { Session } from './session.ts'

/** A session as it is to be written. `sequenceBefore` is its counter of events as it was read. */
export type MovedSession = { readonly session: Session; readonly sequenceBefore: number }

/**
 * Part `moved_sessions` and what `countMoves` adds. The counter of events guards each session: one that another process has
 * changed since it was read is left as it is, and is not among the rows (merchant_id, id, …) of the part. `kinds` says which columns are written.
 */
export function movePart(sql: Executor, moved: readonly MovedSession[], kinds: readonly ColumnKind[]): Fragment {
  const { record, set, toRow } = sessionColumns.only(...kinds)
  const rows = moved.map(({ session, sequenceBefore }) => ({ before: sequenceBefore, ...toRow(session) }))
  // The limit tells the planner that the rows are few, so that it always finds sessions by their keys.
  return sql`
    moved_sessions as (
      update checkout_sessions s set ${raw(sql, set('s', 'r'))}
      from (
        select * from json_to_recordset(${json(rows)}::json) as t (before int, ${raw(sql, record)}) limit ${rows.length}
      ) r
      join checkout_sessions b on b.merchant_id = r.merchant_id and b.id = r.id and b.event_sequence = r.before
      where s.merchant_id = r.merchant_id and s.id = r.id and s.event_sequence = r.before
      returning s.merchant_id, s.id, s.created_day, s.owner_identity_id,
        case when b.deleted_at is null then b.status end as status_before,
        case when s.deleted_at is null then s.status end as status
    ), ${kinds.includes('changes') ? deletedPart(sql) : sql``} ${countMoves(sql, 'moved_sessions')}`
}

/** A deleted session is found by no account. */
const deletedPart = (sql: Executor) => sql`
    accounts_gone as (
      delete from checkout_session_accounts a using moved_sessions m
      where a.merchant_id = m.merchant_id and a.session_id = m.id and m.status is null
    ),`
