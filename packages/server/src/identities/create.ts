/** Makes an identity. */
import type { Caller } from '../access/caller.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { type Executor, transaction } from '../kit/db.ts'
import { checkDocument } from '../kit/documents.ts'
import { newId } from '../kit/id.ts'
import { Faults, problem } from '../kit/problem.ts'
import { adoptChildren } from './adopt.ts'
import { checkIdentityPhone } from './check-phone.ts'
import { readIdentity } from './find.ts'
import type { Identity, IdentityWithChildren } from './identity.ts'
import type { CreateIdentity } from './schema.ts'
import * as store from './store.ts'

/**
 * Makes an identity, ACTIVE at once. Throws `invalidParam` naming every fault, and `alreadyExist` with the id of the one
 * that has this document: for an organisation the document alone counts, for users with the same email and phone.
 */
export async function createIdentity(
  ctx: Context,
  caller: Caller,
  input: CreateIdentity,
): Promise<IdentityWithChildren> {
  const identity = newIdentity(caller, input, nowFor(ctx, caller.merchant))
  return transaction(ctx.sql, async (tx) => {
    if (!(await store.insertIdentity(tx, identity))) return twinOf(tx, caller, identity)
    const children = (input.children ?? []).map((child, index) => ({ id: child.id, pointer: `/children/${index}/id` }))
    await adoptChildren(tx, {
      merchantId: identity.merchantId,
      parentId: identity.id,
      children,
      now: identity.createdAt,
    })
    return readIdentity(tx, identity.merchantId, identity.id)
  })
}

function newIdentity(caller: Caller, input: CreateIdentity, now: Date): Identity {
  const faults = new Faults()
  const document = checkDocument(input.documentType, input.documentNumber, input.country)
  if (!document.ok) faults.add('/documentNumber', document.detail)
  const phone = checkIdentityPhone(input.phone, input.country ?? null, faults)
  if (input.rules !== undefined && input.rules !== null && !(Array.isArray(input.rules) && input.rules.length === 0)) {
    faults.add('/rules', 'must be empty: make the identity first, then its rules with POST /rules')
  }
  faults.throwIfAny()
  const { idv, securityOptions, bankAccount, address } = input
  return {
    merchantId: caller.merchant.id,
    id: newId('identity', now.getTime(), caller.seed),
    parentId: null,
    type: input.type ?? 'USER',
    name: input.name,
    lastname: input.lastname ?? null,
    nickname: input.nickname ?? null,
    email: input.email,
    phone,
    documentType: input.documentType,
    documentNumber: input.documentNumber,
    documentKey: document.ok ? document.canonical : '',
    country: input.country ?? null,
    externalId: input.externalId ?? null,
    status: 'ACTIVE',
    profile: { idv, securityOptions, bankAccount, address },
    createdAt: now,
    updatedAt: now,
  }
}

/** What was there already: our own row of an earlier run of the same request, or the identity in the way. */
async function twinOf(tx: Executor, caller: Caller, identity: Identity): Promise<IdentityWithChildren> {
  const own = caller.seed && (await store.findIdentityById(tx, identity.merchantId, identity.id))
  if (own) return own
  const twin = await store.findIdentityLike(tx, identity)
  if (!twin) throw new Error(`nothing is like identity ${identity.id}, and yet it could not be inserted`)
  const same = identity.type === 'ORGANIZATION' ? 'this document' : 'this document, email and phone'
  throw problem('alreadyExist', `Identity ${twin.id} has ${same} already.`, { resourceId: twin.id })
}
