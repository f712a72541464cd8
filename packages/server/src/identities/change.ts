/** Changes an identity: who it is stays, how to reach and name it may change. */
import type { Caller } from '../access/caller.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { brokenConstraint, transaction } from '../kit/db.ts'
import { Faults, problem } from '../kit/problem.ts'
import { checkIdentityPhone } from './check-phone.ts'
import { readIdentity } from './find.ts'
import type { Identity, IdentityWithChildren } from './identity.ts'
import type { ChangeIdentity } from './schema.ts'
import * as store from './store.ts'

/**
 * Changes what is given and leaves the rest; null clears. Throws `notFound`, `invalidParam`, and `alreadyExist` where
 * another user has the same document with this email and phone.
 */
export async function changeIdentity(
  ctx: Context,
  caller: Caller,
  id: string,
  input: ChangeIdentity,
): Promise<IdentityWithChildren> {
  const merchantId = caller.merchant.id
  return transaction(ctx.sql, async (tx) => {
    const known = await store.lockIdentityById(tx, merchantId, id)
    if (!known) throw problem('notFound', `There is no identity ${id}.`)
    const changed = { ...changedBy(known, input), updatedAt: nowFor(ctx, caller.merchant) }
    const twin = await store.findIdentityLike(tx, changed)
    if (twin && twin.id !== id) throw alreadyExists(twin.id)
    await store.updateIdentity(tx, changed)
    return readIdentity(tx, merchantId, id)
  }).catch((error: unknown) => {
    // Another identity took the place between our look and our write.
    if (brokenConstraint(error) === 'identities_user_document') throw alreadyExists(undefined)
    throw error
  })
}

function changedBy(known: Identity, input: ChangeIdentity): Identity {
  const { idv, securityOptions, bankAccount, address, ...fields } = input
  const kept = Object.entries({ idv, securityOptions, bankAccount, address }).filter(([, value]) => value !== undefined)
  const changed = { ...known, ...fields, profile: { ...known.profile, ...Object.fromEntries(kept) } }
  if (input.phone === undefined && input.country === undefined) return changed
  const faults = new Faults()
  const phone = checkIdentityPhone(changed.phone, changed.country, faults)
  faults.throwIfAny()
  return { ...changed, phone }
}

function alreadyExists(resourceId: string | undefined) {
  const detail = 'Another identity has this document with this email and phone.'
  return problem('alreadyExist', detail, resourceId === undefined ? {} : { resourceId })
}
