/** Finds links for those who mint sessions or open pages. */
import type { Executor } from '../kit/db.ts'
import { problem } from '../kit/problem.ts'
import { isLinkDue, type PaymentLink } from './link.ts'
import { findLinkByCheckoutToken, findLinkByPageToken } from './store.ts'

/** The ACTIVE link of this token. Throws `notFound` for an unknown token, `failedPrecondition` for an inactive link. */
export async function findUsableLink(
  sql: Executor,
  merchantId: number,
  checkoutToken: string,
  now: Date,
): Promise<PaymentLink> {
  const link = await findLinkByCheckoutToken(sql, merchantId, checkoutToken)
  if (!link) {
    throw problem(
      'notFound',
      `There is no payment link with the checkoutToken "${checkoutToken}". To create a session of its own, send the whole offer.`,
    )
  }
  if (link.status !== 'ACTIVE' || isLinkDue(link, now)) {
    const status = isLinkDue(link, now) ? 'EXPIRED' : link.status
    throw problem('failedPrecondition', `The payment link is ${status}; only an ACTIVE one accepts new sessions.`)
  }
  return link
}

/** The link that a payer's address opens; deleted ones too. */
export function findLinkOfPage(sql: Executor, merchantId: number, pageToken: string): Promise<PaymentLink | undefined> {
  return findLinkByPageToken(sql, merchantId, pageToken)
}
