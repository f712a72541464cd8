/** The hosted pages: GET shows and changes nothing, POST acts and answers with a redirect to a page of ours. */
import { isUtf8 } from 'node:buffer'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../kit/context.ts'
import type { App } from '../kit/operation.ts'
import { Problem, problem } from '../kit/problem.ts'
import { act, returnFromBank } from './act.ts'
import { redirect, sendPage } from './answer.ts'
import { basePath } from './base-path.ts'
import { readDraft } from './draft.ts'
import { html } from './html.ts'
import { limiter } from './limiter.ts'
import { mintSession, renderLink } from './link-page.ts'
import { livePages } from './live.ts'
import { loadLink, loadSession, readToken } from './load.ts'
import { address, type Notice, notices, type Query, type Shown } from './page.ts'
import { renderSession } from './render.ts'
import { actions } from './screens.ts'
import { script, scriptPath } from './script.ts'
import { messageView } from './view/ended.ts'
import { type Frame, layout, type Payee } from './view/layout.ts'
import { countryGuess, isLanguage, type Language, languageOf, languages, type WordKey } from './words.ts'

type Params = { token: string }
const open = { schema: { hide: true }, config: { access: 'open' as const, forPayers: true }, bodyLimit: 32 * 1024 }

export function checkoutPageRoutes(app: App, ctx: Context): void {
  app.get(scriptPath, open, sendScript)
  app.register(async (scope) => {
    readForms(scope)
    scope.setErrorHandler((error, request, reply) => sendError(ctx, error, request, reply))
    // Nothing is done for an address that is no page's: neither counted nor written into a redirect.
    scope.addHook('onRequest', async ({ params }) => {
      if (!readToken((params as Params).token)) throw problem('notFound', 'There is no such page.')
    })
    const limit = limiter(() => ctx.clock.nowMs())
    const allow = (request: FastifyRequest, kind: 'view' | 'act' | 'link') => {
      const { token } = request.params as Params
      if (!limit.take(kind, request.ip, token)) throw problem('tooManyRequests', 'Too many.', { retryAfterSeconds: 5 })
    }
    sessionPages(scope, ctx, allow)
    linkPages(scope, ctx, allow)
    livePages(scope, ctx, (request) => allow(request, 'view'))
  })
}

type Allow = (request: FastifyRequest, kind: 'view' | 'act' | 'link') => void

function sessionPages(scope: App, ctx: Context, allow: Allow): void {
  const base = basePath(ctx.publicUrl)
  scope.get('/pay/:token', open, async (request, reply) => {
    allow(request, 'view')
    const { token } = request.params as Params
    const { payee, ...loaded } = await loadSession(ctx, token)
    const draft = readDraft(ctx, token, request.headers.cookie)
    const shown = shownFor(ctx, request, {
      merchant: loaded.merchant,
      now: loaded.now,
      payee,
      path: `${base}/pay/${token}`,
    })
    return sendPage(request, reply, renderSession({ ...shown, ...loaded, draft: draftFor(shown.query, draft) }, token))
  })
  for (const action of actions) {
    scope.post(`/pay/:token/${action}`, open, async (request, reply) => {
      requireOwnOrigin(ctx, request)
      allow(request, 'act')
      const { token } = request.params as Params
      const form = formOf(request)
      const query = queryOf(request)
      if (query.method !== undefined) form.set('method', query.method)
      const next = await act(ctx, action, { token, form, cookie: request.headers.cookie })
      return redirect(reply, address(`${base}/pay/${token}`, { ...langOf(query), ...next.query }), [
        ...(next.cookies ?? []),
        ...(query.lang ? [languageCookie(ctx, token, query.lang)] : []),
      ])
    })
  }
  // An address of an action, reloaded or bookmarked: the page itself is meant.
  scope.get('/pay/:token/*', open, async (request, reply) =>
    redirect(reply, `${base}/pay/${(request.params as Params).token}`),
  )
  // The bank's own door: any method it uses, from wherever it is.
  scope.route({
    ...open,
    method: ['GET', 'POST'],
    url: '/pay/:token/return',
    handler: async (request, reply) => {
      const { token } = request.params as Params
      allow(request, 'act')
      await returnFromBank(ctx, token)
      const lang = /(?:^|;\s*)lang=(es|pt|en)(?:;|$)/.exec(request.headers.cookie ?? '')?.[1]
      return redirect(reply, address(`${base}/pay/${token}`, lang ? { lang } : {}))
    },
  })
}

function linkPages(scope: App, ctx: Context, allow: Allow): void {
  const base = basePath(ctx.publicUrl)
  scope.get('/link/:token', open, async (request, reply) => {
    allow(request, 'link')
    const { token } = request.params as Params
    const { payee, ...loaded } = await loadLink(ctx, token)
    const shown = shownFor(ctx, request, {
      merchant: loaded.merchant,
      now: loaded.now,
      payee,
      path: `${base}/link/${token}`,
    })
    const { page, status } = await renderLink(ctx, { ...loaded, payee }, shown)
    return sendPage(request, reply, page, status)
  })
  scope.get('/link/:token/*', open, async (request, reply) =>
    redirect(reply, `${base}/link/${(request.params as Params).token}`),
  )
  scope.post('/link/:token/pay', open, async (request, reply) => {
    requireOwnOrigin(ctx, request)
    allow(request, 'link')
    const { token } = request.params as Params
    const lang = langOf(queryOf(request))
    const form = formOf(request)
    const minted = await mintSession(ctx, token, form)
    if (minted === undefined) return redirect(reply, address(`${base}/link/${token}`, lang))
    const next = await act(ctx, 'pay', { token: minted, form, cookie: undefined })
    return redirect(reply, address(`${base}/pay/${minted}`, { ...lang, ...next.query }), next.cookies)
  })
}

/** Forms only, on these routes only; what a bank posts with its payer is taken and not looked at. */
function readForms(scope: App): void {
  scope.removeAllContentTypeParsers()
  const type = 'application/x-www-form-urlencoded'
  scope.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, readForm(body as Buffer)),
  )
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined))
}

/** Null for what is not UTF-8: an ñ would be lost. Only a form that we read is refused for it; a bank may post what it likes. */
function readForm(body: Buffer): URLSearchParams | null {
  try {
    if (!isUtf8(body)) return null
    decodeURIComponent(body.toString())
    return new URLSearchParams(body.toString())
  } catch {
    return null
  }
}

function formOf(request: FastifyRequest): URLSearchParams {
  if (request.body === null) throw problem('parsingResource', 'The form is not valid UTF-8.')
  return request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
}

/** Our own forms only. Browsers name the origin of every POST; what names none is no browser that could be misled. */
function requireOwnOrigin(ctx: Context, request: FastifyRequest): void {
  const { origin, host } = request.headers
  if (origin === undefined) {
    const site = request.headers['sec-fetch-site']
    if (site === undefined || site === 'same-origin' || site === 'none') return
  } else {
    const from = URL.parse(origin)
    if (from && (from.host === host || from.origin === URL.parse(ctx.publicUrl)?.origin)) return
  }
  throw problem('forbiddenOperation', 'The request comes from another site.')
}

function queryOf(request: FastifyRequest): Query {
  const { lang, notice, method, go } = request.query as Record<string, unknown>
  return {
    ...(isLanguage(lang) ? { lang } : {}),
    ...(typeof notice === 'string' && Object.hasOwn(notices, notice) ? { notice: notice as Notice } : {}),
    ...(typeof method === 'string' && /^[A-Z_]{2,20}-[A-Z]{3,5}$/.test(method) ? { method } : {}),
    ...(go === '1' ? { go: true } : {}),
  }
}

function langOf({ lang }: Query): Query {
  return lang ? { lang } : {}
}

/** A bank knows our return address only: the language that the payer chose waits in this browser. */
function languageCookie(ctx: Context, token: string, lang: string): string {
  const secure = ctx.publicUrl.startsWith('https:') ? '; Secure' : ''
  return `lang=${lang}; Path=${basePath(ctx.publicUrl)}/pay/${token}; Max-Age=86400; HttpOnly; SameSite=Lax${secure}`
}

/** A draft belongs to the form that the redirect named; any other visit begins afresh. */
function draftFor(query: Query, draft: Shown['draft']): Shown['draft'] {
  return draft && draft.method === query.method ? draft : undefined
}

type For = { merchant: Shown['merchant']; now: Date; payee: Payee; path: string }

function shownFor(ctx: Context, request: FastifyRequest, { merchant, now, payee, path }: For): Shown {
  const sandbox = merchant.mode === 'sandbox'
  return {
    frame: frameFor(ctx, request, { path, payee, sandbox }),
    query: queryOf(request),
    merchant,
    now,
    guess: countryGuess(request.headers['accept-language']),
    draft: undefined,
  }
}

function frameFor(
  ctx: Context,
  request: FastifyRequest,
  { path, payee, sandbox }: { path: string; payee: Payee | undefined; sandbox: boolean },
): Frame {
  const lang = queryOf(request).lang
  const language: Language = isLanguage(lang) ? lang : languageOf(request.headers['accept-language'])
  return {
    language,
    words: languages[language],
    path,
    publicUrl: ctx.publicUrl,
    base: basePath(ctx.publicUrl),
    payee,
    sandbox,
  }
}

type Said = { status: number; title: WordKey; text: WordKey }
const somethingFailed: Said = { status: 500, title: 'errorTitle', text: 'errorText' }

/** What a refusal says to a payer, by its status. */
const refusals: Readonly<Record<number, Said>> = {
  403: { status: 403, title: 'foreignTitle', text: 'foreignText' },
  404: { status: 404, title: 'notFoundTitle', text: 'notFoundText' },
  429: { status: 429, title: 'tooManyTitle', text: 'tooManyText' },
  503: { status: 503, title: 'errorTitle', text: 'errorText' },
}

/** Payers get a page in their language; what we did not expect is logged and told without its insides. */
function sendError(ctx: Context, error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const known = error instanceof Problem ? error.status : ((error as { statusCode?: number }).statusCode ?? 500)
  const said = refusals[known] ?? (known < 500 ? { ...somethingFailed, status: known } : somethingFailed)
  if (said.status >= 500 && !isRefusal(error)) request.log.error({ err: error }, 'a page could not be shown')
  if (error instanceof Problem && error.retryAfterSeconds) reply.header('retry-after', error.retryAfterSeconds)
  const path = request.method === 'GET' ? basePath(ctx.publicUrl) + (request.url.split('?')[0] ?? '/') : '/'
  const frame = frameFor(ctx, request, { path, payee: undefined, sandbox: false })
  const main = html`<main class="wrap">${messageView(frame.words, said.title, said.text, '')}</main>`
  return sendPage(request, reply, layout({ frame, title: frame.words[said.title], main }), said.status)
}

/** A limit that did its work is no failure of ours. */
function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.status === 503
}

async function sendScript(request: FastifyRequest, reply: FastifyReply) {
  const accepted = String(request.headers['accept-encoding'] ?? '')
  const encoding = /\bbr\b/.test(accepted) ? 'br' : /\bgzip\b/.test(accepted) ? 'gzip' : undefined
  reply.headers({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    vary: 'accept-encoding',
  })
  if (encoding) reply.header('content-encoding', encoding)
  return reply.send(script[encoding ?? 'plain'])
}
