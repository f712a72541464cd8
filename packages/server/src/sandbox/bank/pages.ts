/** The pages that play a bank and a card processor: plain, in English, and plainly not real. */

import { type Html, html } from '../../checkout-page/html.ts'
import { address } from '../../checkout-page/page.ts'
import { type Frame, layout, type Rendered } from '../../checkout-page/view/layout.ts'
import { languages } from '../../checkout-page/words.ts'

function frameOf(path: string): Frame {
  const base = path.slice(0, path.indexOf('/sandbox/'))
  return {
    language: 'en',
    words: languages.en,
    path,
    publicUrl: '',
    base,
    payee: undefined,
    sandbox: true,
    plain: true,
  }
}

export type BankPage = {
  path: string
  rail: string
  amount: string
  /** Whether the payment still waits for the payer. */
  open: boolean
  returnUrl: string
}

/** The bank: three ways out. */
export function bankPage({ path, rail, amount, open, returnUrl }: BankPage): Rendered {
  const choices = html`<form method="post" action="${path}/approve"><button class="button">Approve</button></form>
<form method="post" action="${path}/decline"><button class="button quiet">Decline</button></form>
<a class="button quiet" href="${returnUrl}">Go back without deciding</a>`
  const over = html`<p class="center">This payment no longer waits for you.</p><a class="button" href="${returnUrl}">Go back</a>`
  return sheet(
    path,
    `${rail} (sandbox bank)`,
    html`<div class="center"><h1 tabindex="-1">${rail}</h1><p class="muted">Sandbox bank: it plays the page where the payer approves.</p><p class="big">${amount}</p></div>
${open ? choices : over}`,
  )
}

/** After a decision: back to the checkout, by refresh and link, because a form may not be redirected to another site. */
export function decidedPage(path: string, returnUrl: string): Rendered {
  const main = html`<div class="center"><h1 tabindex="-1">Thank you</h1><p class="muted">Taking you back to the checkout.</p></div>
<a class="button" href="${returnUrl}">Go back</a>`
  return sheet(path, 'Decided', main, html`<meta http-equiv="refresh" content="0;url=${returnUrl}">`)
}

const cards: readonly (readonly [token: string, name: string, what: string])[] = [
  ['tok_sandbox_approved', 'Card that is approved', 'captured at once'],
  ['tok_sandbox_manual', 'Card that is reserved', 'authorised, captured when the merchant says so'],
  ['tok_sandbox_declined', 'Card that is declined', 'refused by its bank'],
]

export type CardPage = { path: string; payPath: string; method: string; price: string; amount: string; lang: string }

/** The card processor: test tokens as buttons, no field for any number. */
export function cardPage({ path, payPath, method, price, amount, lang }: CardPage): Rendered {
  const form = ([
    token,
    name,
    what,
  ]: (typeof cards)[number]): Html => html`<form method="post" action="${address(`${payPath}/pay`, { lang })}">
<input type="hidden" name="method" value="${method}"><input type="hidden" name="amount" value="${price}"><input type="hidden" name="token" value="${token}">
<button class="button quiet"><span><b>${name}</b><br><small>${what}</small></span></button></form>`
  return sheet(
    path,
    'Card (sandbox)',
    html`<div class="center"><h1 tabindex="-1">Choose a test card</h1><p class="muted">Sandbox card processor: no card number is asked for.</p><p class="big">${amount}</p></div>
${cards.map(form)}
<a class="button quiet" href="${address(payPath, { lang })}">Go back</a>`,
  )
}

function sheet(path: string, title: string, body: Html, head?: Html): Rendered {
  const main = html`<main class="wrap"><section class="work card one">${body}</section></main>`
  return layout({ frame: frameOf(path), title, main, ...(head ? { head } : {}) })
}
