/** Reading one identity. */
import type { Executor } from '../kit/db.ts'
import { problem } from '../kit/problem.ts'
import type { IdentityWithChildren } from './identity.ts'
import * as store from './store.ts'

/** The merchant's identity with this id; undefined for another merchant's, and for what is no id at all. */
export function findIdentity(sql: Executor, merchantId: number, id: string): Promise<IdentityWithChildren | undefined> {
  return store.findIdentityById(sql, merchantId, id)
}

/** As findIdentity; throws `notFound` when there is none. */
export async function readIdentity(sql: Executor, merchantId: number, id: string): Promise<IdentityWithChildren> {
  const identity = await findIdentity(sql, merchantId, id)
  if (!identity) throw problem('notFound', `There is no identity ${id}.`)
  return identity
}
