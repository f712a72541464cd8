/** Jobs of the ledger: folding what was appended into totals, so that reading a balance stays cheap. */
import type { Context } from '../kit/context.ts'
import type { Job } from '../kit/job.ts'
import { foldDeltas } from './store.ts'

const mostPerRound = 5000

export function ledgerJobs(ctx: Context): Job[] {
  return [
    {
      name: 'fold balances',
      everyMs: 1000,
      idleMs: 10_000,
      run: async () => (await foldDeltas(ctx.sql, mostPerRound)) === mostPerRound,
    },
  ]
}
