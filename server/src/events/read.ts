/** Reads what happened: the merchant's log from a place on, and one range of it. */
import type { Caller } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import type { Executor } from '../kit/db.ts'
import { readCommaList } from '../kit/page.ts'
import { Faults } from '../kit/problem.ts'
import { limits } from '../vocabulary/limits.ts'
import { isEventWish } from './match.ts'
import type { EventsQuery } from './schema.ts'
import * as store from './store.ts'

export type EventsRead = { events: store.EventRow[]; next: bigint; more: boolean }

/**
 * Events after a place, in the order of the log. `next` is the place to go on from, also where nothing matched; `more`
 * whether the log goes on. Throws `invalidParam` for a type that there is not.
 */
export async function readEvents(ctx: Context, caller: Caller, query: EventsQuery): Promise<EventsRead> {
  const types = readCommaList(query.types)
  const faults = new Faults()
  for (const type of types ?? []) if (!isEventWish(type)) faults.add('/query/types', `"${type}" is no type of event`)
  faults.throwIfAny()
  const limit = query.limit ?? limits.pageSizeDefault
  const { events, scanned, lookedAt } = await store.readEvents(ctx.sql, caller.merchant.id, {
    after: BigInt(query.after ?? '0'),
    limit,
    types,
    stream: query.stream,
    scan: limits.eventScanMax,
  })
  const full = events.length === limit
  const last = events.at(-1)?.position
  const next = full && last !== undefined ? last : scanned
  return { events, next, more: next < scanned || lookedAt === limits.eventScanMax }
}

/** What happened between two moments of the merchant's clock, oldest first, at most `most`. */
export function readEventsBetween(
  sql: Executor,
  merchantId: number,
  range: { from: Date; to: Date; most: number },
): Promise<store.EventHead[]> {
  return store.readHeadsBetween(sql, merchantId, range)
}

export type { EventHead } from './store.ts'
