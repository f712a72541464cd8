/** Refresh: the same token and url, more time, a fresh quote (design section 4 rule 7). */
import type { Caller, Merchant } from '../access/caller.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { type Executor, transaction } from '../kit/db.ts'
import { newId } from '../kit/id.ts'
import { problem } from '../kit/problem.ts'
import { quoteExpiry } from '../quotes/quote.ts'
import { limits } from '../vocabulary/limits.ts'
import { findSession } from './find.ts'
import { type LockedSession, lockSession } from './move.ts'
import { requote } from './requote.ts'
import { toSnapshot } from './schema.ts'
import { createdDayOf, type Session } from './session.ts'
import { findSessionByCheckoutToken, insertSessions } from './store.ts'

export type Refresher = { merchant: Merchant; by: 'merchant' | 'payer'; seed?: Uint8Array }

/** Refreshes the session that a checkout token names. Throws `notFound`, or `failedPrecondition` while it is being paid or is paid. */
export async function refreshByToken(ctx: Context, caller: Caller, checkoutToken: string): Promise<Session> {
  const named = await findSessionByCheckoutToken(ctx.sql, caller.merchant.id, checkoutToken)
  if (!named) throw problem('notFound', 'There is no session with this checkoutToken.')
  // The first run of the same Idempotency-Key made it and broke off: its answer is due, not a second refresh.
  const { seed, resumed } = caller
  if (seed && resumed && named.id === newId('checkoutSession', 0, seed)) return named
  return refreshSession(ctx, { ...caller, by: 'merchant' }, named.id)
}

/**
 * Refreshes a session. ATTEMPT or ACTIVE: the same one, with a fresh quote and its whole duration again. EXPIRED or FAILED:
 * a successor with a new id in the same chain. The merchant may do so without bound, the payer within limits.
 */
export async function refreshSession(ctx: Context, refresher: Refresher, sessionId: string): Promise<Session> {
  const known = await findSession(ctx.sql, refresher.merchant.id, sessionId)
  if (!known) throw problem('notFound', 'There is no such session.')
  if (known.successorId) return successorOf(ctx.sql, known)
  refuseBusy(known)
  // What is sold never changes, so it is quoted before the row is locked: who holds a lock must not wait for the pool.
  const quote = await requote(ctx, refresher.merchant, known, nowFor(ctx, refresher.merchant))
  return transaction(ctx.sql, async (sql) => {
    const locked = await lockSession(sql, refresher.merchant.id, sessionId, nowFor(ctx, refresher.merchant))
    if (!locked || locked.row.deletedAt) throw problem('notFound', 'There is no such session.')
    const { row, now } = locked
    if (row.successorId) return successorOf(sql, row)
    refuseBusy(row)
    if (refresher.by === 'payer') refuseTooMany(refresher.merchant, row, now)
    const total = { minor: row.totalMinor, currency: row.currency }
    const fresh = {
      quote,
      quoteExpiresAt: quoteExpiry(quote, total, refresher.merchant.quoteTtlSeconds),
      expiresAt: new Date(now.getTime() + row.durationSeconds * 1000),
      payerRefreshes: row.payerRefreshes + (refresher.by === 'payer' ? 1 : 0),
    }
    if (row.status === 'EXPIRED' || row.status === 'FAILED') return succeed(sql, locked, fresh, refresher)
    Object.assign(row, fresh)
    locked.tell('checkout_session.refreshed')
    await locked.save()
    return row
  })
}

/** A twin was faster: its successor is the answer. */
async function successorOf(sql: Executor, row: Session): Promise<Session> {
  const successor = row.successorId ? await findSession(sql, row.merchantId, row.successorId) : undefined
  if (!successor) throw problem('notFound', 'There is no such session.')
  return successor
}

function refuseBusy({ status }: Session): void {
  if (status !== 'PROCESSING_PAYMENT' && status !== 'FINISHED') return
  throw problem('failedPrecondition', `The session is ${status}; it cannot be refreshed.`)
}

/** Whether the payer may still refresh this session: within a day of its end, a few times per chain, if the merchant lets payers. */
export function mayPayerRefresh(merchant: Merchant, row: Session, now: Date): boolean {
  const tooLate = now.getTime() > row.expiresAt.getTime() + limits.payerRefreshWindowMs
  return merchant.payerRefresh && !tooLate && row.payerRefreshes < limits.payerRefreshesPerChain
}

function refuseTooMany(merchant: Merchant, row: Session, now: Date): void {
  if (mayPayerRefresh(merchant, row, now)) return
  throw problem('failedPrecondition', 'This checkout cannot be renewed any more; ask the merchant for a new one.')
}

type Fresh = Pick<Session, 'quote' | 'quoteExpiresAt' | 'expiresAt' | 'payerRefreshes'>

async function succeed(
  sql: Executor,
  old: LockedSession,
  fresh: Fresh,
  { merchant, seed }: Refresher,
): Promise<Session> {
  const { now } = old
  const id = newId('checkoutSession', now.getTime(), seed)
  const successor: Session = {
    ...old.row,
    ...fresh,
    id,
    status: 'ATTEMPT',
    eventSequence: 1,
    lastEventAt: null,
    createdAt: now,
    createdDay: createdDayOf(id, merchant.timeZone),
    updatedAt: now,
  }
  old.row.successorId = successor.id
  old.tell('checkout_session.refreshed')
  // The old row gives up its token before the new one takes it: both stand in one unique index.
  await old.save()
  const { merchantId } = successor
  const event = {
    merchantId,
    streamId: id,
    sequence: 1,
    type: 'checkout_session.created' as const,
    data: toSnapshot(successor),
    at: now,
  }
  const kept = await insertSessions(sql, [{ session: successor, event, keys: [] }])
  if (!kept.has(id)) throw new Error(`the successor ${id} of session ${old.row.id} could not be inserted`)
  return successor
}
