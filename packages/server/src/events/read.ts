/** Reads what happened: the merchant's log from a place on, and one range of it. */
import type { Caller } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import type { Executor } from '../kit/db.ts'
import { readCommaList } from '../kit/page.ts'
import { limits } from '../vocabulary/limits.ts'
import type { EventHead } from './find.ts'
import type { EventsQuery } from './schema.ts'
import * as store from './store.ts'

export type EventsRead = { events: store.EventRow[]; next: bigint; more: boolean }

/**
 * Events after a place, in the order of the log. `next` is the place to go on from, also where nothing matched; `more`
 * whether the log goes on.
 */
export async function readEvents(ctx: Context, caller: Caller, query: EventsQuery): Promise<EventsRead> {
  const types = readCommaList(query.types)
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

/** An event with the payment where its money was held or settled: a format looks into those. */
export type MoneyEvent = EventHead & { money: Record<string, unknown> | null }

const moneyTypes: ReadonlySet<string> = new Set(['payment.held', 'payment.settled'])

/** Adds to events the payments that formats look into. */
export async function withMoney<E extends EventHead>(sql: Executor, events: readonly E[]): Promise<(E & MoneyEvent)[]> {
  const wanted = events.filter(({ type }) => moneyTypes.has(type))
  const found = wanted.length === 0 ? [] : await store.readEventData(sql, wanted)
  const payments = new Map(found.map((row) => [`${row.streamId} ${row.sequence}`, row.data]))
  return events.map((event) => ({ ...event, money: payments.get(`${event.streamId} ${event.sequence}`) ?? null }))
}

/** What happened between two moments of the merchant's clock, oldest first, at most `most`. */
export async function readEventsBetween(
  sql: Executor,
  merchantId: number,
  range: { from: Date; to: Date; most: number },
): Promise<MoneyEvent[]> {
  return withMoney(sql, await store.readHeadsBetween(sql, merchantId, range))
}
