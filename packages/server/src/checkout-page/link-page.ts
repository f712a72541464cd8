/** The page of a link: the same offer, quoted as of now. Only acting on it mints a session. */

import { formatAmount } from '@pasarela/connector-kit'
import { createFromLink } from '../checkout-sessions/create.ts'
import { requote } from '../checkout-sessions/requote.ts'
import { pageUrl } from '../checkout-sessions/session.ts'
import type { Context } from '../kit/context.ts'
import { uuidBytes } from '../kit/id.ts'
import { Problem } from '../kit/problem.ts'
import { seal, unseal } from '../kit/seal.ts'
import type { LinkStatus } from '../payment-links/link.ts'
import type { Quote } from '../quotes/quote.ts'
import { type Html, html } from './html.ts'
import { type LoadedLink, loadLink } from './load.ts'
import type { Shown } from './page.ts'
import { previewOf } from './render.ts'
import { chooseView } from './view/choose.ts'
import { messageView } from './view/ended.ts'
import { layout, type Rendered } from './view/layout.ts'
import { offerView } from './view/offer.ts'
import { fill, type WordKey } from './words.ts'

type Said = { title: WordKey; text: WordKey; status: number }

/** What each status of a link says; `undefined`: it can be paid. */
const said: Readonly<Record<LinkStatus | 'deleted', Said | undefined>> = {
  ACTIVE: undefined,
  ATTEMPT: { title: 'linkInactiveTitle', text: 'linkInactiveText', status: 410 },
  EXPIRED: { title: 'linkExpiredTitle', text: 'linkExpiredText', status: 410 },
  FINISHED: { title: 'linkFinishedTitle', text: 'linkFinishedText', status: 410 },
  // All its uses are in flight: one may come free again.
  PROCESSING_PAYMENT: { title: 'linkBusyTitle', text: 'linkBusyText', status: 409 },
  deleted: { title: 'linkInactiveTitle', text: 'linkInactiveText', status: 410 },
}

/** The page and its status code. */
export async function renderLink(
  ctx: Context,
  { merchant, link, now }: LoadedLink,
  shown: Shown,
): Promise<{ page: Rendered; status: number }> {
  const { frame } = shown
  const { words } = frame
  const name = frame.payee?.name ?? ''
  const title = fill(words.payTitle, { merchant: name })
  const over = said[link.deletedAt ? 'deleted' : link.status]
  if (over) {
    const main = html`<main class="wrap">${messageView(words, over.title, over.text, name)}</main>`
    return { page: layout({ frame, title: words[over.title], main, reference: link.id }), status: over.status }
  }
  const quote = await quoteOrNone(ctx, { merchant, link, now })
  const offer = { ...link, quote }
  const work = chooseView({ shown, offer, quoteExpiresAt: null, hidden: onceField(ctx, link.pageToken) })
  const main = html`<main class="wrap" data-screen="link"><div class="two">${offerView(offer, name, words, {})}${work}</div></main>`
  const preview = previewOf(frame, formatAmount(link.totalMinor, link.currency), link.currency)
  return { page: layout({ frame, title, preview, main, reference: link.id }), status: 200 }
}

async function quoteOrNone(ctx: Context, { merchant, link, now }: Omit<LoadedLink, 'payee'>): Promise<Quote> {
  try {
    return await requote(ctx, merchant, link, now)
  } catch (error) {
    // No method can be used today: the page says so.
    if (error instanceof Problem && error.status < 500) return { quotedAt: now.toISOString(), methods: [] }
    throw error
  }
}

/** How long a form of a link names the session it makes. */
const onceMs = 3_600_000

/**
 * What makes a second click meet the first one's session instead of minting another: the seed of the session's id, made
 * with the form and sealed, so that nobody makes ids of his own.
 */
function onceField(ctx: Context, pageToken: string): Html {
  const sealed = seal(ctx.masterKey, `form of link ${pageToken}`, uuidBytes(ctx.clock.nowMs()))
  return html`<input type="hidden" name="once" value="${sealed.toString('base64url')}">`
}

/** The seed that a form brought; a new one where it is not ours or too old. */
function readOnce(ctx: Context, pageToken: string, text: string | null): Uint8Array {
  const nowMs = ctx.clock.nowMs()
  if (text === null || text.length > 200) return uuidBytes(nowMs)
  try {
    const seed = unseal(ctx.masterKey, `form of link ${pageToken}`, Buffer.from(text, 'base64url'))
    return seed.length === 16 && nowMs - seed.readUIntBE(0, 6) < onceMs ? seed : uuidBytes(nowMs)
  } catch {
    return uuidBytes(nowMs)
  }
}

/** Mints the session of a form, or finds the one it minted before; the token of its page, or undefined when the link takes none. */
export async function mintSession(ctx: Context, token: string, form: URLSearchParams): Promise<string | undefined> {
  const { merchant, link } = await loadLink(ctx, token)
  if (said[link.deletedAt ? 'deleted' : link.status]) return undefined
  const seed = readOnce(ctx, link.pageToken, form.get('once'))
  const by = { merchant, clientId: '', requestsPerSecond: null, version: 'v2' as const, seed }
  try {
    const session = await createFromLink(ctx, by, { checkoutToken: link.checkoutToken, customer: null })
    return pageUrl('', merchant.id, session.pageToken).slice('/pay/'.length)
  } catch (error) {
    // Deactivated this very moment, or no method is left: the link's page says which.
    if (error instanceof Problem && error.status < 500) return undefined
    throw error
  }
}
