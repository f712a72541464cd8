/** SQL of rules. */
import type { Identity } from '../identities/identity.ts'
import type { Executor } from '../kit/db.ts'
import { limits } from '../vocabulary/limits.ts'
import type { Rule } from './fee.ts'

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
