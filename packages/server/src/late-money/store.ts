/** SQL of the policies for late and surplus money. */

import { texts } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import type { Policy } from '../processing/settle/verdict.ts'

export type LateMoneyPolicies = { default: Policy; rails: { rail: string; policy: Policy }[] }

/** The merchant's policies, locked until the transaction ends where `lock` says so: two callers take turns. */
export async function findPolicies(
  sql: Executor,
  merchantId: number,
  lock: 'locked' | 'as it is',
): Promise<LateMoneyPolicies> {
  const [merchant] = await sql<{ lateMoney: Policy }[]>`
    select late_money from merchants where id = ${merchantId} ${lock === 'locked' ? sql`for no key update` : sql``}`
  const rails = await sql<{ rail: string; policy: Policy }[]>`
    select rail, late_money as policy from merchant_rails where merchant_id = ${merchantId} order by rail`
  if (!merchant) throw new Error(`there is no merchant ${merchantId}`)
  return { default: merchant.lateMoney, rails: rails.map(({ rail, policy }) => ({ rail, policy })) }
}

export async function updateDefaultPolicy(sql: Executor, merchantId: number, policy: Policy): Promise<void> {
  await sql`update merchants set late_money = ${policy} where id = ${merchantId}`
}

/** Replaces what rails of the merchant do otherwise. */
export async function replaceRailPolicies(
  sql: Executor,
  merchantId: number,
  rails: readonly { rail: string; policy: Policy }[],
): Promise<void> {
  await sql`
    with gone as (
      delete from merchant_rails where merchant_id = ${merchantId} and rail <> all (${texts(rails.map((r) => r.rail))}::text[])
    )
    insert into merchant_rails (merchant_id, rail, late_money)
    select ${merchantId}::int, r.rail, r.policy
    from unnest(${texts(rails.map((r) => r.rail))}::text[], ${texts(rails.map((r) => r.policy))}::text[]) as r (rail, policy)
    on conflict (merchant_id, rail) do update set late_money = excluded.late_money`
}
