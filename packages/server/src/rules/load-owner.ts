/** Who makes an offer, and the fee rules that stand over it: one statement, because every new session needs both. */

import type { Identity } from '../identities/identity.ts'
import type { Executor } from '../kit/db.ts'
import type { Rule } from './fee.ts'
import { findOwnerById } from './store.ts'

export type Owner = Pick<
  Identity,
  'id' | 'type' | 'name' | 'lastname' | 'nickname' | 'documentNumber' | 'country' | 'externalId' | 'status'
> & {
  /** Its own rules and those it inherits, nearest last. */
  readonly rules: Rule[]
}

/** The identity with all fee rules that reach it; undefined when the merchant has no such identity. */
export function loadOwner(sql: Executor, merchantId: number, identityId: string): Promise<Owner | undefined> {
  return findOwnerById(sql, merchantId, identityId)
}
