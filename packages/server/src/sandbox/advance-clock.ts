/** Moves the test clock of a sandbox merchant: time for its sessions, links and payments alone (design section 9). */
import { setTimeout } from 'node:timers/promises'
import type { Caller } from '../access/caller.ts'
import { findMerchant } from '../access/find.ts'
import { moveClock } from '../access/move-clock.ts'
import { expireDueSessions } from '../checkout-sessions/expire.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { problem } from '../kit/problem.ts'
import { processDue } from '../notices/process.ts'
import { expireDueLinks } from '../payment-links/expire.ts'
import { pollDue } from '../processing/asking/poll.ts'
import { limits } from '../vocabulary/limits.ts'
import { sendDue } from './send-notices.ts'
import { findNextDue } from './store.ts'

export type Advance = { seconds?: number | undefined; until?: string | undefined }

/** A merchant with more due than this gets to the end at once; the jobs do the rest. */
const stepsMax = 200
/** Rounds at one moment, so that what never ends cannot hold the request. */
const roundsMax = 50
/** How long, in real time, somebody else's work is waited for. */
const waitMs = 25
const waitsMax = 40
const yearMs = 365.25 * 24 * 3_600_000

/**
 * Moves the clock forward and stops at every moment at which something is due, in order, as if the time had passed. Returns
 * the time it then is. Throws `invalidParam` for a time that is not ahead, `failedPrecondition` at the end of time.
 */
export async function advanceClock(ctx: Context, { merchant }: Caller, wanted: Advance): Promise<Date> {
  const before = await findMerchant(ctx.sql, merchant.id)
  if (!before) throw problem('notFound', 'There is no such merchant.')
  const targetMs = targetOf(ctx, before.clockOffsetMs, wanted)
  let offsetMs = before.clockOffsetMs
  let waits = 0
  for (let step = 0; step < stepsMax; step++) {
    await runDue(ctx, merchant.id)
    const at = await findNextDue(ctx.sql, merchant.id, new Date(ctx.clock.nowMs() + targetMs))
    if (!at) break
    const byMs = Math.max(0, at.getTime() - ctx.clock.nowMs() - offsetMs)
    if (byMs === 0) {
      // Due and still there after its turn: a job of this or another process is at it.
      if (++waits > waitsMax) break
      await setTimeout(waitMs)
      continue
    }
    offsetMs = await moveClock(ctx.sql, merchant.id, byMs)
  }
  if (targetMs > offsetMs) await moveClock(ctx.sql, merchant.id, targetMs - offsetMs)
  await runDue(ctx, merchant.id)
  const after = await findMerchant(ctx.sql, merchant.id)
  return nowFor(ctx, after ?? before)
}

/** How far ahead of real time the clock is to be, in milliseconds. */
function targetOf(ctx: Context, offsetMs: number, { seconds, until }: Advance): number {
  const nowMs = ctx.clock.nowMs()
  const at = until === undefined ? '/seconds' : '/until'
  const byMs = until === undefined ? (seconds ?? 0) * 1000 : new Date(until).getTime() - nowMs - offsetMs
  const detail =
    (seconds === undefined) === (until === undefined)
      ? 'or /until is required, and not both'
      : !(byMs > 0)
        ? 'must be ahead of the clock'
        : byMs > limits.clockAdvanceSecondsMax * 1000
          ? 'must be at most 366 days ahead of the clock'
          : undefined
  if (detail) throw problem('invalidParam', `${at} ${detail}.`, { errors: [{ pointer: at, detail }] })
  if (offsetMs + byMs > limits.clockOffsetYearsMax * yearMs)
    throw problem('failedPrecondition', `The clock is ${limits.clockOffsetYearsMax} years ahead already.`)
  return offsetMs + byMs
}

/** Does all that is due for this merchant now, and what that makes due. */
async function runDue(ctx: Context, merchantId: number): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    const merchant = await findMerchant(ctx.sql, merchantId)
    if (!merchant) return
    const now = nowFor(ctx, merchant)
    const done = [
      await expireDueLinks(ctx, now, merchantId),
      await expireDueSessions(ctx, now, merchantId),
      await sendDue(ctx, now, merchantId),
      await processDue(ctx, now, merchantId),
      await pollDue(ctx, now, merchantId),
    ]
    if (done.every((count) => count === 0)) return
  }
}
