/** Moving the test clock of a sandbox merchant. What is remembered of the merchant is to be forgotten by the caller. */
import type { Executor } from '../kit/db.ts'
import { problem } from '../kit/problem.ts'
import { forgetMovedClocks } from './moved-clocks.ts'
import { advanceMerchantClock } from './store.ts'

/** Moves the clock by `byMs` and returns how far ahead of real time it then is. Throws `failedPrecondition` for a live merchant. */
export async function moveClock(sql: Executor, merchantId: number, byMs: number): Promise<number> {
  const offsetMs = await advanceMerchantClock(sql, merchantId, BigInt(byMs))
  if (offsetMs === undefined) throw problem('failedPrecondition', 'Only a sandbox merchant has a test clock.')
  forgetMovedClocks(sql)
  return Number(offsetMs)
}
