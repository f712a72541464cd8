/** Sessions whose time is over become EXPIRED by themselves. */
import type { Context } from '../kit/context.ts'
import type { Job } from '../kit/job.ts'
import { type ExpiryState, expireSessions } from './expire.ts'

export function sessionJobs(ctx: Context): Job[] {
  const state: ExpiryState = new Map()
  return [
    {
      name: 'expire sessions',
      everyMs: 500,
      // A long queue leaves the machine to requests: a slice of 100 every 18 ms is 5,500 a second, 10,000 in 2 s.
      leastMs: 18,
      run: () => expireSessions(ctx, state),
    },
  ]
}
