/** Changes an account: its name, its reference, or whether it may be paid into. */
import type { Caller } from '../access/caller.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { problem } from '../kit/problem.ts'
import { withBalance } from './read.ts'
import type { AccountWithBalance, ChangeAccount } from './schema.ts'
import * as store from './store.ts'

/** Changes what is given and leaves the rest. Sessions that have a now BLOCKED account among their destinations may still be paid. Throws `notFound`. */
export async function changeAccount(
  ctx: Context,
  caller: Caller,
  id: string,
  input: ChangeAccount,
): Promise<AccountWithBalance> {
  const change = { ...input, merchantId: caller.merchant.id, id, updatedAt: nowFor(ctx, caller.merchant) }
  const account = await store.updateAccount(ctx.sql, change)
  if (!account) throw problem('notFound', `There is no account ${id}.`)
  return withBalance(ctx.sql, account)
}
