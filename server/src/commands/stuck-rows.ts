/** Rows that a job should have worked off long ago. Crosses merchants: it serves operators. */
import type { Sql } from '../kit/db.ts'

export type StuckRows = { stuck: { what: string; rows: number }[]; attention: number }

/** What is overdue, and how many payments wait for a person. The margins are far above the pauses of the jobs. */
export async function findStuckRows(sql: Sql): Promise<StuckRows> {
  const [row] = await sql<{ sessions: number; payments: number; keys: number; deltas: number; attention: number }[]>`
    select
      (select count(*)::int from checkout_sessions
        where status in ('ATTEMPT', 'ACTIVE') and expires_at < now() - interval '1 minute') as sessions,
      (select count(*)::int from payments where next_check_at < now() - interval '5 minutes') as payments,
      (select count(*)::int from idempotency_keys where created_at < now() - interval '26 hours') as keys,
      (select count(*)::int from (select from balance_deltas limit 100001) as d) as deltas,
      (select count(*)::int from payments where attention is not null) as attention`
  const counts = {
    'sessions not expired': row?.sessions ?? 0,
    'payments not asked about': row?.payments ?? 0,
    'idempotency keys not pruned': row?.keys ?? 0,
    'balance changes not folded': (row?.deltas ?? 0) > 100_000 ? (row?.deltas ?? 0) : 0,
  }
  const stuck = Object.entries(counts).map(([what, rows]) => ({ what, rows }))
  return { stuck: stuck.filter(({ rows }) => rows > 0), attention: row?.attention ?? 0 }
}
