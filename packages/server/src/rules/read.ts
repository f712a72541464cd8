/** Reads and lists rules. */
import type { Caller } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import { paginationOf, readCommaList, readPage } from '../kit/page.ts'
import { problem } from '../kit/problem.ts'
import type { RuleQuery } from './schema.ts'
import * as store from './store.ts'

/** The caller's rule with this id. Throws `notFound`. */
export async function readRule(ctx: Context, caller: Caller, id: string): Promise<store.RuleRow> {
  const rule = await store.findRuleById(ctx.sql, caller.merchant.id, id)
  if (!rule) throw noRule(id)
  return rule
}

/** One page of the caller's rules. */
export async function listRules(ctx: Context, caller: Caller, query: RuleQuery) {
  const [id, identityId] = [query.id, query.identityId].map(readCommaList)
  const page = readPage(query, 'rule', caller.merchant.timeZone)
  const filters: store.RuleFilters = {
    ...(id === undefined ? {} : { id }),
    ...(identityId === undefined ? {} : { identityId }),
    ...(query.type === undefined ? {} : { type: query.type }),
    ...(query.owner === undefined ? {} : { owner: query.owner }),
    ...(query.target === undefined ? {} : { target: query.target }),
  }
  const { rules, total } = await store.listRules(ctx.sql, caller.merchant.id, filters, page)
  return { rules, pagination: paginationOf(page, rules.length, total) }
}

/** The refusal for a rule that the caller does not have. */
export function noRule(id: string) {
  return problem('notFound', `There is no rule ${id}.`)
}
