/** Jobs of sessions: those whose time is over become EXPIRED, and what was counted is folded into totals. */
import type { Context } from '../kit/context.ts'
import type { Job } from '../kit/job.ts'
import { foldSessionDeltas } from './counts-store.ts'
import { type ExpiryState, expireSessions } from './expire.ts'

const deltasPerRound = 5000

export function sessionJobs(ctx: Context): Job[] {
  const state: ExpiryState = new Map()
  return [
    {
      name: 'expire sessions',
      everyMs: 500,
      idleMs: 1_500,
      // A long queue leaves the machine to requests: the busier it is, the longer a slice takes, and the longer the rest after it.
      rest: 0.75,
      run: () => expireSessions(ctx, state),
    },
    {
      name: 'fold session counts',
      everyMs: 1000,
      idleMs: 10_000,
      run: async () => (await foldSessionDeltas(ctx.sql, deltasPerRound)) === deltasPerRound,
    },
  ]
}
