/** Sessions whose time is over become EXPIRED by themselves. */
import type { Context } from '../kit/context.ts'
import type { Job } from '../kit/job.ts'
import { expireSessions } from './expire.ts'

export function sessionJobs(ctx: Context): Job[] {
  return [{ name: 'expire sessions', everyMs: 500, run: () => expireSessions(ctx) }]
}
