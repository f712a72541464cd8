/** The part of a writing statement that posts entries: each with its postings and what they do to balances. */

import { json } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import { newId } from '../kit/id.ts'
import { type Fragment, raw } from '../kit/statement.ts'
import type { NewEntry } from './entry.ts'
import { effects, hasBalance } from './posting.ts'

/**
 * Parts `posted_entries`, `posted_postings` and `posted_deltas`. Only entries of sessions that part `guard` has written are
 * posted; its rows have (merchant_id, id). An entry of a kind that its source has already breaks the unique index.
 */
export function postPart(sql: Executor, entries: readonly GuardedEntry[], guard: string): Fragment {
  const rows = entries.map(toEntryRows)
  const written = raw(sql, `join ${guard} w on w.merchant_id = e.merchant_id and w.id = e.session_id`)
  return sql`
    posted_entries as (
      insert into ledger_entries (merchant_id, id, kind, source_id, created_at)
      select e.merchant_id, e.id, e.kind, e.source_id, e.created_at
      from json_to_recordset(${json(rows.map(({ entry }) => entry))}::json) as e (session_id text, merchant_id int, id text,
        kind text, source_id text, created_at timestamptz) ${written}
    ), posted_postings as (
      insert into ledger_postings (merchant_id, entry_id, number, debit_code, credit_code, currency, amount_minor)
      select e.merchant_id, e.entry_id, e.number, e.debit_code, e.credit_code, e.currency, e.amount_minor
      from json_to_recordset(${json(rows.flatMap(({ postings }) => postings))}::json) as e (session_id text, merchant_id int,
        entry_id text, number smallint, debit_code text, credit_code text, currency text, amount_minor bigint) ${written}
    ), posted_deltas as (
      insert into balance_deltas (merchant_id, code, entry_id, amount_minor)
      select e.merchant_id, e.code, e.entry_id, e.amount_minor
      from json_to_recordset(${json(rows.flatMap(({ deltas }) => deltas))}::json) as e (session_id text, merchant_id int,
        code text, entry_id text, amount_minor bigint) ${written}
    )`
}

/** An entry and the session that its statement writes. */
export type GuardedEntry = { readonly sessionId: string; readonly entry: NewEntry }

function toEntryRows({ sessionId, entry }: GuardedEntry) {
  const { merchantId, kind, sourceId, postings, now } = entry
  if (postings.length === 0) throw new RangeError(`an entry ${kind} of ${sourceId} without postings`)
  const id = newId('entry', now.getTime())
  const of = { session_id: sessionId, merchant_id: merchantId }
  return {
    entry: { ...of, id, kind, source_id: sourceId, created_at: now },
    postings: postings.map((p, index) => ({
      ...of,
      entry_id: id,
      number: index + 1,
      debit_code: p.debit,
      credit_code: p.credit,
      currency: p.currency,
      amount_minor: p.amountMinor.toString(),
    })),
    deltas: [...effects(postings)]
      .filter(([code]) => hasBalance(code))
      .map(([code, amount]) => ({ ...of, code, entry_id: id, amount_minor: amount.toString() })),
  }
}
