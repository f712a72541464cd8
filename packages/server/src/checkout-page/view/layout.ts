/** The frame of every page: head, brand, languages, help. */

import type { Brand } from '../../brands/brand.ts'
import { logoPath } from '../../brands/find.ts'
import { type Html, html, type Part } from '../html.ts'
import { scriptPath } from '../script.ts'
import { type Style, styleOf } from '../style.ts'
import { fill, type Language, languageCodes, languages, type Words } from '../words.ts'

/** Whom the payer pays, as the page shows them. */
export type Payee = {
  readonly name: string
  readonly legalName: string
  readonly brand: Brand | undefined
  readonly email: string | undefined
  readonly phone: string | undefined
  readonly website: string | undefined
}

export type Frame = {
  readonly language: Language
  readonly words: Words
  /** Path of this page without its query. */
  readonly path: string
  /** Base of our public URLs, for previews, which want whole addresses. */
  readonly publicUrl: string
  /** The path of that base: every address of ours on the page begins with it. */
  readonly base: string
  readonly payee: Payee | undefined
  readonly sandbox: boolean
  /** A page of the sandbox itself: no languages. */
  readonly plain?: boolean
}

export type Page = {
  readonly frame: Frame
  readonly title: string
  /** What a preview says; without one there is no preview. */
  readonly preview?: string
  /** Head elements of this page alone. */
  readonly head?: Part
  readonly main: Html
  readonly reference?: string
}

export type Rendered = { readonly text: string; readonly style: Style }

/** The whole document. */
export function layout(page: Page): Rendered {
  const { frame } = page
  const { words, payee, language } = frame
  const style = styleOf(payee?.brand?.settings ?? {})
  const document = html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${page.title}</title>
<meta name="robots" content="noindex,nofollow">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
${page.preview && preview(page, page.preview)}
${style.element}
<script type="module" src="${frame.base}${scriptPath}"></script>
${page.head}
</head>
<body>
<header>
${frame.sandbox && html`<p class="test">${words.sandbox}</p>`}
<div class="top wrap"><div class="brand">${payee && mark(payee, frame.base)}</div>
${!frame.plain && switcher(frame)}</div>
</header>
${page.main}
<footer class="foot wrap">${payee && help(frame, payee, page.reference)}</footer>
<p id="live" class="away" role="status"></p>
</body>
</html>`
  return { text: document.text, style }
}

function preview({ frame, title }: Page, text: string): Html {
  const brand = frame.payee?.brand
  const image = brand?.logoHash ? frame.publicUrl + logoPath(brand.merchantId, brand.logoHash) : undefined
  return html`<meta property="og:type" content="website">
<meta property="og:site_name" content="${frame.payee?.name}">
<meta property="og:title" content="${title}">
<meta property="og:description" content="${text}">
<meta name="description" content="${text}">
${image && html`<meta property="og:image" content="${image}">`}`
}

function mark({ name, brand }: Payee, base: string): Html {
  if (brand?.logoHash) {
    return html`<img src="${base}${logoPath(brand.merchantId, brand.logoHash)}" alt="" height="40"><span>${name}</span>`
  }
  const initial = [...name.trim()][0]?.toUpperCase() ?? ''
  return html`<span class="initial" aria-hidden="true">${initial}</span><span>${name}</span>`
}

function switcher({ language, path, words }: Frame): Html {
  return html`<nav class="langs" aria-label="${words.language}">${languageCodes.map(
    (code) =>
      html`<a href="${path}?lang=${code}" lang="${code}" hreflang="${code}"${code === language && html` aria-current="true"`}>${code.toUpperCase()}<span class="away"> ${languages[code].languageName}</span></a>`,
  )}</nav>`
}

/** Whom to ask, and what to name: on every page, so that nobody is left alone with a number. */
function help({ words }: Frame, payee: Payee, reference: string | undefined): Html {
  const ways = [
    payee.email && html`<a href="mailto:${payee.email}">${payee.email}</a>`,
    payee.phone && html`<a href="tel:${payee.phone.replace(/[^+\d]/g, '')}">${payee.phone}</a>`,
    payee.website && html`<a href="${payee.website}" rel="noopener">${words.website}</a>`,
  ].filter((way) => way !== undefined && way !== '')
  const contact = fill(words.helpAt, { merchant: payee.name })
  return html`<p>${words.help} ${contact}${ways.length > 0 && ': '}${ways.map((way, i) => [i > 0 && ' · ', way])}</p>
${reference && html`<p>${words.reference}: <code>${reference}</code></p>`}`
}
