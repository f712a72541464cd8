/** SQL of the ledger. */

import { texts } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import type { LedgerFault } from './fault.ts'

/** Totals and the deltas not yet folded into them, in one statement: one snapshot, so that nothing counts twice or not at all. */
export async function sumBalancesByCodes(
  sql: Executor,
  merchantId: number,
  codes: readonly string[],
): Promise<{ code: string; amountMinor: bigint }[]> {
  return sql<{ code: string; amountMinor: bigint }[]>`
    select code, sum(amount_minor)::bigint as amount_minor from (
      select code, amount_minor from balance_totals where merchant_id = ${merchantId} and code = any (${texts(codes)}::text[])
      union all
      select code, amount_minor from balance_deltas where merchant_id = ${merchantId} and code = any (${texts(codes)}::text[])
    ) as kept
    group by code`
}

/**
 * Folds up to `most` deltas into totals and returns how many. What DELETE returns is exactly what this statement took away,
 * whatever commits meanwhile: a mark by id or time would lose what commits out of order. Crosses merchants: it is a job.
 * Totals are written in the order of their key, so that two rounds at once wait for each other instead of dying.
 */
export async function foldDeltas(sql: Executor, most: number): Promise<number> {
  const [done] = await sql<{ folded: number }[]>`
    with next as materialized (
      select merchant_id, code, entry_id from balance_deltas order by merchant_id, code, entry_id limit ${most}
    ), taken as (
      delete from balance_deltas d using next n
      where d.merchant_id = n.merchant_id and d.code = n.code and d.entry_id = n.entry_id
      returning d.merchant_id, d.code, d.amount_minor
    ), summed as (
      select merchant_id, code, sum(amount_minor)::bigint as amount_minor from taken group by merchant_id, code
    ), folded as (
      insert into balance_totals as t (merchant_id, code, amount_minor)
      select merchant_id, code, amount_minor from summed order by merchant_id, code
      on conflict (merchant_id, code) do update set amount_minor = t.amount_minor + excluded.amount_minor
    )
    select count(*)::int as folded from taken`
  return done?.folded ?? 0
}

/** Every posting twice: as a debit and as a credit. */
const sides = (sql: Executor) => sql`
  select merchant_id, debit_code as code, currency, -amount_minor as amount_minor from ledger_postings
  union all
  select merchant_id, credit_code, currency, amount_minor from ledger_postings`

/** Codes whose totals and deltas differ from their postings. Reads the whole ledger: for `doctor` and for tests. */
export async function findWrongBalances(sql: Executor): Promise<LedgerFault[]> {
  return sql<LedgerFault[]>`
    with posted as (
      select merchant_id, code, sum(amount_minor) as amount from (${sides(sql)}) as s
      where code like 'pending:%' or code like 'available:%' group by merchant_id, code
    ), kept as (
      select merchant_id, code, sum(amount_minor) as amount from (
        select merchant_id, code, amount_minor from balance_totals
        union all
        select merchant_id, code, amount_minor from balance_deltas
      ) as k group by merchant_id, code
    )
    select merchant_id, code as subject,
      'postings say ' || coalesce(posted.amount, 0) || ', balances say ' || coalesce(kept.amount, 0) as fault
    from posted full join kept using (merchant_id, code)
    where coalesce(posted.amount, 0) <> coalesce(kept.amount, 0)
    order by merchant_id, code`
}

/** Currencies whose debits and credits differ, accounts below zero, entries without postings and postings without an entry. */
export async function findUnbalanced(sql: Executor): Promise<LedgerFault[]> {
  return sql<LedgerFault[]>`
    select merchant_id, currency as subject, 'debits and credits differ by ' || sum(amount_minor) as fault
    from (${sides(sql)}) as s group by merchant_id, currency having sum(amount_minor) <> 0
    union all
    select merchant_id, code, 'is below zero: ' || sum(amount_minor)
    from (${sides(sql)}) as s where code like 'pending:%' or code like 'available:%' or code like 'held:%' or code like 'refunding:%'
    group by merchant_id, code having sum(amount_minor) < 0
    union all
    select merchant_id, id, 'is an entry without postings' from ledger_entries e
    where not exists (select from ledger_postings p where p.merchant_id = e.merchant_id and p.entry_id = e.id)
    union all
    select merchant_id, entry_id, 'has a posting and is no entry' from ledger_postings p
    where not exists (select from ledger_entries e where e.merchant_id = p.merchant_id and e.id = p.entry_id)`
}
