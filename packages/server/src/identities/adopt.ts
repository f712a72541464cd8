/** Who stands under whom: children inherit the fee rules of their parents. */
import type { Caller } from '../access/caller.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { type Executor, transaction } from '../kit/db.ts'
import { Faults, problem } from '../kit/problem.ts'
import { limits } from '../vocabulary/limits.ts'
import { readIdentity } from './find.ts'
import type { IdentityWithChildren } from './identity.ts'
import * as store from './store.ts'

type Adoption = {
  merchantId: number
  parentId: string
  children: readonly { id: string; pointer: string }[]
  now: Date
}

/** Puts identities under another. Those that are there already stay. Throws as adoptChildren does. */
export function addChildren(
  ctx: Context,
  caller: Caller,
  id: string,
  ids: readonly string[],
): Promise<IdentityWithChildren> {
  const merchantId = caller.merchant.id
  return transaction(ctx.sql, async (tx) => {
    await readIdentity(tx, merchantId, id)
    await adoptChildren(tx, { merchantId, parentId: id, children: pointed(ids), now: nowFor(ctx, caller.merchant) })
    return readIdentity(tx, merchantId, id)
  })
}

/** Takes identities from under another. Those that are not there stay where they are. Throws `notFound`, and `invalidParam` for unknown ids. */
export function removeChildren(
  ctx: Context,
  caller: Caller,
  id: string,
  ids: readonly string[],
): Promise<IdentityWithChildren> {
  const merchantId = caller.merchant.id
  return transaction(ctx.sql, async (tx) => {
    await readIdentity(tx, merchantId, id)
    await findFamilies(tx, merchantId, pointed(ids))
    await store.moveChildren(tx, { merchantId, ids, from: id, to: null, now: nowFor(ctx, caller.merchant) })
    return readIdentity(tx, merchantId, id)
  })
}

/**
 * Puts children under a parent, in the caller's transaction. Throws `invalidParam` for ids that are no identities, and
 * `failedPrecondition` for those that have another parent, are above the parent, or would make the tree too deep.
 */
export async function adoptChildren(tx: Executor, adoption: Adoption): Promise<void> {
  const { merchantId, parentId, children, now } = adoption
  if (children.length === 0) return
  await store.lockFamilyTree(tx, merchantId)
  const ancestors = await store.listAncestors(tx, merchantId, parentId)
  const families = await findFamilies(tx, merchantId, children)
  const errors = children.flatMap(({ id, pointer }) => {
    const family = families.get(id)
    const detail = family && obstacleOf(family, parentId, ancestors)
    return detail ? [{ pointer, detail }] : []
  })
  if (errors.length > 0) {
    throw problem('failedPrecondition', errors.map((error) => `${error.pointer} ${error.detail}`).join('; '), {
      errors,
    })
  }
  await store.moveChildren(tx, { merchantId, ids: children.map(({ id }) => id), from: null, to: parentId, now })
}

type Family = { id: string; parentId: string | null; levels: number }

function obstacleOf(family: Family, parentId: string, ancestors: readonly string[]): string | undefined {
  if (family.id === parentId) return 'cannot be a child of itself'
  if (ancestors.includes(family.id)) return 'is an ancestor of this identity'
  if (family.parentId !== null && family.parentId !== parentId) {
    return `is a child of ${family.parentId}; remove it there first`
  }
  if (ancestors.length + family.levels > limits.identityDepthMax) {
    return `would make the tree deeper than ${limits.identityDepthMax} levels`
  }
  return undefined
}

async function findFamilies(
  tx: Executor,
  merchantId: number,
  children: Adoption['children'],
): Promise<Map<string, Family>> {
  const found = await store.listFamilies(
    tx,
    merchantId,
    children.map(({ id }) => id),
  )
  const families = new Map(found.map((family) => [family.id, family]))
  const faults = new Faults()
  for (const { id, pointer } of children) if (!families.has(id)) faults.add(pointer, 'is not an identity of yours')
  faults.throwIfAny()
  return families
}

function pointed(ids: readonly string[]): Adoption['children'] {
  return ids.map((id, index) => ({ id, pointer: `/children/${index}` }))
}
