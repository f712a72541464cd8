/** The reference at /docs, in a real browser: readable, and complete without asking anybody else. */
import assert from 'node:assert/strict'
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import { buildIdleApp } from '../src/describe.ts'
import type { App } from '../src/kit/operation.ts'
import { openBrowser } from './browser.ts'

/** How long nothing more may be asked for once the page stands. */
const quietMs = 500

let app: App
let origin: string
let browser: Browser
before(async () => {
  app = await buildIdleApp()
  origin = await app.listen({ host: '127.0.0.1', port: 0 })
  browser = await openBrowser()
})
after(async () => {
  await browser?.close()
  await app.close()
})

/** Opens the reference; what was asked for and what went wrong is collected. */
async function openReference(at = `${origin}/docs`): Promise<{ page: Page; asked: string[]; wrong: string[] }> {
  const page = await browser.newPage()
  const asked: string[] = []
  const wrong: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  page.on('requestfailed', (request) => wrong.push(`${request.url()}: ${request.failure()?.errorText}`))
  page.on('pageerror', (error) => wrong.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.text().includes('Content Security Policy')) wrong.push(message.text())
  })
  await page.goto(at)
  await page.getByRole('heading', { name: 'Pasarela', exact: true }).waitFor()
  return { page, asked, wrong }
}

test('the reference shows the operations and asks nobody but this server', async () => {
  const { page, asked, wrong } = await openReference()
  await page.getByRole('heading', { name: 'Exchange client credentials for a bearer token' }).first().waitFor()
  // The operations stand there, so everything needed has come; what is asked for beside it would be asked for now.
  // (Playwright's `networkidle` is not waited for: it counts by itself, and sometimes never comes.)
  await pause(quietMs)
  assert.deepEqual(
    asked.filter((url) => !url.startsWith('data:')).map((url) => url.replace(/\?v=[\d.]+$/, '?v=')),
    ['/docs', '/docs/viewer.js?v=', '/docs/start.js', '/openapi.json'].map((path) => origin + path),
  )
  assert.deepEqual(wrong, [])
  const text = (await page.textContent('body')) ?? ''
  assert.doesNotMatch(text, /Ask AI|Generate MCP|Open API Client/)
  await page.close()
})

test('a request can be tried from the page, and goes to this server alone', async () => {
  const { page, asked } = await openReference()
  await page
    .getByRole('button', { name: /Test Request/ })
    .first()
    .click()
  const sent = page.waitForRequest((request) => request.method() === 'POST')
  await page.getByRole('button', { name: /^Send/ }).first().click()
  assert.equal((await sent).url(), `${origin}/auth`)
  assert.deepEqual(
    asked.filter((url) => !url.startsWith(origin) && !/^(?:data|blob):/.test(url)),
    [],
  )
  await page.close()
})

test('behind a proxy that keeps the API below a path, the reference is whole and requests go below that path', async () => {
  const proxy = createServer((request, response) => {
    const path = /^\/checkout(\/.*)$/.exec(request.url ?? '')?.[1]
    if (path === undefined) return response.writeHead(404).end()
    const { method, headers } = request
    const onward = forward(origin + path, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    return request.pipe(onward)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const prefixed = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/checkout`
  try {
    for (const at of ['/docs', '/docs/']) {
      const { page, asked, wrong } = await openReference(prefixed + at)
      assert.deepEqual(wrong, [])
      const tried = page.waitForRequest((request) => request.method() === 'POST')
      await page
        .getByRole('button', { name: /Test Request/ })
        .first()
        .click()
      await page.getByRole('button', { name: /^Send/ }).first().click()
      assert.equal((await tried).url(), `${prefixed}/auth`)
      assert.deepEqual(
        asked.filter((url) => !url.startsWith(prefixed) && !/^(?:data|blob):/.test(url)),
        [],
      )
      await page.close()
    }
  } finally {
    proxy.closeAllConnections()
    proxy.close()
  }
})

test('the viewer is kept for good under the URL of its version, and asked about under any other', async () => {
  const src = /src="(docs\/viewer\.js\?v=[\d.]+)"/.exec((await app.inject('/docs')).body)?.[1]
  const named = await app.inject(`/${src}`)
  assert.equal(named.headers['cache-control'], 'public, max-age=31536000, immutable')
  for (const path of ['/docs/viewer.js', '/docs/viewer.js?v=1', '/docs/start.js?v=1', '/docs'])
    assert.equal((await app.inject(path)).headers['cache-control'], 'no-cache', path)
})

test('what is unchanged is not sent again, and the page may load nothing from elsewhere', async () => {
  for (const path of ['/docs', '/docs/', '/docs/start.js', '/docs/viewer.js']) {
    const first = await app.inject({ url: path, headers: { 'accept-encoding': 'gzip' } })
    assert.equal(first.statusCode, 200, path)
    assert.match(String(first.headers['content-security-policy']), /default-src 'none'.*connect-src 'self'/)
    const again = await app.inject({ url: path, headers: { 'if-none-match': String(first.headers.etag) } })
    assert.equal(again.statusCode, 304, path)
  }
})
