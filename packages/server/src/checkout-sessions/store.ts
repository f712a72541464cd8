/** SQL of sessions. */

import { ints, json, texts } from '@pasarela/sql'
import { appendPart, eventsOf } from '../events/append-part.ts'
import type { NewEvent } from '../events/event.ts'
import { handOut } from '../kit/batch.ts'
import { claim, type Due } from '../kit/claim.ts'
import type { Executor } from '../kit/db.ts'
import { raw } from '../kit/statement.ts'
import { type KeyWrite, keysPart, markWritten } from '../platform/idempotency-part.ts'
import { sessionColumns } from './columns.ts'
import { appendDeltas, countMoves } from './counts-part.ts'
import { type MovedSession, movePart } from './move-part.ts'
import type { Session } from './session.ts'

/** A new session with its first event, and the Idempotency-Key that it answers. */
export type NewSession = { readonly session: Session; readonly event: NewEvent; readonly keys: readonly KeyWrite[] }

/**
 * One statement for any number of new sessions with their accounts, events and keys: one round trip and one commit. Returns the
 * ids that were inserted; the others met a row with their id or token and left nothing.
 */
export async function insertSessions(sql: Executor, added: readonly NewSession[]): Promise<Set<string>> {
  const sessions = added.map(({ session }) => session)
  const accounts = sessions.flatMap((s) =>
    [...new Set(s.destinations.map((d) => d.account.accountNumber))].map((number) => ({
      merchant_id: s.merchantId,
      account_number: number,
      session_id: s.id,
    })),
  )
  const { names, record, toRow } = sessionColumns
  const events = added.map(({ event }) => event)
  const keys = added.flatMap((one) => one.keys)
  const inserted = await sql<{ id: string }[]>`
    with inserted_sessions as (
      insert into checkout_sessions (${raw(sql, names())})
      select * from json_to_recordset(${json(sessions.map(toRow))}::json) as r (${raw(sql, record)})
      on conflict do nothing
      returning merchant_id, id, created_day, owner_identity_id, status
    ), accounts as (
      insert into checkout_session_accounts (merchant_id, account_number, session_id)
      select a.merchant_id, a.account_number, a.session_id
      from json_populate_recordset(null::checkout_session_accounts, ${json(accounts)}::json) a
      join inserted_sessions i on i.merchant_id = a.merchant_id and i.id = a.session_id
      returning merchant_id, session_id, account_number
    ), ${appendDeltas(sql, sql`select *, 1 as change from inserted_sessions`, sql`table accounts`)},
    ${appendPart(sql, eventsOf(sql, events, 'inserted_sessions'))},
    ${keysPart(sql, keys, 'inserted_sessions')}
    select id from inserted_sessions`
  const ids = new Set(inserted.map((row) => row.id))
  for (const { session, keys } of added) if (ids.has(session.id)) markWritten(keys)
  return ids
}

// A look-up by id does not say `deleted_at is null`: while the table is young and unknown to the planner, that would offer it
// every index of a list, and it may take one that it has to skip through. What is deleted is left out here.

export type SessionKey = { merchantId: number; id: string }

/** Sessions that were not deleted, in one statement; undefined in the place of one that is not there. */
export async function findSessionsByIds(sql: Executor, keys: readonly SessionKey[]): Promise<(Session | undefined)[]> {
  const wanted = keys.map((key) => ({ merchant_id: key.merchantId, id: key.id }))
  const rows = await sql<Session[]>`
    select s.* from (select * from json_to_recordset(${json(wanted)}::json) as t (merchant_id int, id text) limit ${keys.length}) k
    join checkout_sessions s on s.merchant_id = k.merchant_id and s.id = k.id`
  const there = rows.filter((row) => row.deletedAt === null)
  const nameOf = ({ merchantId, id }: SessionKey) => `${merchantId} ${id}`
  return handOut(
    keys.map(nameOf),
    there.map((row) => [nameOf(row), row]),
  )
}

/** The counters of events of sessions that were not deleted; undefined in the place of one that is not there. */
export async function findSequences(sql: Executor, keys: readonly SessionKey[]): Promise<(number | undefined)[]> {
  const rows = await sql<{ g: number; eventSequence: number; isDeleted: boolean }[]>`
    select k.g::int, s.event_sequence, s.deleted_at is not null as is_deleted
    from (
      select * from unnest(${ints(keys.map((key) => key.merchantId))}::int[], ${texts(keys.map((key) => key.id))}::text[])
        with ordinality as t (merchant_id, id, g) limit ${keys.length}
    ) k
    join checkout_sessions s on s.merchant_id = k.merchant_id and s.id = k.id`
  const found: (number | undefined)[] = keys.map(() => undefined)
  for (const { g, eventSequence, isDeleted } of rows) if (!isDeleted) found[g - 1] = eventSequence
  return found
}

/** Locks a session's row until the transaction ends; deleted ones too, because money may still come for them. */
export async function lockSessionById(sql: Executor, merchantId: number, id: string): Promise<Session | undefined> {
  const [row] = await sql<Session[]>`
    select * from checkout_sessions where merchant_id = ${merchantId} and id = ${id} for update`
  return row
}

/** The newest session of the chain that this checkout token names. */
export async function findSessionByCheckoutToken(
  sql: Executor,
  merchantId: number,
  checkoutToken: string,
): Promise<Session | undefined> {
  const [row] = await sql<Session[]>`
    select * from checkout_sessions
    where merchant_id = ${merchantId} and checkout_token = ${checkoutToken} and deleted_at is null and successor_id is null`
  return row
}

/** Writes what has changed of a locked session, with its events. */
export async function saveSession(sql: Executor, moved: MovedSession, events: readonly NewEvent[]): Promise<void> {
  const rows = await sql`
    with ${movePart(sql, [moved], ['moves', 'changes'])}, ${appendPart(sql, eventsOf(sql, events, 'moved_sessions'))}
    select id from moved_sessions`
  if (rows.length !== 1) throw new Error(`session ${moved.session.id} was changed without its lock`)
}

/** Expires sessions whose time was over between `from` and `now`; returns them in the order in which they were due. */
export async function moveSessionsDue(sql: Executor, { from, ...due }: Due & { from: Date }): Promise<Session[]> {
  const waiting = {
    columns: sql`merchant_id, id, status`,
    table: sql`checkout_sessions`,
    dueAt: sql`expires_at`,
    open: sql`status in ('ATTEMPT', 'ACTIVE') and deleted_at is null and expires_at >= ${from}`,
  }
  return sql<Session[]>`
    with ${claim(sql, waiting, due)}, expired as (
      update checkout_sessions s set status = 'EXPIRED', event_sequence = s.event_sequence + 1,
        updated_at = greatest(s.updated_at, s.last_event_at, ${due.now})
      from due where s.merchant_id = due.merchant_id and s.id = due.id
      returning s.*, due.status as status_before
    ), ${countMoves(sql, 'expired')}
    select * from expired order by expires_at, merchant_id, id`
}
