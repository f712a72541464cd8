/** Reading brands, for the pages that wear them. */
import type { Context } from '../kit/context.ts'
import type { Brand } from './brand.ts'
import { findBrandByOwner } from './store.ts'

export { logoPath } from './schema.ts'

/** The brand of a page that this identity owns, remembered for a moment; undefined when nobody over it has one. */
export function findBrandOf(ctx: Context, merchantId: number, ownerIdentityId: string): Promise<Brand | undefined> {
  return ctx.recall.get(merchantId, `brand of ${ownerIdentityId}`, () =>
    findBrandByOwner(ctx.sql, merchantId, ownerIdentityId),
  )
}
