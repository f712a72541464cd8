/** The parts of a writing statement that insert payments and change them. */

import { json } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import { type Fragment, raw } from '../kit/statement.ts'
import { paymentColumns } from './columns.ts'
import type { Payment } from './payment.ts'

/** Part `inserted_payments`: new payments of sessions that part `guard` has written; its rows have (merchant_id, id). */
export function insertPart(sql: Executor, payments: readonly Payment[], guard: string): Fragment {
  const { names, record, toRow } = paymentColumns
  return sql`
    inserted_payments as (
      insert into payments (${raw(sql, names())})
      select ${raw(sql, names('p'))}
      from json_to_recordset(${json(payments.map(toRow))}::json) as p (${raw(sql, record)})
      join ${raw(sql, guard)} w on w.merchant_id = p.merchant_id and w.id = p.session_id
    )`
}

const changing = paymentColumns.only('moves', 'learned')

/** Part `changed_payments`: what may change of payments whose sessions part `guard` has written. */
export function changePart(sql: Executor, payments: readonly Payment[], guard: string): Fragment {
  return sql`
    changed_payments as (
      update payments t set leased_until = null, ${raw(sql, changing.set('t', 'p'))}
      from (
        select * from json_to_recordset(${json(payments.map(changing.toRow))}::json) as r (${raw(sql, changing.record)})
        limit ${payments.length}
      ) p
      where t.merchant_id = p.merchant_id and t.id = p.id
        and exists (select from ${raw(sql, guard)} w where w.merchant_id = t.merchant_id and w.id = t.session_id)
    )`
}
