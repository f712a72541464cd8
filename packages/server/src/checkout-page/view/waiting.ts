/** Screens of an open payment: how to pay it, that we wait for it, and the ways out. */
import { formatAmount } from '@pasarela/connector-kit'
import type { Payment } from '../../payments/payment.ts'
import { banksOf } from '../../rails/banks.ts'
import { railOf } from '../../rails/index.ts'
import { money } from '../format.ts'
import { type Html, html } from '../html.ts'
import { methodName } from '../methods.ts'
import { address, notices, type SessionPage } from '../page.ts'
import type { Screen } from '../screens.ts'
import { fill, type Words } from '../words.ts'
import { clock, flowIcons } from './icons.ts'
import { timer } from './offer.ts'
import { qrSvg } from './qr.ts'

type Waiting = { page: SessionPage; payment: Payment; words: Words; method: string; amount: string; data: RailData }
type RailData = Readonly<Record<string, unknown>>

/** What the payer does on each screen that waits. */
const bodies: Readonly<Partial<Record<Screen, (waiting: Waiting) => Html>>> = {
  qr: qrBody,
  transfer: transferBody,
  bank: bankBody,
  wallet: ({ words, method, amount }) =>
    notedBody('wallet', fill(words.walletTitle, { method }), amount, words.walletText),
  starting: ({ words, amount }) => notedBody('redirect', words.startingTitle, amount, words.startingText),
}

/** The screen of an open payment. */
export function waitingView(page: SessionPage, screen: Screen): Html {
  const { payment } = page
  const { words } = page.frame
  if (!payment)
    return html`<section class="work card">${notedBody('redirect', words.startingTitle, '', words.startingText)}</section>`
  const rail = railOf(payment.rail)
  const waiting: Waiting = {
    page,
    payment,
    words,
    method: rail ? methodName(rail, words) : payment.rail,
    amount: money(formatAmount(payment.purchaseMinor, payment.purchaseCurrency), payment.purchaseCurrency),
    data: (rail && payment.origin ? (payment.origin[rail.key] as RailData | undefined) : undefined) ?? {},
  }
  const body = bodies[screen] ?? bodies.starting
  const left = payment.expiresAt ? (payment.expiresAt.getTime() - page.now.getTime()) / 1000 : undefined
  return html`<section class="work card">
${noticeOf(page)}
${body?.(waiting)}
<p class="wait" role="status">${words.waiting}</p>
${left !== undefined && html`<div class="center">${timer(words.timeLeft, left)}</div>`}
${waysOut(page, payment)}
</section>`
}

function noticeOf({ query, frame }: SessionPage): Html | false {
  if (!query.notice) return false
  return html`<p class="notice" role="status">${fill(frame.words[notices[query.notice]], { merchant: frame.payee?.name ?? '' })}</p>`
}

function waysOut({ frame }: SessionPage, payment: Payment): Html {
  const { words, path, language } = frame
  return html`<noscript><p class="center"><a href="${address(path, { lang: language })}">${words.reload}</a></p></noscript>
<details class="more"><summary>${words.alreadyPaid}</summary>
<p>${fill(words.alreadyPaidText, { merchant: frame.payee?.name ?? '' })}</p>
<form method="post" action="${address(`${path}/check`, { lang: language })}"><button class="button quiet">${words.checkNow}</button></form>
</details>
<form method="post" action="${address(`${path}/cancel`, { lang: language })}">
<input type="hidden" name="payment" value="${payment.id}"><button class="button quiet">${words.otherMethod}</button>
</form>`
}

function heading(title: string, amount: string): Html {
  return html`<div class="center"><h2>${title}</h2><p class="big">${amount}</p></div>`
}

function notedBody(flow: 'wallet' | 'redirect', title: string, amount: string, text: string): Html {
  return html`<p class="seal">${flowIcons[flow]}</p>${heading(title, amount)}<p class="center muted">${text}</p>`
}

function qrBody({ words, amount, data }: Waiting): Html {
  const code = text(data.data)
  return html`${heading(words.qrTitle, amount)}
${qrView(code, fill(words.qrAlt, { amount }))}
${codeView(words.code, code, words)}
<ol><li>${words.qrStep1}</li><li>${words.qrStep2}</li><li>${words.qrStep3}</li></ol>`
}

/** Dark on white in any mode: that is what cameras read. */
function qrView(code: string, label: string): Html {
  if (code === '') return html``
  return html`<div class="qr" role="img" aria-label="${label}">${qrSvg(code)}</div>`
}

function codeView(label: string, code: string, words: Words): Html {
  if (code === '') return html``
  return html`<div><p id="code-label"><b>${label}</b></p>
<div class="code"><code tabindex="0" role="textbox" aria-readonly="true" aria-labelledby="code-label">${code}</code>${copyButton(code, label, words)}</div></div>`
}

function copyButton(value: string, label: string, words: Words): Html {
  return html`<button type="button" class="mini" data-copy="${value}" data-copied="${words.copied}" aria-label="${words.copy}: ${label}">${words.copy}</button>`
}

function transferBody(waiting: Waiting): Html {
  const { words, amount, data, payment, page } = waiting
  const exact = formatAmount(payment.purchaseMinor, payment.purchaseCurrency)
  const bank = banksOf('MEX')?.find(({ code }) => code === data.bankId || code.endsWith(text(data.bankId)))
  const rows: (readonly [label: string, shown: string, copied: string])[] = [
    [words.clabe, text(data.clabe), text(data.clabe)],
    [words.cvu, payment.rail === 'CVU' ? text(data.code) : '', text(data.code)],
    [words.bank, data.bankId ? (bank?.name ?? text(data.bankId)) : '', ''],
    [words.address, text(data.address), text(data.address)],
    [words.network, text(data.network), ''],
    [words.amount, amount, exact],
    [words.beneficiary, page.frame.payee?.legalName ?? '', ''],
    [words.reference, payment.connectorRef ?? '', payment.connectorRef ?? ''],
  ]
  return html`${heading(words.transferTitle, amount)}
<p class="center muted">${words.transferText}</p>
${data.data ? qrView(text(data.data), fill(words.qrAlt, { amount })) : false}
<dl>${rows
    .filter(([, shown]) => shown !== '')
    .map(
      ([label, shown, copied]) =>
        html`<div><dt>${label}</dt><dd><span>${shown}</span>${copied !== '' && copyButton(copied, label, words)}</dd></div>`,
    )}</dl>`
}

function bankBody({ words, method, amount, data }: Waiting): Html {
  const url = bankUrl(data)
  return html`<p class="seal">${flowIcons.redirect}</p>${heading(fill(words.bankTitle, { method }), amount)}
<p class="center muted">${words.bankText}</p>
${url && html`<a class="button" href="${url}" rel="noopener">${fill(words.bankButton, { method })}</a>`}`
}

/** The rail's own page, if it may be led to: https, or http on this machine. */
export function bankUrl(data: RailData): string | undefined {
  const url = typeof data.url === 'string' ? URL.parse(data.url) : null
  const local = url?.hostname === 'localhost' || url?.hostname === '127.0.0.1' || url?.hostname === '[::1]'
  return url && (url.protocol === 'https:' || (url.protocol === 'http:' && local)) ? url.href : undefined
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Between our page and another one: says where to, and leads there. */
export function leavingView(words: Words, method: string, note: string, url: string): Html {
  return html`<section class="work card one">
<p class="seal">${clock}</p>
<div class="center"><h1 tabindex="-1">${fill(words.leavingTitle, { method })}</h1></div>
<p class="center muted">${note}</p>
<a class="button" href="${url}">${fill(words.bankButton, { method })}</a>
</section>`
}
