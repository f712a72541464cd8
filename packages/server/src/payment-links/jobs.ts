/** Links whose duration is over become EXPIRED by themselves. */
import type { Context } from '../kit/context.ts'
import type { Job } from '../kit/job.ts'
import { expireLinks } from './expire.ts'

export function linkJobs(ctx: Context): Job[] {
  return [{ name: 'expire payment links', everyMs: 1000, idleMs: 2_000, run: () => expireLinks(ctx) }]
}
