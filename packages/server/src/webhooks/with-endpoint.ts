/** Work on one endpoint that nobody else changes meanwhile. */
import type { Context } from '../kit/context.ts'
import { type Executor, isConflict, transaction } from '../kit/db.ts'
import { problem } from '../kit/problem.ts'
import type { Endpoint } from './endpoint.ts'
import { lockEndpointById } from './store.ts'

const attemptsMax = 4

/**
 * Locks an endpoint (`update` to change it, `share` to act on what it says) and works in one transaction; `now` is real time.
 * Again, when the sequencer or a sender had rows locked the other way round. Throws `notFound`.
 */
export async function withEndpoint<T>(
  ctx: Context,
  { merchantId, id, how }: { merchantId: number; id: string; how: 'update' | 'share' },
  work: (sql: Executor, endpoint: Endpoint, now: Date) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction(ctx.sql, async (sql) => {
        const endpoint = await lockEndpointById(sql, merchantId, id, how)
        if (!endpoint) throw problem('notFound', 'There is no such webhook endpoint.')
        return work(sql, endpoint, new Date(ctx.clock.nowMs()))
      })
    } catch (error) {
      if (!isConflict(error) || attempt === attemptsMax) throw error
    }
  }
}
