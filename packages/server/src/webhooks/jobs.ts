/**
 * The jobs of what goes out. They look often while anything happens: from commit to first try is to take less than 250 ms, also in
 * another process. While nothing happens, only tries that are due again wait for them.
 */
import { newSequencerState } from '../events/sequence.ts'
import type { Context } from '../kit/context.ts'
import type { Job } from '../kit/job.ts'
import { openOutbound } from '../kit/outbound.ts'
import { limits } from '../vocabulary/limits.ts'
import { deliverRound, endSender, newSender } from './deliver.ts'
import { dispatchEvents } from './dispatch.ts'
import { forgetOld } from './forget.ts'

const everyMs = 25

export function webhookJobs(ctx: Context, timeoutMs: number = limits.webhookTimeoutMs): Job[] {
  const sequencer = newSequencerState()
  const sender = newSender(ctx, openOutbound({ timeoutMs, answerBytes: limits.webhookAnswerBytes }))
  return [
    { name: 'sequence events', everyMs, idleMs: 5_000, run: () => dispatchEvents(ctx, sequencer) },
    { name: 'deliver webhooks', everyMs, idleMs: 2_000, run: () => deliverRound(sender), end: () => endSender(sender) },
    { name: 'forget old events', everyMs: 60_000, run: () => forgetOld(ctx) },
  ]
}
