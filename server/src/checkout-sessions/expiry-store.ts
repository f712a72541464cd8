/** SQL of expiry as it mostly is: sessions that are due, their events, counters and lists in one statement, without leaving the database. */

import { appendPart } from '../events/append-part.ts'
import { claim } from '../kit/claim.ts'
import type { Executor } from '../kit/db.ts'
import type { Fragment } from '../kit/statement.ts'
import { countMoves } from './counts-store.ts'
import { expirable } from './store.ts'

/** `eventIds`: one for each session that may be moved, which is how many are at most. */
export type DueWindow = { now: Date; merchantId: number | null; from: Date; eventIds: readonly string[] }

/** `due` were found and `moved` of them expired; `lastAt` is when the latest of those that were found was due. */
export type Expired = { due: number; moved: number; lastAt: Date | null }

/**
 * Expires sessions whose time was over between `from` and `now`, the longest due first. What their events say is the text of
 * the last event of the session itself, with what expiry changes put in its place: nothing of a session changes without an
 * event, and to parse it was a fifth of the work. In that text `status`, `redirectUrl` and `destinations` stand before everything whose
 * keys a merchant chooses, and strings hold no quote that is not escaped, so the first place that reads like them is theirs;
 * `updatedAt` is the end (`toSnapshot`). Left out are those whose events are forgotten or read differently.
 */
export async function expireWithSnapshots(
  sql: Executor,
  { now, merchantId, from, eventIds }: DueWindow,
): Promise<Expired> {
  const end = (updatedAt: string) => `,"updatedAt":"${updatedAt}"}`
  const anyEnd = end('____-__-__T__:__:__.___Z')
  // Bytes, because places in text are counted letter by letter.
  const bytes = (text: Fragment) => sql`convert_to(${text}, 'UTF8')`
  const redirectAnd = (url: Fragment) =>
    bytes(sql`coalesce('"redirectUrl":' || to_json(${url})::text || ',', '') || '"destinations":['`)
  const columns = sql`
    merchant_id, id, status, event_sequence, expires_at, ${bytes(sql`'"status":"' || status || '"'`)} as status_told,
    ${redirectAnd(sql`success_url`)} as redirect_told, ${redirectAnd(sql`failed_url`)} as redirect_now`
  const [row] = await sql<Expired[]>`
    with ${claim(sql, expirable(sql, from, columns), { now, merchantId, most: eventIds.length })}, told_last as materialized (
      select d.merchant_id, d.id, d.status, d.event_sequence, row_number() over (order by d.expires_at, d.merchant_id, d.id) as n,
        overlay(
          overlay(
            substr(e.told, 1, length(e.told) - ${anyEnd.length}::int) || ${bytes(sql`${end(now.toISOString())}::text`)}
            placing d.redirect_now from position(d.redirect_told in e.told) for length(d.redirect_told))
          placing ${bytes(sql`'"status":"EXPIRED"'`)} from position(d.status_told in e.told) for length(d.status_told)
        ) as told
      from due d cross join lateral (
        select ${bytes(sql`data::text`)} as told from events
        where merchant_id = d.merchant_id and stream_id = d.id and type like 'checkout_session.%'
        order by sequence desc limit 1
      ) e
      where position(d.status_told in e.told) > 0 and position(d.redirect_told in e.told) > 0
        and substr(e.told, length(e.told) - ${anyEnd.length - 1}::int) like ${bytes(sql`${anyEnd}::text`)}
    ), expired as (
      update checkout_sessions s set status = 'EXPIRED', event_sequence = s.event_sequence + 1, updated_at = ${now}
      from told_last t
      where s.merchant_id = t.merchant_id and s.id = t.id
      returning s.merchant_id, s.id, s.created_day, s.owner_identity_id, s.status,
        t.status as status_before, s.event_sequence, t.told, t.n
    ), ${countMoves(sql, 'expired')}, ${appendPart(
      sql,
      sql`
      select x.merchant_id, x.id, x.event_sequence, i.id, 'checkout_session.expired', convert_from(x.told, 'UTF8')::json, ${now}::timestamptz
      from expired x join unnest(${eventIds as string[]}::text[]) with ordinality as i (id, n) on i.n = x.n`,
    )}
    select (select count(*) from due)::int as due, (select count(*) from expired)::int as moved,
      (select max(expires_at) from due) as last_at`
  return row ?? { due: 0, moved: 0, lastAt: null }
}
