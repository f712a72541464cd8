/** What a merchant wants done with money that nothing waits for (design section 8 rule 1): read and set. */
import type { Caller } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import { transaction } from '../kit/db.ts'
import { Faults } from '../kit/problem.ts'
import { railTypes } from '../rails/index.ts'
import { findPolicies, type LateMoneyPolicies, replaceRailPolicies, updateDefaultPolicy } from './store.ts'

/** The policies as they are: the merchant's own, and those of rails that differ from it. */
export function readPolicies(ctx: Context, caller: Caller): Promise<LateMoneyPolicies> {
  return findPolicies(ctx.sql, caller.merchant.id, 'as it is')
}

/** Sets all policies at once; money that comes from now on follows them. Throws `invalidParam` for a rail twice or unknown. */
export function setPolicies(ctx: Context, caller: Caller, wanted: LateMoneyPolicies): Promise<LateMoneyPolicies> {
  const faults = new Faults()
  for (const [index, { rail }] of wanted.rails.entries()) {
    if (!railTypes.includes(rail)) faults.add(`/rails/${index}/rail`, 'is not a known payment method')
    if (wanted.rails.findIndex((other) => other.rail === rail) < index)
      faults.add(`/rails/${index}/rail`, 'is given twice')
  }
  faults.throwIfAny()
  const merchantId = caller.merchant.id
  return transaction(ctx.sql, async (sql) => {
    await findPolicies(sql, merchantId, 'locked')
    await updateDefaultPolicy(sql, merchantId, wanted.default)
    await replaceRailPolicies(sql, merchantId, wanted.rails)
    return findPolicies(sql, merchantId, 'as it is')
  })
}
