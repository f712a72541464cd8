/** SQL of what a round of the sequencer has placed. */
import { json } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import type { EventType } from '../vocabulary/events.ts'

/** What a round put into a merchant's log: `count` events, the last of them at `position`. */
export type Placed = { merchantId: number; count: number; position: bigint }

/** An event as the log knows it, without its object. */
export type EventHead = { merchantId: number; streamId: string; sequence: number; type: EventType; createdAt: Date }

/** The events that a round put into the logs of these merchants, log by log in their order. */
export async function readPlaced(sql: Executor, placed: readonly Placed[]): Promise<EventHead[]> {
  const ranges = placed.map(({ merchantId, count, position }) => ({
    merchant_id: merchantId,
    after: (position - BigInt(count)).toString(),
    until: position.toString(),
  }))
  return sql<EventHead[]>`
    select l.merchant_id, l.stream_id, l.sequence, l.type, l.created_at
    from json_to_recordset(${json(ranges)}::json) as r (merchant_id int, after bigint, until bigint)
    join event_log l on l.merchant_id = r.merchant_id and l.position > r.after and l.position <= r.until
    order by l.merchant_id, l.position`
}
