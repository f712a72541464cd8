/** SQL of rules. */

import { json, texts } from '@pasarela/sql'
import type { Identity } from '../identities/identity.ts'
import type { Executor } from '../kit/db.ts'
import { inPage, type Page, withinDays } from '../kit/page.ts'
import { limits } from '../vocabulary/limits.ts'
import type { Rule } from './fee.ts'

export type RuleRow = Omit<Rule, 'depth'> & {
  readonly merchantId: number
  readonly type: 'FEE'
  readonly owner: 'CONOMY_HQ' | 'CLIENT'
  readonly target: 'IDENTITY' | 'TRANSACTION'
  readonly createdAt: Date
}

/** Inserts the rule, or nothing where it is there already. */
export async function insertRule(sql: Executor, row: RuleRow): Promise<boolean> {
  const rows = await sql`
    insert into rules (merchant_id, id, identity_id, type, owner, target, overwrites, filter, fee_description, fee_type, fee_value, created_at)
    values (${row.merchantId}, ${row.id}, ${row.identityId}, ${row.type}, ${row.owner}, ${row.target}, ${row.overwrites},
      ${json(row.filter)}, ${row.feeDescription}, ${row.feeType}, ${row.feeValue}, ${row.createdAt})
    on conflict do nothing
    returning id`
  return rows.length === 1
}

export async function findRuleById(sql: Executor, merchantId: number, id: string): Promise<RuleRow | undefined> {
  const [row] = await sql<RuleRow[]>`select * from rules where merchant_id = ${merchantId} and id = ${id}`
  return row
}

export async function deleteRule(sql: Executor, merchantId: number, id: string): Promise<boolean> {
  const rows = await sql`delete from rules where merchant_id = ${merchantId} and id = ${id} returning id`
  return rows.length === 1
}

export type RuleFilters = { id?: string[]; identityId?: string[]; type?: string; owner?: string; target?: string }

/** One page of a merchant's rules, and how many match in all. */
export async function listRules(sql: Executor, merchantId: number, by: RuleFilters, page: Page) {
  const where = sql`
    merchant_id = ${merchantId}
    ${by.id === undefined ? sql`` : sql`and id = any (${texts(by.id)})`}
    ${by.identityId === undefined ? sql`` : sql`and identity_id = any (${texts(by.identityId)})`}
    ${by.type === undefined ? sql`` : sql`and type = ${by.type}`}
    ${by.owner === undefined ? sql`` : sql`and owner = ${by.owner}`}
    ${by.target === undefined ? sql`` : sql`and target = ${by.target}`}
    ${withinDays(sql, page)}`
  const [rows, [counted]] = await Promise.all([
    sql<RuleRow[]>`select * from rules where ${where} ${inPage(sql, page)}`,
    sql<{ total: number }[]>`select count(*)::int as total from rules where ${where}`,
  ])
  return { rules: [...rows], total: counted?.total ?? 0 }
}

type OwnerRow = Pick<
  Identity,
  'id' | 'type' | 'name' | 'lastname' | 'nickname' | 'documentNumber' | 'country' | 'externalId' | 'status'
>

/** The identity with the fee rules of itself and its ancestors, nearest last; climbs no further than the depth limit. */
export async function findOwnerById(
  sql: Executor,
  merchantId: number,
  id: string,
): Promise<(OwnerRow & { rules: Rule[] }) | undefined> {
  const [row] = await sql<(OwnerRow & { rules: Rule[] })[]>`
    with recursive chain (id, parent_id, depth) as (
      select id, parent_id, 0 from identities where merchant_id = ${merchantId} and id = ${id}
      union all
      select p.id, p.parent_id, chain.depth + 1 from chain join identities p on p.merchant_id = ${merchantId} and p.id = chain.parent_id
      where chain.depth < ${limits.identityDepthMax}
    )
    select i.id, i.type, i.name, i.lastname, i.nickname, i.document_number, i.country, i.external_id, i.status,
      coalesce((
        select json_agg(json_build_object('id', r.id, 'identityId', r.identity_id, 'depth', chain.depth, 'overwrites', r.overwrites,
          'filter', r.filter, 'feeDescription', r.fee_description, 'feeType', r.fee_type, 'feeValue', r.fee_value)
          order by chain.depth desc, r.id)
        from chain join rules r on r.merchant_id = ${merchantId} and r.identity_id = chain.id
      ), '[]') as rules
    from identities i where i.merchant_id = ${merchantId} and i.id = ${id}`
  return row
}
