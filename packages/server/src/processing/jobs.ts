/** The poller: providers are asked about payments whose time has come. */
import type { Context } from '../kit/context.ts'
import type { Job } from '../kit/job.ts'
import { pollPayments } from './asking/poll.ts'

export function processingJobs(ctx: Context): Job[] {
  return [{ name: 'poll payments', everyMs: 250, idleMs: 2_000, run: () => pollPayments(ctx) }]
}
