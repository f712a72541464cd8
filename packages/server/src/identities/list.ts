/** Lists identities. */
import type { Caller } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import { paginationOf, readCommaList, readPage } from '../kit/page.ts'
import type { IdentityQuery } from './schema.ts'
import * as store from './store.ts'

/** One page of the caller's identities. */
export async function listIdentities(ctx: Context, caller: Caller, query: IdentityQuery) {
  const { parentId, type, email, documentNumber, phone, country, status, externalId } = query
  const page = readPage(query, 'identity', caller.merchant.timeZone)
  const filters: store.IdentityFilters = {
    ...(parentId === undefined ? {} : { parentId }),
    ...(type === undefined ? {} : { type }),
    ...(email === undefined ? {} : { email }),
    ...(documentNumber === undefined ? {} : { documentKeys: keysOf(documentNumber) }),
    ...(phone === undefined ? {} : { phone: plainPhone(phone) }),
    ...(country === undefined ? {} : { country }),
    ...(status === undefined ? {} : { status: readCommaList(status) ?? [] }),
    ...(externalId === undefined ? {} : { externalId }),
  }
  const { identities, total } = await store.listIdentities(ctx.sql, caller.merchant.id, filters, page)
  return { identities, pagination: paginationOf(page, identities.length, total) }
}

/** A number of a known type is kept without separators; one of an unknown type as it was given. */
function keysOf(documentNumber: string): string[] {
  return [documentNumber.trim(), documentNumber.replace(/[\s.,/-]/g, '').toUpperCase()]
}

/** A `+` that was not escaped arrives as a blank. */
function plainPhone(phone: string): string {
  return `+${phone.replace(/[^\d]/g, '')}`
}
