/** Removes a rule. */
import type { Caller } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import { noRule } from './read.ts'
import * as store from './store.ts'

/** Removes a rule. What was quoted by it stays quoted, what was charged stays charged. Throws `notFound`. */
export async function removeRule(ctx: Context, caller: Caller, id: string): Promise<void> {
  if (!(await store.deleteRule(ctx.sql, caller.merchant.id, id))) throw noRule(id)
}
