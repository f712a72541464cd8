/** Makes a fee rule. */

import { isCurrency, parseDecimal } from '@pasarela/connector-kit'
import type { Caller } from '../access/caller.ts'
import { findIdentity } from '../identities/find.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { newId } from '../kit/id.ts'
import { Faults, problem } from '../kit/problem.ts'
import { railTypes } from '../rails/index.ts'
import type { FilterName, RuleFilter } from './fee.ts'
import type { CreateRule } from './schema.ts'
import * as store from './store.ts'

/**
 * Makes a rule; sessions quoted from now on are charged by it. Throws `invalidParam` naming every fault,
 * `missingParam` without a `feeRule`, `unimplemented` for other types than FEE.
 */
export async function createRule(ctx: Context, caller: Caller, input: CreateRule): Promise<store.RuleRow> {
  if (input.type !== 'FEE')
    throw problem('unimplemented', 'Rules of type ALLOWED_VALUES are not supported here; FEE is.')
  const faults = new Faults()
  if (!(await findIdentity(ctx.sql, caller.merchant.id, input.identityId))) {
    faults.add('/identityId', 'is not an identity of yours')
  }
  const rule = newRule(caller, input, nowFor(ctx, caller.merchant), faults)
  faults.throwIfAny()
  if (await store.insertRule(ctx.sql, rule)) return rule
  const known = await store.findRuleById(ctx.sql, rule.merchantId, rule.id)
  if (!known) throw problem('notFound', `The rule ${rule.id} was deleted since this request was first made.`)
  return known
}

/** The rule as it will be stored, if nothing is wrong with it. */
function newRule(caller: Caller, input: CreateRule, now: Date, faults: Faults): store.RuleRow {
  const { feeRule } = input
  const filter = input.filter ?? []
  if (!feeRule) faults.addMissing('/feeRule')
  if (input.allowedValuesRule) faults.add('/allowedValuesRule', 'is not for rules of type FEE')
  if (feeRule && !isFeeValue(feeRule)) faults.add('/feeRule/value', 'must be a percentage of at most 100')
  filter.forEach((condition, index) => {
    const wanted = unknownValue(condition)
    if (wanted) faults.add(`/filter/${index}/value`, `must be ${wanted}`)
  })
  return {
    merchantId: caller.merchant.id,
    id: newId('rule', now.getTime(), caller.seed),
    identityId: input.identityId,
    type: 'FEE',
    owner: 'CLIENT',
    target: 'TRANSACTION',
    overwrites: input.overwrites,
    filter,
    feeDescription: feeRule?.description ?? 'Fee',
    feeType: feeRule?.feeType ?? 'FIXED',
    feeValue: feeRule?.value ?? '0',
    createdAt: now,
  }
}

function isFeeValue({ feeType, value }: NonNullable<CreateRule['feeRule']>): boolean {
  const percent = parseDecimal(value)
  return feeType === 'FIXED' || !percent || percent.digits <= 100n * 10n ** BigInt(percent.scale)
}

/** What the value of a condition must be, if it is not: a misspelt one would silently never hold. */
function unknownValue({ name, value }: RuleFilter): string | undefined {
  const check = checks[name]
  return check.is(value) ? undefined : check.wants
}

const aCurrency = { is: (value: string) => isCurrency(value), wants: 'a currency such as CLP' }

const checks: Record<FilterName, { is(value: string): boolean; wants: string }> = {
  paymentMethod: { is: (value) => railTypes.includes(value), wants: 'a payment method such as PIX' },
  currency: aCurrency,
  purchaseCurrency: aCurrency,
  transactionType: { is: (value) => value === 'PURCHASE', wants: 'PURCHASE, the only type that is charged' },
  country: { is: (value) => /^[A-Z]{3}$/.test(value), wants: 'an ISO 3166-1 alpha-3 code such as CHL' },
  product: {
    is: (value) => value.split(':').length === 2 && value.split(':').every(isCurrency),
    wants: 'a pair purchaseCurrency:currency such as BRL:CLP',
  },
}
