/** THE LIST of jobs, and their loops. */
import { sessionJobs } from './checkout-sessions/jobs.ts'
import type { AppContext } from './context.ts'
import { type Job, startJobs, type Worker } from './kit/job.ts'
import { ledgerJobs } from './ledger/jobs.ts'
import { noticeJobs } from './notices/jobs.ts'
import { linkJobs } from './payment-links/jobs.ts'
import { pruneKeys } from './platform/idempotency.ts'
import { processingJobs } from './processing/jobs.ts'
import { sandboxJobs } from './sandbox/jobs.ts'
import { webhookJobs } from './webhooks/jobs.ts'

/** Every job of the product; tests run them one by one. */
export function jobsOf(ctx: AppContext): Job[] {
  return [
    {
      name: 'prune idempotency keys',
      everyMs: 60_000,
      run: async () => (await pruneKeys(ctx.sql, new Date(ctx.clock.nowMs()), 1000)) === 1000,
    },
    ...ledgerJobs(ctx),
    ...linkJobs(ctx),
    ...sessionJobs(ctx),
    ...processingJobs(ctx),
    ...sandboxJobs(ctx),
    ...noticeJobs(ctx),
    ...webhookJobs(ctx),
  ]
}

/** Starts all jobs; `stop` waits for the rounds under way. */
export function startWorker(ctx: AppContext): Worker {
  return startJobs(jobsOf(ctx), ctx)
}
