/** What a merchant does with a link: create, activate, deactivate, delete. */
import type { Caller } from '../access/caller.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { brokenConstraint, transaction } from '../kit/db.ts'
import { newId, newToken } from '../kit/id.ts'
import { problem } from '../kit/problem.ts'
import { resolveOffer } from '../offers/resolve-offer.ts'
import type { LinkEvent, PaymentLink } from './link.ts'
import { followUses, type LockedLink, lockLink } from './move.ts'
import { type CreateLink, toSnapshot } from './schema.ts'
import { findLinkByCheckoutToken, findLinkEvenDeleted, insertLink } from './store.ts'

/** Creates a link, ATTEMPT or with `active` ACTIVE. Throws `invalidParam` naming every fault, `alreadyExist` for a taken token. */
export async function createLink(
  ctx: Context,
  caller: Caller,
  { active, maxPayments, ...body }: CreateLink,
): Promise<PaymentLink> {
  const resumed = await resumedLink(ctx, caller)
  if (resumed) return resumed
  const now = nowFor(ctx, caller.merchant)
  // The quote is not kept: a link says what is asked for, each session what it costs the payer. It proves that one can pay.
  const { offer } = await resolveOffer(ctx, caller, body, now)
  const link: PaymentLink = {
    ...offer,
    merchantId: caller.merchant.id,
    id: newId('paymentLink', now.getTime(), caller.seed),
    pageToken: newToken(),
    status: 'ATTEMPT',
    ownerIdentityId: offer.owner.identityId,
    maxPayments: maxPayments ?? null,
    usesOpen: 0,
    usesPaid: 0,
    eventSequence: 1,
    createdAt: now,
    updatedAt: now,
    expiresAt: new Date(now.getTime() + offer.durationSeconds * 1000),
    deletedAt: null,
  }
  const event = (type: 'payment_link.created' | 'payment_link.activated') => ({
    merchantId: link.merchantId,
    streamId: link.id,
    sequence: link.eventSequence,
    type,
    data: toSnapshot(link),
    at: now,
  })
  const events = [event('payment_link.created')]
  if (active) {
    Object.assign(link, { status: 'ACTIVE', eventSequence: 2 })
    events.push(event('payment_link.activated'))
  }
  try {
    await insertLink(ctx.sql, link, events)
    return link
  } catch (error) {
    if (brokenConstraint(error) === undefined) throw error
    return takenToken(ctx, link, error)
  }
}

/** What the broken-off first run of the same Idempotency-Key wrote, deleted meanwhile or not: its answer is due. */
async function resumedLink(ctx: Context, { merchant, seed, resumed }: Caller): Promise<PaymentLink | undefined> {
  return seed && resumed ? findLinkEvenDeleted(ctx.sql, merchant.id, newId('paymentLink', 0, seed)) : undefined
}

async function takenToken(ctx: Context, link: PaymentLink, error: unknown): Promise<never> {
  if (brokenConstraint(error) !== 'payment_links_checkout_token') throw error
  const other = await findLinkByCheckoutToken(ctx.sql, link.merchantId, link.checkoutToken)
  throw problem('alreadyExist', `The checkoutToken "${link.checkoutToken}" is taken by another payment link.`, {
    ...(other ? { resourceId: other.id } : {}),
    errors: [{ pointer: '/checkoutToken', detail: 'is taken' }],
  })
}

/** Makes a link accept new sessions; on an ACTIVE one nothing changes. */
export function activateLink(ctx: Context, caller: Caller, id: string): Promise<PaymentLink> {
  return changeLink(ctx, caller, id, (link) => {
    moveUnless(link, 'ACTIVE', 'activate')
    // Its last uses may have been taken by open sessions while it was deactivated.
    followUses(link)
  })
}

/** Stops new sessions; those already open may still pay. On an ATTEMPT link nothing changes. */
export function deactivateLink(ctx: Context, caller: Caller, id: string): Promise<PaymentLink> {
  return changeLink(ctx, caller, id, (link) => moveUnless(link, 'ATTEMPT', 'deactivate'))
}

/** Deletes a link that is ATTEMPT or EXPIRED; its token is free again. Throws `failedPrecondition` from any other status. */
export async function deleteLink(ctx: Context, caller: Caller, id: string): Promise<void> {
  await changeLink(ctx, caller, id, (link) => {
    if (link.row.status !== 'ATTEMPT' && link.row.status !== 'EXPIRED') {
      throw problem(
        'failedPrecondition',
        `The payment link is ${link.row.status}; only ATTEMPT and EXPIRED ones can be deleted. Deactivate it first.`,
      )
    }
    link.remove()
  })
}

function moveUnless(link: LockedLink, already: PaymentLink['status'], event: LinkEvent): void {
  if (link.row.status !== already) link.move(event)
}

async function changeLink(
  ctx: Context,
  caller: Caller,
  id: string,
  change: (link: LockedLink) => void,
): Promise<PaymentLink> {
  return transaction(ctx.sql, async (sql) => {
    const link = await lockLink(sql, caller.merchant.id, id, nowFor(ctx, caller.merchant))
    if (!link || link.row.deletedAt) throw problem('notFound', 'There is no such payment link.')
    change(link)
    await link.save()
    return link.row
  })
}
