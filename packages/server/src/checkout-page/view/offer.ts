/** What is being paid: whom, how much, what for. */
import { formatAmount, parseNonNegative } from '@pasarela/connector-kit'
import type { Item } from '../../offers/offer.ts'
import { bareMoney, money, timeLeft } from '../format.ts'
import { type Html, html } from '../html.ts'
import type { Offer } from '../page.ts'
import { fill, type Words } from '../words.ts'

/** Lists of this length or less are open from the start. */
const openUpTo = 3

/** `folded`: the items make room for what the payer does now. */
export type OfferLook = { readonly secondsLeft?: number; readonly folded?: boolean }

/** The summary. */
export function offerView(offer: Offer, payee: string, words: Words, look: OfferLook): Html {
  const total = money(formatAmount(offer.totalMinor, offer.currency), offer.currency)
  return html`<section class="sum">
<h1 tabindex="-1">${words.payTo} <b>${payee}</b></h1>
<p class="total">${total}</p>
${look.secondsLeft !== undefined && timer(words.timeLeft, look.secondsLeft)}
<details class="items"${!look.folded && offer.items.length <= openUpTo && html` open`}>
<summary>${offer.items.length > 1 ? fill(words.itemsOf, { count: offer.items.length }) : words.details}</summary>
<ul>${offer.items.map((item) => itemView(item, offer, words))}</ul>
${offer.items.length > 1 && sums(offer, words)}
</details>
</section>`
}

/** A countdown: a text that stands without the script, and that the script keeps true. */
export function timer(label: string, seconds: number): Html {
  return html`<p class="timer">${label} <b data-left="${Math.max(0, Math.floor(seconds))}">${timeLeft(seconds)}</b></p>`
}

function itemView(item: Item, { currency }: Offer, words: Words): Html {
  const { tax } = item
  const taxed = tax && parseNonNegative(tax.amount, currency) !== 0n
  return html`<li class="row"><span>${item.description}${
    taxed &&
    html`<br><small>${fill(words.includesTax, { name: tax.name, amount: bareMoney(tax.amount, currency) })}</small>`
  }</span><span>${bareMoney(item.totalAmount, currency)}</span></li>`
}

function sums(offer: Offer, words: Words): Html | false {
  const tax = offer.totalMinor - offer.preTaxMinor
  if (tax === 0n) return false
  const amount = (minor: bigint) => bareMoney(formatAmount(minor, offer.currency), offer.currency)
  return html`<p class="row sub"><span>${words.subtotal}</span><span>${amount(offer.preTaxMinor)}</span></p>
<p class="row sub"><span>${words.taxes}</span><span>${amount(tax)}</span></p>`
}
