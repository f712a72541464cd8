/** The methods, each with its price and its own small form. */
import { type Field, fieldsOf, isOptional } from '../fields.ts'
import { money, rateText } from '../format.ts'
import { type Html, html } from '../html.ts'
import { type Method, methodHint, methodName, methodsOf } from '../methods.ts'
import { address, notices, type Offer, type Shown } from '../page.ts'
import { fill, type WordKey, type Words } from '../words.ts'
import { chevron, flowIcons } from './icons.ts'
import { timer } from './offer.ts'

export type Choice = {
  readonly shown: Shown
  readonly offer: Offer
  /** When the quote of converting methods dies; null: never. */
  readonly quoteExpiresAt: Date | null
  /** What happened before, for the payer to know. */
  readonly before?: { readonly word: WordKey; readonly bad: boolean } | undefined
  /** Hidden fields that every form sends besides. */
  readonly hidden?: Html
}

export function chooseView(choice: Choice): Html {
  const { shown, offer } = choice
  const { words } = shown.frame
  const methods = methodsOf(offer.quote, offer.currency, shown.guess)
  const wanted = shown.draft?.method ?? shown.query.method
  const open = methods.length === 1 ? methods[0]?.key : wanted
  return html`<section class="work" aria-labelledby="how">
<h2 id="how">${words.chooseMethod}</h2>
${noticeView(choice)}
${
  methods.length === 0
    ? html`<p>${words.noMethod}</p>`
    : html`<div>${methods.map((method) => methodView(choice, method, method.key === open))}</div>`
}
</section>`
}

/** What the address or the past says, above everything. */
function noticeView({ shown, before }: Choice): Html | false {
  const { words, payee } = shown.frame
  const word = shown.query.notice ? notices[shown.query.notice] : before?.word
  if (!word) return false
  const bad = !shown.query.notice && before?.bad === true
  return html`<p class="notice${bad && ' bad'}" role="status">${fill(words[word], { merchant: payee?.name ?? '' })}</p>`
}

function methodView(choice: Choice, method: Method, open: boolean): Html {
  const { words } = choice.shown.frame
  const { quoted, rail } = method
  const stale = isStale(choice, method)
  return html`<details class="method" name="method"${open && html` open`}>
<summary>${flowIcons[rail.flow]}<span class="line"><span class="name"><b>${methodName(rail, words)}</b><small>${methodHint(rail, words)}</small></span><span class="price">${!stale && money(quoted.purchaseAmount, quoted.currency)}</span></span>${chevron}</summary>
${stale ? staleView(choice, method) : formView(choice, method)}
</details>`
}

function isStale({ quoteExpiresAt, shown }: Choice, method: Method): boolean {
  return method.converts && quoteExpiresAt !== null && quoteExpiresAt <= shown.now
}

/** A dead price is not paid: a POST makes a new one, which the payer sees first. */
function staleView({ shown }: Choice, { quoted, key }: Method): Html {
  const { words, path } = shown.frame
  return html`<form class="stale" method="post" action="${address(`${path}/refresh`, { lang: shown.frame.language, method: key })}">
<p><b>${fill(words.staleTitle, { currency: quoted.currency })}</b></p>
<p class="muted">${words.staleText}</p>
<button class="button">${words.staleButton}</button>
</form>`
}

function formView(choice: Choice, method: Method): Html {
  const { shown, offer } = choice
  const { words, path, language } = shown.frame
  const { quoted, rail, key } = method
  const draft = shown.draft?.method === key ? shown.draft : undefined
  const fields = fieldsOf({
    rail,
    customer: offer.customer,
    requirements: offer.customerRequirements,
    besides: Object.keys(draft?.errors ?? {}),
  })
  const amount = money(quoted.purchaseAmount, quoted.currency)
  const broken = Object.keys(draft?.errors ?? {}).length > 0
  const button = rail.flow === 'card' ? words.payWith : words.pay
  return html`<form method="post" action="${address(`${path}/pay`, { lang: language })}" novalidate>
<input type="hidden" name="method" value="${key}"><input type="hidden" name="amount" value="${quoted.purchaseAmount}">${choice.hidden}
${broken && html`<p class="notice bad" role="alert">${words.errSummary}</p>`}
${fields.length > 0 && html`<div class="fields">${fields.map((field, i) => fieldView(field, { key, words, draft, first: firstBroken(fields, draft?.errors) === i }))}</div>`}
${method.converts && rateView(choice, method)}
<button class="button">${fill(button, { amount, method: methodName(rail, words) })}</button>
</form>`
}

function rateView({ offer, quoteExpiresAt, shown }: Choice, { quoted }: Method): Html {
  const { words } = shown.frame
  const rate = rateText(quoted.rate, quoted.currency, offer.currency)
  const left = quoteExpiresAt ? (quoteExpiresAt.getTime() - shown.now.getTime()) / 1000 : undefined
  return html`<div class="note"><p>${fill(words.rateNote, { currency: quoted.currency, rate })}</p>${left !== undefined && timer(words.rateLocked, left)}</div>`
}

function firstBroken(fields: readonly Field[], errors: Readonly<Record<string, WordKey>> | undefined): number {
  return fields.findIndex(({ path }) => errors?.[path] !== undefined)
}

type FieldContext = {
  key: string
  words: Words
  draft: Shown['draft']
  /** The first that is wrong gets the focus. */
  first: boolean
}

function fieldView(field: Field, { key, words, draft, first }: FieldContext): Html {
  const id = `${key}-${field.path}`
  const error = draft?.errors[field.path]
  const examples = field.examples ?? []
  const hint = examples.length > 0 && fill(words.example, { example: examples.slice(0, 2).join(` ${words.or} `) })
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  const value = draft?.values[field.path] ?? field.preset
  const shared = html`id="${id}" name="${field.path}" autocomplete="${field.autocomplete}"${
    !isOptional(field.path) && html` aria-required="true"`
  }${error && html` aria-invalid="true"`}${described && html` aria-describedby="${described}"`}${first && html` autofocus`}`
  return html`<div class="field${field.narrow && ' narrow'}">
<label for="${id}">${labelOf(field, words)}${isOptional(field.path) && [' ', words.optional]}</label>
${field.options ? selectView(field, shared, value, words) : inputView(field, shared, value)}
${hint && html`<small id="${id}-hint" data-hint>${hint}</small>`}
${error && html`<small id="${id}-error" class="err">${errorText(error, field, words)}</small>`}
</div>`
}

/** What a document type is called: most are called by their own name everywhere. */
function documentName(type: string, words: Words): string {
  return words[`document${type}` as WordKey] ?? type
}

function documentNames(types: readonly string[], words: Words): string {
  return types.map((type) => documentName(type, words)).join(` ${words.or} `)
}

function errorText(error: WordKey, field: Field, words: Words): string {
  const word = error === 'errDocument' && !field.named ? 'errDocumentOfType' : error
  return fill(words[word], { types: documentNames(field.documents ?? [], words) })
}

/** One or two kinds of document name the field themselves: "CPF o CNPJ". */
function labelOf(field: Field, words: Words): string {
  return field.documents && field.named ? documentNames(field.documents, words) : words[field.label]
}

function inputView(field: Field, shared: Html, value: string | undefined): Html {
  const mask = field.documents && field.documents.length > 0 && html` data-mask="${field.documents.join(' ')}"`
  return html`<input ${shared} type="${field.kind}" inputmode="${field.inputMode}" maxlength="${field.maxLength}" value="${value ?? ''}"${mask}${
    field.path === 'customer.documentNumber' && html` autocapitalize="characters" spellcheck="false"`
  }>`
}

function selectView(field: Field, shared: Html, value: string | undefined, words: Words): Html {
  const isDocument = field.path === 'customer.documentType'
  return html`<select ${shared}><option value="">${words.choose}</option>${(field.options ?? []).map(
    ([code, label]) =>
      html`<option value="${code}"${code === value && html` selected`}>${isDocument ? documentName(label, words) : label}</option>`,
  )}</select>`
}
