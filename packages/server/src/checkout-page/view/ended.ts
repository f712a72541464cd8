/** Screens at the end of the road: the receipt, the ways on, and pages that say why there is nothing to pay. */

import { formatAmount } from '@pasarela/connector-kit'
import { redirectUrlOf } from '../../checkout-sessions/session.ts'
import type { Payment } from '../../payments/payment.ts'
import { railOf } from '../../rails/index.ts'
import { moment, money } from '../format.ts'
import { type Html, html } from '../html.ts'
import { methodName } from '../methods.ts'
import { address, notices, type SessionPage } from '../page.ts'
import { fill, type WordKey, type Words } from '../words.ts'
import { clock, cross, tick } from './icons.ts'

/** Seconds until the page leads on by itself; the payer can say no. */
export const leadOnSeconds = 12

/** Where the shop wants the payer next, with what became of the session (design section 4 rule 9). */
export function shopUrl({ session }: SessionPage, status: string): string | undefined {
  const url = redirectUrlOf({ ...session, status: session.status })
  if (url === null) return undefined
  const to = new URL(url)
  to.searchParams.set('checkoutSessionId', session.id)
  to.searchParams.set('status', status)
  return to.href
}

function wayToShop(page: SessionPage, status: string, { leadsOn }: { leadsOn: boolean }): Html | false {
  const { words, payee } = page.frame
  const url = shopUrl(page, status)
  if (!url) return false
  return html`<a class="button${!leadsOn && ' quiet'}" href="${url}" rel="noopener"${leadsOn && html` data-lead-on="${leadOnSeconds}"`}>${fill(words.backToShop, { merchant: payee?.name ?? '' })}</a>
${leadsOn && html`<p class="center muted" data-lead-note="${words.autoBack}" hidden><span></span> <button type="button" class="mini">${words.stay}</button></p>`}`
}

/** Paid, or reserved: the receipt. */
export function paidView(page: SessionPage, screen: 'paid' | 'authorized'): Html {
  const { words, payee } = page.frame
  const [title, text]: [WordKey, WordKey] =
    screen === 'paid' ? ['paidTitle', 'paidText'] : ['authorizedTitle', 'authorizedText']
  return html`<section class="work card one">
<div class="seal good">${tick}</div>
<div class="center"><h1 tabindex="-1">${words[title]}</h1><p class="muted">${fill(words[text], { merchant: payee?.name ?? '' })}</p></div>
${page.payment && receipt(page, page.payment, page.payment.purchaseMinor)}
${wayToShop(page, page.session.status, { leadsOn: true })}
</section>`
}

/** Money came, and not as expected: a person decides, and the payer knows whom to ask. */
export function heldView(page: SessionPage): Html {
  const { words, payee } = page.frame
  const { payment } = page
  return html`<section class="work card one">
<div class="seal">${clock}</div>
<div class="center"><h1 tabindex="-1">${words.heldTitle}</h1><p class="muted">${fill(words.heldText, { merchant: payee?.name ?? '' })}</p></div>
${payment && receipt(page, payment, payment.receivedMinor ?? payment.purchaseMinor)}
</section>`
}

function receipt({ frame, session, merchant }: SessionPage, payment: Payment, paidMinor: bigint): Html {
  const { words, payee, language } = frame
  const rail = railOf(payment.rail)
  const at = payment.acceptedAt ?? payment.authorizedAt ?? payment.updatedAt
  const paid = money(formatAmount(paidMinor, payment.purchaseCurrency), payment.purchaseCurrency)
  const order = money(formatAmount(session.totalMinor, session.currency), session.currency)
  const rows: (readonly [string, string])[] = [
    [words.paidAmount, paid],
    ...(payment.purchaseCurrency === session.currency ? [] : [[words.orderAmount, order] as const]),
    [words.merchant, payee?.legalName ?? ''],
    [words.method, rail ? methodName(rail, words) : payment.rail],
    [words.date, moment(at, language, session.currency, merchant.timeZone)],
    [words.reference, payment.id],
  ]
  return html`<dl aria-label="${words.receipt}">${rows.map(
    ([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`,
  )}</dl>`
}

/** Expired or failed: what that means, and another try where the merchant allows one. */
export function overView(page: SessionPage, screen: 'expired' | 'failed', canRefresh: boolean): Html {
  const { words, payee, path, language } = page.frame
  const merchant = payee?.name ?? ''
  const status = screen === 'expired' ? 'EXPIRED' : 'FAILED'
  return html`<section class="work card one">
<div class="seal">${screen === 'expired' ? clock : cross}</div>
<div class="center"><h1 tabindex="-1">${words[`${screen}Title`]}</h1><p class="muted">${words[`${screen}Text`]}</p></div>
${page.query.notice && html`<p class="notice" role="status">${fill(words[notices[page.query.notice]], { merchant })}</p>`}
${
  canRefresh
    ? html`<form method="post" action="${address(`${path}/refresh`, { lang: language })}"><button class="button">${words.again}</button><p class="note center">${words.againText}</p></form>`
    : html`<p class="center">${fill(words.askMerchant, { merchant })}</p>`
}
${page.payment && alreadyPaid(words, merchant, address(`${path}/check`, { lang: language }))}
${wayToShop({ ...page, session: { ...page.session, status } }, status, { leadsOn: false })}
</section>`
}

function alreadyPaid(words: Words, merchant: string, action: string): Html {
  return html`<details class="more"><summary>${words.alreadyPaid}</summary>
<p>${fill(words.alreadyPaidText, { merchant })}</p>
<form method="post" action="${action}"><button class="button quiet">${words.checkNow}</button></form>
</details>`
}

/** A page that only says something. */
export function messageView(words: Words, title: WordKey, text: WordKey, merchant: string): Html {
  return html`<section class="work card one">
<div class="seal">${cross}</div>
<div class="center"><h1 tabindex="-1">${words[title]}</h1><p class="muted">${fill(words[text], { merchant })}</p></div>
</section>`
}
