/** From what was loaded to a document: the tables of screens.ts choose, the views write. */

import { formatAmount } from '@pasarela/connector-kit'
import { mayPayerRefresh } from '../checkout-sessions/refresh.ts'
import { connectorNameFor } from '../connections/choose.ts'
import { railOf } from '../rails/index.ts'
import { cardPageOf } from './card-pages.ts'
import { money } from './format.ts'
import { type Html, html } from './html.ts'
import { methodName, methodsOf } from './methods.ts'
import type { SessionPage } from './page.ts'
import { awaitsNews, type Screen, screenFor } from './screens.ts'
import { type Choice, chooseView } from './view/choose.ts'
import { heldView, leadOnSeconds, overView, paidView, shopUrl } from './view/ended.ts'
import { type Frame, layout, type Page, type Rendered } from './view/layout.ts'
import { offerView } from './view/offer.ts'
import { bankUrl, leavingView, waitingView } from './view/waiting.ts'
import { fill } from './words.ts'

/** Seconds between two refreshes of a page that waits, where there is no script. */
const refreshSeconds = 3

/** The page of a session. */
export function renderSession(page: SessionPage, token: string): Rendered {
  const screen = screenOf(page)
  const leaving = page.query.go ? leavingTo(page, screen, token) : undefined
  if (leaving) return renderLeaving(page, leaving)
  const left = (page.session.expiresAt.getTime() - page.now.getTime()) / 1000
  const waits = awaitsNews[screen]
  const main = html`<main class="wrap" data-screen="${screen}"${
    waits && html` data-events="${page.frame.path}/events?v=${versionOf(page)}"`
  }>${views[screen](page, screen, left)}</main>`
  return layout({ ...titled(page, screen), main, head: refreshOf(page, screen) })
}

/** Without the script a page that waits looks again, and a receipt leads back to the shop. */
function refreshOf(page: SessionPage, screen: Screen): Html | undefined {
  if (awaitsNews[screen]) return html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}"></noscript>`
  const shop = screen === 'paid' || screen === 'authorized' ? shopUrl(page, page.session.status) : undefined
  return shop === undefined
    ? undefined
    : html`<noscript><meta http-equiv="refresh" content="${leadOnSeconds};url=${shop}"></noscript>`
}

/** The screen of a session, from the tables. */
export function screenOf({ session, payment }: SessionPage): Screen {
  const rail = payment && railOf(payment.rail)
  if (!payment || !rail) return screenFor(session.status, undefined)
  const status = payment.hold === null ? payment.status : 'HELD'
  return screenFor(session.status, { status, flow: rail.flow, instructed: payment.connectorRef !== null })
}

/** Changes with every event of the session: what a live page compares. */
function versionOf({ session }: SessionPage): string {
  return `${session.id}.${session.eventSequence}`
}

const waiting = (page: SessionPage, screen: Screen, left: number): Html =>
  besideOffer(page, waitingView(page, screen), left)
const views: Readonly<Record<Screen, (page: SessionPage, screen: Screen, left: number) => Html>> = {
  choose: (page, _, left) => besideOffer(page, chooseView(choiceOf(page)), left),
  qr: waiting,
  transfer: waiting,
  bank: waiting,
  wallet: waiting,
  starting: waiting,
  held: (page) => heldView(page),
  authorized: (page) => paidView(page, 'authorized'),
  paid: (page) => paidView(page, 'paid'),
  expired: (page) => overView(page, 'expired', mayPayerRefresh(page.merchant, page.session, page.now)),
  failed: (page) => overView(page, 'failed', mayPayerRefresh(page.merchant, page.session, page.now)),
}

function besideOffer({ session, frame }: SessionPage, work: Html, left: number): Html {
  const look = session.status === 'PROCESSING_PAYMENT' ? { folded: true } : { secondsLeft: left }
  return html`<div class="two">${offerView(session, frame.payee?.name ?? '', frame.words, look)}${work}</div>`
}

function choiceOf(page: SessionPage): Choice {
  const { session, payment } = page
  const before =
    payment?.status === 'FAILED'
      ? { word: 'noticeDeclined' as const, bad: true }
      : payment?.status === 'EXPIRED'
        ? { word: 'noticeEnded' as const, bad: false }
        : undefined
  return { shown: page, offer: session, quoteExpiresAt: session.quoteExpiresAt, before }
}

function titled(
  { frame, session }: SessionPage,
  screen: Screen,
): Pick<Page, 'frame' | 'title' | 'preview' | 'reference'> {
  const merchant = frame.payee?.name ?? ''
  const { words } = frame
  const titles: Partial<Record<Screen, string>> = {
    held: words.heldTitle,
    paid: words.paidTitle,
    authorized: words.authorizedTitle,
    expired: words.expiredTitle,
    failed: words.failedTitle,
  }
  const title = fill(words.payTitle, { merchant })
  const state = titles[screen]
  return {
    frame,
    title: state ? `${state} · ${merchant}` : title,
    preview: previewOf(frame, formatAmount(session.totalMinor, session.currency), session.currency),
    reference: session.id,
  }
}

/** What a chat shows of the address: merchant and amount, nothing of the payer. */
export function previewOf(frame: Frame, amount: string, currency: SessionPage['session']['currency']): string {
  return fill(frame.words.previewText, { amount: money(amount, currency), merchant: frame.payee?.name ?? '' })
}

type Leaving = { url: string; method: string; note: string }

/** Where a page that was asked to lead on leads: the bank of an open payment, or the page for the card of a chosen method. */
function leavingTo(page: SessionPage, screen: Screen, token: string): Leaving | undefined {
  const { payment, session, merchant, frame, query } = page
  const { words } = frame
  if (screen === 'bank' && payment) {
    const rail = railOf(payment.rail)
    const url = rail && bankUrl((payment.origin?.[rail.key] ?? {}) as Record<string, unknown>)
    return url ? { url, method: methodName(rail, words), note: words.bankText } : undefined
  }
  if (screen !== 'choose') return undefined
  const chosen = methodsOf(session.quote, session.currency, undefined).find(({ key }) => key === query.method)
  if (chosen?.rail.flow !== 'card') return undefined
  const connector = connectorNameFor(merchant, chosen.rail)
  const { publicUrl, language: lang } = frame
  const url = cardPageOf(connector, { publicUrl, token, method: chosen.key, lang })
  return url ? { url, method: methodName(chosen.rail, words), note: words.leavingText } : undefined
}

/** `form-action 'self'` would block a redirect of our form to a bank: this page leads there by refresh and link. */
function renderLeaving(page: SessionPage, { url, method, note }: Leaving): Rendered {
  const { frame } = page
  return layout({
    frame,
    title: fill(frame.words.leavingTitle, { method }),
    head: html`<meta http-equiv="refresh" content="0;url=${url}">`,
    main: html`<main class="wrap">${leavingView(frame.words, method, note, url)}</main>`,
  })
}
