/** SQL of what an outcome writes: sessions, payments, events, ledger and keys in one statement, for any number of sessions at once. */

import { json } from '@pasarela/sql'
import { movePart } from '../../checkout-sessions/move-part.ts'
import type { Session } from '../../checkout-sessions/session.ts'
import { appendPart, eventsOf } from '../../events/append-part.ts'
import { handOut } from '../../kit/batch.ts'
import { type Executor, readPairs } from '../../kit/db.ts'
import { postPart } from '../../ledger/post-part.ts'
import type { Payment } from '../../payments/payment.ts'
import { changePart, insertPart } from '../../payments/write-part.ts'
import { keysPart, markWritten } from '../../platform/idempotency-part.ts'
import type { ChangeSet } from './changes.ts'

export type PaymentKey = { merchantId: number; paymentId: string }

/** Payments with their sessions as of one moment, without a lock, deleted sessions' too; undefined in the place of one that is not there. */
export async function readPaymentsWithSessions(
  sql: Executor,
  keys: readonly PaymentKey[],
): Promise<({ session: Session; payment: Payment } | undefined)[]> {
  const wanted = keys.map((key) => ({ merchant_id: key.merchantId, id: key.paymentId }))
  const rows = await readPairs<Session, Payment>(sql`
    select s.*, true as border, p.*
    from (select * from json_to_recordset(${json(wanted)}::json) as t (merchant_id int, id text) limit ${keys.length}) k
    join payments p on p.merchant_id = k.merchant_id and p.id = k.id
    join checkout_sessions s on s.merchant_id = p.merchant_id and s.id = p.session_id`)
  return handOut(
    keys.map((key) => `${key.merchantId} ${key.paymentId}`),
    rows.map(({ first: session, second: payment }) => [`${payment.merchantId} ${payment.id}`, { session, payment }]),
  )
}

/**
 * Writes change sets in one statement and one commit. Returns for each whether it was written: one whose session another process
 * has changed meanwhile leaves nothing, and its work is to be done again on what is there now. A broken constraint fails them
 * all: the caller then writes them one by one.
 */
export async function writeChangeSets(sql: Executor, all: readonly ChangeSet[]): Promise<boolean[]> {
  const sets = firstOfEachSession(all)
  const guard = 'moved_sessions'
  const sessions = sets.flatMap((set) => set.sessions)
  const events = sets.flatMap((set) => set.events)
  const newPayments = sets.flatMap((set) => set.newPayments)
  const payments = sets.flatMap((set) => set.payments)
  const entries = sets.flatMap((set) => set.entries)
  const keys = sets.flatMap((set) => set.keys)
  const written = await sql<{ merchantId: number; id: string }[]>`
    with ${movePart(sql, sessions, ['moves'])},
    ${insertPart(sql, newPayments, guard)},
    ${changePart(sql, payments, guard)},
    ${appendPart(sql, eventsOf(sql, events, guard))},
    ${postPart(sql, entries, guard)},
    ${keysPart(sql, keys, guard)}
    select merchant_id, id from moved_sessions`
  const moved = new Set(written.map(nameOf))
  return all.map((set) => {
    const isWritten = sets.includes(set) && set.sessions.every(({ session }) => moved.has(nameOf(session)))
    if (isWritten) markWritten(set.keys)
    return isWritten
  })
}

const nameOf = ({ merchantId, id }: { merchantId: number; id: string }) => `${merchantId} ${id}`

/** Two sets of one session were decided on the same counter: the second would find it moved, so it is not even tried. */
function firstOfEachSession(sets: readonly ChangeSet[]): ChangeSet[] {
  const seen = new Set<string>()
  return sets.filter(({ sessions }) => {
    const names = sessions.map(({ session }) => nameOf(session))
    if (names.some((name) => seen.has(name))) return false
    for (const name of names) seen.add(name)
    return true
  })
}
