/** SQL of brands. */

import { json } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import { limits } from '../vocabulary/limits.ts'
import { type Brand, type BrandSettings, defaultOrganization } from './brand.ts'

export async function findBrandById(sql: Executor, merchantId: number, organizationId: string) {
  const [row] = await sql<Brand[]>`
    select merchant_id, organization_id, settings, logo_hash, updated_at from brands
    where merchant_id = ${merchantId} and organization_id = ${organizationId}`
  return row
}

/** The brand of an identity, else of its nearest ancestor that has one, else of the merchant. */
export async function findBrandByOwner(sql: Executor, merchantId: number, identityId: string) {
  const [row] = await sql<Brand[]>`
    with recursive chain (id, parent_id, depth) as (
      select id::text, parent_id::text, 0 from identities where merchant_id = ${merchantId} and id = ${identityId}
      union all
      select p.id::text, p.parent_id::text, chain.depth + 1
      from chain join identities p on p.merchant_id = ${merchantId} and p.id = chain.parent_id
      where chain.depth < ${limits.identityDepthMax}
    ), candidates as (
      select id, depth from chain union all select ${defaultOrganization}, ${limits.identityDepthMax + 1}
    )
    select b.merchant_id, b.organization_id, b.settings, b.logo_hash, b.updated_at
    from candidates c join brands b on b.merchant_id = ${merchantId} and b.organization_id = c.id
    order by c.depth limit 1`
  return row
}

/** Merges nothing: `settings` is the whole of them. */
export async function upsertBrand(
  sql: Executor,
  brand: { merchantId: number; organizationId: string; settings: BrandSettings; now: Date },
): Promise<Brand> {
  const [row] = await sql<Brand[]>`
    insert into brands (merchant_id, organization_id, settings, created_at, updated_at)
    values (${brand.merchantId}, ${brand.organizationId}, ${json(brand.settings)}, ${brand.now}, ${brand.now})
    on conflict (merchant_id, organization_id) do update set settings = excluded.settings, updated_at = excluded.updated_at
    returning merchant_id, organization_id, settings, logo_hash, updated_at`
  if (!row) throw new Error('upsert returned no brand')
  return row
}

export async function deleteBrand(sql: Executor, merchantId: number, organizationId: string): Promise<void> {
  await sql`delete from brands where merchant_id = ${merchantId} and organization_id = ${organizationId}`
}

export type Logo = { type: string; hash: string; content: Uint8Array }

/** Sets the logo, or takes it away; undefined when there is no such brand. */
export async function updateLogo(
  sql: Executor,
  merchantId: number,
  organizationId: string,
  logo: Logo | null,
  now: Date,
): Promise<Brand | undefined> {
  const [row] = await sql<Brand[]>`
    update brands set logo = ${logo ? Buffer.from(logo.content) : null}, logo_type = ${logo?.type ?? null},
      logo_hash = ${logo?.hash ?? null}, updated_at = ${now}
    where merchant_id = ${merchantId} and organization_id = ${organizationId}
    returning merchant_id, organization_id, settings, logo_hash, updated_at`
  return row
}

export async function findLogoByHash(sql: Executor, merchantId: number, hash: string): Promise<Logo | undefined> {
  const [row] = await sql<Logo[]>`
    select logo_type as type, logo_hash as hash, logo as content from brands
    where merchant_id = ${merchantId} and logo_hash = ${hash} limit 1`
  return row
}
