/** The sandbox's banks send what they have to say. */
import type { Context } from '../kit/context.ts'
import type { Job } from '../kit/job.ts'
import { sendNotices } from './send-notices.ts'

export function sandboxJobs(ctx: Context): Job[] {
  return [{ name: 'send sandbox notices', everyMs: 250, idleMs: 2_000, run: () => sendNotices(ctx) }]
}
