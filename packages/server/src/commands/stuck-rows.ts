/** Rows that a job should have worked off long ago. Crosses merchants: it serves operators. */
import type { Sql } from '../kit/db.ts'

export type Counted = { what: string; rows: number }
/** `stuck`: overdue work. `waiting`: what only a person can decide. */
export type StuckRows = { stuck: Counted[]; waiting: Counted[] }

/** A backlog of this many is more than any job leaves behind while it runs. */
const backlogMax = 100_000

/** Counts what is overdue and what waits for a person. The margins are far above the pauses of the jobs. */
export async function findStuckRows(sql: Sql): Promise<StuckRows> {
  const overdue = await sql<Counted[]>`
    select 'sessions not expired' as what, count(*)::int as rows from checkout_sessions
      where status in ('ATTEMPT', 'ACTIVE') and expires_at < now() - interval '1 minute'
    union all select 'payments not asked about', count(*)::int from payments where next_check_at < now() - interval '5 minutes'
    union all select 'notices not applied', count(*)::int from notices where next_at < now() - interval '5 minutes'
    union all select 'webhook streams not tried', count(*)::int from webhook_queues where due_at < now() - interval '5 minutes'
    union all select 'idempotency keys not pruned', count(*)::int from idempotency_keys where created_at < now() - interval '26 hours'`
  const backlogs = await sql<Counted[]>`
    select 'balance changes not folded' as what, count(*)::int as rows from (select from balance_deltas limit ${backlogMax + 1}) as d
    union all select 'events without a position', count(*)::int from (select from event_outbox limit ${backlogMax + 1}) as o`
  const waiting = await sql<Counted[]>`
    select 'payments (GET /payments?attention=true)' as what, count(*)::int as rows from payments where attention is not null
    union all select 'notices', count(*)::int from notices where attention is not null
    union all select 'webhook endpoints', count(*)::int from webhook_endpoints where attention is not null and deleted_at is null`
  return {
    stuck: [...overdue.filter(({ rows }) => rows > 0), ...backlogs.filter(({ rows }) => rows > backlogMax)],
    waiting: waiting.filter(({ rows }) => rows > 0),
  }
}
