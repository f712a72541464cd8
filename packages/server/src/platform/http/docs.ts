/** The reference for people at /docs and for programs at /openapi.json: made when first asked for, complete in itself. */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type App, jsonType } from '../../kit/operation.ts'
import { readViewer, viewerVersion } from './docs-viewer.ts'
import { buildOpenApi } from './openapi.ts'

const script = 'text/javascript; charset=utf-8'

/** `version`: what the content is known by in its URL, where it may be kept for good. */
type Asset = { type: string; etag: string; gzipped: Buffer; plain?: Buffer; version?: string }

/** Settings of the viewer: nothing that would call home, ask an assistant, or send a request by way of someone else. */
const viewer = {
  agent: { disabled: true },
  mcp: { disabled: true },
  telemetry: false,
  withDefaultFonts: false,
  showDeveloperTools: 'never',
  hideClientButton: true,
  documentDownloadType: 'direct',
  proxyUrl: '',
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
  defaultOpenFirstTag: true,
  persistAuth: false,
  metaData: { title: 'Pasarela API' },
}

/** `root` leads from the page to the root of the API, so that a proxy may keep all of it below a path. */
const page = (root: string, version: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pasarela API</title>
<link rel="icon" href="data:,">
</head>
<body>
<div id="app"></div>
<noscript>This reference needs JavaScript; the same is said by <a href="${root}openapi.json">openapi.json</a>.</noscript>
<script src="${root}docs/viewer.js?v=${version}"></script>
<script src="${root}docs/start.js"></script>
</body>
</html>
`

const start = `const root = new URL('..', document.currentScript.src).href
Scalar.createApiReference('#app', {
  ...${JSON.stringify(viewer)},
  url: root + 'openapi.json',
  baseServerURL: root.slice(0, -1),
})
`

/** The browser itself refuses whatever is not ours, should the viewer ever ask for it. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Serves the description of what is declared on `app`. Nothing is built, loaded or kept before the first request. */
export function serveDocs(app: App): void {
  const html = async (root: string) => asset('text/html; charset=utf-8', page(root, await viewerVersion()))
  const assets: Record<string, () => Promise<Asset>> = {
    '/openapi.json': () => asset(jsonType, JSON.stringify(buildOpenApi(app))),
    '/docs': () => html(''),
    '/docs/': () => html('../'),
    '/docs/start.js': () => asset(script, start),
    '/docs/viewer.js': async () => ({
      ...(await asset(script, await readViewer(), { keepPlain: false })),
      version: await viewerVersion(),
    }),
  }
  const made = new Map<string, Promise<Asset>>()
  for (const url of Object.keys(assets)) {
    // The router takes both forms for the same, but links from them lead to different places.
    if (url.endsWith('/')) continue
    app.get(url, { schema: { hide: true }, config: { access: 'open' } }, async (request, reply) => {
      const path = request.url.split('?')[0] ?? url
      const name = path in assets ? path : url
      const known = made.get(name) ?? (assets[name] as () => Promise<Asset>)()
      made.set(name, known)
      return send(request, reply, await known.catch((error) => forget(made, name, error)))
    })
  }
}

function forget(made: Map<string, unknown>, url: string, error: unknown): never {
  made.delete(url)
  throw error
}

async function asset(type: string, text: string, { keepPlain = true } = {}): Promise<Asset> {
  const plain = Buffer.from(text)
  const gzipped = await promisify(gzip)(plain, { level: 9 })
  return { type, etag: etagOf(plain), gzipped, ...(keepPlain ? { plain } : {}) }
}

function etagOf(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
}

function send(request: FastifyRequest, reply: FastifyReply, { type, etag, gzipped, plain, version }: Asset) {
  const forGood = version !== undefined && (request.query as { v?: unknown }).v === version
  reply.headers({
    'cache-control': forGood ? 'public, max-age=31536000, immutable' : 'no-cache',
    'content-security-policy': contentPolicy,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    vary: 'accept-encoding',
    etag,
  })
  if (request.headers['if-none-match']?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))
    return reply.code(304).send()
  reply.type(type)
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  if (plain && !takesGzip) return reply.send(plain)
  return reply.header('content-encoding', 'gzip').send(gzipped)
}
