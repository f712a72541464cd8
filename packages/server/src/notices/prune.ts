/** Notices are kept as long as events are. */
import type { Context } from '../kit/context.ts'
import { deleteOldNotices } from './store.ts'

const slice = 1000
const keptForMs = 90 * 24 * 3_600_000

/** Deletes a slice of what is over 90 days old and done with. True when more may be. */
export async function pruneNotices(ctx: Context): Promise<boolean> {
  return (await deleteOldNotices(ctx.sql, new Date(ctx.clock.nowMs() - keptForMs), slice)) === slice
}
