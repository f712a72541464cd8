/** The reference for people at /docs and for programs at /openapi.json: made when first asked for, complete in itself. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type App, jsonType } from '../kit/operation.ts'
import { buildOpenApi } from './openapi.ts'

const script = 'text/javascript; charset=utf-8'

type Asset = { type: string; etag: string; gzipped: Buffer; plain?: Buffer }

/** Settings of the viewer: nothing that would call home, ask an assistant, or send a request by way of someone else. */
const viewer = {
  url: '/openapi.json',
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

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pasarela API</title>
<link rel="icon" href="data:,">
</head>
<body>
<div id="app"></div>
<noscript>This reference needs JavaScript; the same is said by <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/viewer.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
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
  const assets: Record<string, () => Promise<Asset> | Asset> = {
    '/openapi.json': () => asset(jsonType, JSON.stringify(buildOpenApi(app)), { keepPlain: true }),
    '/docs': () => asset('text/html; charset=utf-8', page, { keepPlain: true }),
    '/docs/start.js': () => asset(script, `Scalar.createApiReference('#app', ${JSON.stringify(viewer)})\n`),
    '/docs/viewer.js': unpackViewer,
  }
  const made = new Map<string, Promise<Asset>>()
  for (const [url, make] of Object.entries(assets)) {
    app.get(url, { schema: { hide: true }, config: { access: 'open' } }, async (request, reply) => {
      const known = made.get(url) ?? Promise.resolve(make())
      made.set(url, known)
      return send(request, reply, await known.catch((error) => forget(made, url, error)))
    })
  }
}

function forget(made: Map<string, unknown>, url: string, error: unknown): never {
  made.delete(url)
  throw error
}

function asset(type: string, text: string, { keepPlain = false } = {}): Asset {
  const plain = Buffer.from(text)
  return { type, etag: etagOf(plain), gzipped: gzipSync(plain), ...(keepPlain ? { plain } : {}) }
}

function etagOf(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
}

function send(request: FastifyRequest, reply: FastifyReply, { type, etag, gzipped, plain }: Asset) {
  reply.headers({
    'cache-control': 'no-cache',
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

/**
 * The viewer's script, compressed. Its package holds 4 MB of script as text beside much that we do not need; a process of
 * its own loads it, hands over 1 MB and takes the rest of the memory with it (a thread would leave 30 MB behind).
 */
async function unpackViewer(): Promise<Asset> {
  const program = fileURLToPath(new URL('./docs-viewer.ts', import.meta.url))
  const options = { encoding: 'buffer', maxBuffer: 16 * 1024 * 1024, timeout: 30_000 } as const
  const { stdout } = await promisify(execFile)(process.execPath, [program], options)
  return { type: script, etag: etagOf(stdout), gzipped: stdout }
}
