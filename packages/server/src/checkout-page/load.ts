/** Reads what a page shows. Nothing here changes anything: that is what GET promises. */
import type { Merchant } from '../access/caller.ts'
import { findMerchant, readMerchantNumber } from '../access/find.ts'
import type { Brand } from '../brands/brand.ts'
import { findBrandOf } from '../brands/find.ts'
import { findSessionOfPage } from '../checkout-sessions/find.ts'
import { isDue, type Session } from '../checkout-sessions/session.ts'
import { findIdentity } from '../identities/find.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { problem } from '../kit/problem.ts'
import type { Owner } from '../offers/offer.ts'
import { findLinkOfPage } from '../payment-links/find.ts'
import { isLinkDue, type PaymentLink } from '../payment-links/link.ts'
import { findAcceptedPayment, findLatestPayment } from '../payments/find.ts'
import type { Payment } from '../payments/payment.ts'
import type { Payee } from './view/layout.ts'

/** The parts of `<merchant in base 36>-<22 characters>`; undefined for anything else, which names no page. */
export function readToken(token: string): { merchantId: number; pageToken: string } | undefined {
  const match = /^([0-9a-z]{1,6})-([\w-]{22})$/.exec(token)
  const merchantId = readMerchantNumber(match?.[1] ?? '')
  return merchantId === undefined ? undefined : { merchantId, pageToken: match?.[2] ?? '' }
}

export type LoadedSession = {
  merchant: Merchant
  session: Session
  payment: Payment | undefined
  payee: Payee
  now: Date
}

/** The session that a page's token opens, as it is by the clock. Throws `notFound`, for deleted ones too. */
export async function loadSession(ctx: Context, token: string): Promise<LoadedSession> {
  const key = readToken(token)
  const [merchant, row] = key
    ? await Promise.all([
        findMerchant(ctx.sql, key.merchantId),
        findSessionOfPage(ctx.sql, key.merchantId, key.pageToken),
      ])
    : []
  if (!merchant || !row || row.deletedAt) throw problem('notFound', 'There is no such page.')
  const now = nowFor(ctx, merchant)
  const session: Session = isDue(row, now) ? { ...row, status: 'EXPIRED' } : row
  const [payment, payee] = await Promise.all([
    session.status === 'FINISHED'
      ? findAcceptedPayment(ctx.sql, merchant.id, session.orderKey)
      : findLatestPayment(ctx.sql, merchant.id, session.id),
    loadPayee(ctx, merchant, session),
  ])
  return { merchant, session, payment, payee, now }
}

export type LoadedLink = { merchant: Merchant; link: PaymentLink; payee: Payee; now: Date }

/** The link that a page's token opens, as it is by the clock. Throws `notFound`. */
export async function loadLink(ctx: Context, token: string): Promise<LoadedLink> {
  const key = readToken(token)
  const [merchant, row] = key
    ? await Promise.all([findMerchant(ctx.sql, key.merchantId), findLinkOfPage(ctx.sql, key.merchantId, key.pageToken)])
    : []
  if (!merchant || !row) throw problem('notFound', 'There is no such page.')
  const now = nowFor(ctx, merchant)
  const link: PaymentLink = isLinkDue(row, now) ? { ...row, status: 'EXPIRED' } : row
  return { merchant, link, payee: await loadPayee(ctx, merchant, link), now }
}

type Owned = { ownerIdentityId: string; owner: Owner }

/** Whom the payer pays: the nearest brand, else the owner under its own name. */
async function loadPayee(ctx: Context, merchant: Merchant, { ownerIdentityId, owner }: Owned): Promise<Payee> {
  const brand = await findBrandOf(ctx, merchant.id, ownerIdentityId)
  const ownName = [owner.name, owner.lastname].filter(Boolean).join(' ') || merchant.name
  const { displayName = ownName, clientName = displayName, ...settings } = brand?.settings ?? {}
  const email = settings.contactEmail ?? (await fallbackEmail(ctx, merchant.id, ownerIdentityId, brand))
  return {
    name: displayName,
    legalName: clientName,
    brand,
    email,
    phone: settings.contactPhone,
    website: settings.contactUrl,
  }
}

/** An organisation's address stands in for a contact that was not set; a person's is nobody's business. */
function fallbackEmail(ctx: Context, merchantId: number, ownerId: string, brand: Brand | undefined) {
  if (brand?.settings.contactPhone || brand?.settings.contactUrl) return undefined
  return ctx.recall.get(merchantId, `contact of ${ownerId}`, async () => {
    const identity = await findIdentity(ctx.sql, merchantId, ownerId)
    return identity?.type === 'ORGANIZATION' ? identity.email : undefined
  })
}
