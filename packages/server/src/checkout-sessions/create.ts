/** Creates sessions: from a whole offer, or minted from a link. */
import type { Caller } from '../access/caller.ts'
import { batcher, perPool } from '../kit/batch.ts'
import { type Context, nowFor } from '../kit/context.ts'
import type { Executor } from '../kit/db.ts'
import { newId, newToken } from '../kit/id.ts'
import { Faults, problem } from '../kit/problem.ts'
import type { Customer, Offer } from '../offers/offer.ts'
import { resolveOffer } from '../offers/resolve-offer.ts'
import type { CustomerBody, OfferBody } from '../offers/schema.ts'
import { findUsableLink } from '../payment-links/find.ts'
import type { Keyed } from '../platform/idempotency-key.ts'
import { answerWith } from '../platform/idempotency-part.ts'
import { type Quote, quoteExpiry } from '../quotes/quote.ts'
import { checkCustomer } from '../rails/check.ts'
import { limits } from '../vocabulary/limits.ts'
import { findSessionEvenDeleted } from './find.ts'
import { requote } from './requote.ts'
import { toSnapshot } from './schema.ts'
import { createdDayOf, orderKeyOf, type Session } from './session.ts'
import { findSessionByCheckoutToken, insertSessions, type NewSession } from './store.ts'

export type CreateInput = OfferBody | { checkoutToken: string; customer?: CustomerBody | null }

/**
 * Creates a session (contract section 2.2, both forms). Throws `invalidParam` naming every fault, `alreadyExist` with
 * the id of the session that has the token, `notFound` or `failedPrecondition` for the link form.
 */
export async function createSession(
  ctx: Context,
  caller: Caller,
  input: CreateInput,
  keyed?: Keyed<Session>,
): Promise<Session> {
  if (!('items' in input)) {
    const { checkoutToken, customer = null } = input
    return createFromLink(ctx, caller, { checkoutToken, customer }, keyed)
  }
  const resumed = await resumedSession(ctx.sql, caller)
  if (resumed) return resumed
  const now = nowFor(ctx, caller.merchant)
  const { offer, quote } = await resolveOffer(ctx, caller, input, now)
  return keepSession(ctx, newSession(caller, offer, quote, now), keyed)
}

/** Mints a session from an ACTIVE link: the same offer, its own unguessable token, a fresh quote (design section 4 rules 2, 3). */
export async function createFromLink(
  ctx: Context,
  caller: Caller,
  { checkoutToken, customer }: { checkoutToken: string; customer: Customer | null },
  keyed?: Keyed<Session>,
): Promise<Session> {
  const resumed = await resumedSession(ctx.sql, caller)
  if (resumed) return resumed
  const now = nowFor(ctx, caller.merchant)
  const faults = new Faults()
  checkCustomer(customer ?? {}, '/customer', faults)
  faults.throwIfAny()
  const link = await findUsableLink(ctx.sql, caller.merchant.id, checkoutToken, now)
  const quote = await requote(ctx, caller.merchant, link, now)
  const offer: Offer = {
    ...link,
    checkoutToken: newToken(),
    customer: customer ?? link.customer,
    durationSeconds: Math.min(link.durationSeconds, limits.linkSessionSecondsMax),
  }
  return keepSession(ctx, { ...newSession(caller, offer, quote, now), paymentLinkId: link.id }, keyed)
}

function newSession(caller: Pick<Caller, 'merchant' | 'seed'>, offer: Offer, quote: Quote, now: Date): Session {
  const id = newId('checkoutSession', now.getTime(), caller.seed)
  const total = { minor: offer.totalMinor, currency: offer.currency }
  return {
    merchantId: caller.merchant.id,
    id,
    rootSessionId: id,
    successorId: null,
    paymentLinkId: null,
    checkoutToken: offer.checkoutToken,
    pageToken: newToken(),
    status: 'ATTEMPT',
    ownerIdentityId: offer.owner.identityId,
    owner: offer.owner,
    items: offer.items,
    currency: offer.currency,
    preTaxMinor: offer.preTaxMinor,
    totalMinor: offer.totalMinor,
    paymentMethods: offer.paymentMethods,
    customer: offer.customer,
    customerRequirements: offer.customerRequirements,
    destinations: offer.destinations,
    successUrl: offer.successUrl,
    failedUrl: offer.failedUrl,
    durationSeconds: offer.durationSeconds,
    metadata: offer.metadata,
    orderKey: orderKeyOf(offer.metadata, id),
    quote,
    quoteExpiresAt: quoteExpiry(quote, total, caller.merchant.quoteTtlSeconds),
    tries: 0,
    payerRefreshes: 0,
    eventSequence: 1,
    lastEventAt: null,
    createdAt: now,
    createdDay: createdDayOf(id, caller.merchant.timeZone),
    updatedAt: now,
    expiresAt: new Date(now.getTime() + offer.durationSeconds * 1000),
    finishedAt: null,
    deletedAt: null,
  }
}

/** Writes the session together with what else arrives meanwhile: many creates, one commit. */
async function keepSession(ctx: Context, session: Session, keyed: Keyed<Session> | undefined): Promise<Session> {
  const { merchantId, id, createdAt } = session
  const type = 'checkout_session.created' as const
  const event = { merchantId, streamId: id, sequence: 1, type, data: toSnapshot(session), at: createdAt }
  const keys = answerWith(keyed, session, { writtenId: id, at: new Date(ctx.clock.nowMs()) })
  const kept = await batchOf(ctx.sql)({ session, event, keys })
  return kept ? session : existingSession(ctx.sql, session)
}

/** Answers whether the session was inserted. */
const batchOf = perPool((sql) =>
  batcher<NewSession, boolean>({ most: limits.createBatchMax, lanes: limits.batchLanes }, async (added) => {
    const inserted = await insertSessions(sql, added)
    return added.map(({ session }) => inserted.has(session.id))
  }),
)

/** What the broken-off first run of the same Idempotency-Key wrote, deleted meanwhile or not: its answer is due. */
async function resumedSession(sql: Executor, { merchant, seed, resumed }: Caller): Promise<Session | undefined> {
  if (!seed || !resumed) return undefined
  return findSessionEvenDeleted(sql, merchant.id, newId('checkoutSession', 0, seed))
}

/** The id is ours alone: who finds it has written it, and only the answer was lost. Else the token is taken. */
async function existingSession(sql: Executor, session: Session): Promise<Session> {
  const mine = await findSessionEvenDeleted(sql, session.merchantId, session.id)
  if (mine) return mine
  const other = await findSessionByCheckoutToken(sql, session.merchantId, session.checkoutToken)
  throw problem(
    'alreadyExist',
    `The checkoutToken "${session.checkoutToken}" is taken by another session; read that one, delete it, or use another token.`,
    {
      ...(other ? { resourceId: other.id } : {}),
      errors: [{ pointer: '/checkoutToken', detail: 'is taken' }],
    },
  )
}
