/** Notices are applied as they come in, and forgotten when they are old. */
import type { Context } from '../kit/context.ts'
import type { Job } from '../kit/job.ts'
import { processNotices } from './process.ts'
import { pruneNotices } from './prune.ts'

export function noticeJobs(ctx: Context): Job[] {
  return [
    { name: 'apply notices', everyMs: 250, idleMs: 5_000, run: () => processNotices(ctx) },
    { name: 'prune notices', everyMs: 3_600_000, run: () => pruneNotices(ctx) },
  ]
}
