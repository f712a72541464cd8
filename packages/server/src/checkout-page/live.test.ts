/** Live pages: news come at once, to whom they concern, and no more pages are watched than there is room for. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { freePort } from '@pasarela/sql/ports'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { anaPix, makeShop, ok, type Shop } from '../../test/shop.ts'
import { readToken } from './load.ts'
import { type Listener, networkOf, watch } from './watch.ts'

let t: TestApp
let shop: Shop
let origin: string
before(async () => {
  const port = await freePort()
  origin = `http://127.0.0.1:${port}`
  t = await startTestApp({ publicUrl: origin })
  shop = await makeShop(t.client, ['BRL'])
  await t.app.listen({ host: '127.0.0.1', port })
})
after(() => t.close())

const eventsOf = async (session: Body) => {
  const page = await (await fetch(session.url)).text()
  return /data-events="([^"]+)"/.exec(page)?.[1]?.replaceAll('&#61;', '=')
}

/** The first event of a stream, and when it came. */
async function firstEvent(url: string): Promise<{ text: string; atMs: number }> {
  const answer = await fetch(url)
  assert.equal(answer.headers.get('content-type'), 'text/event-stream')
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk)
    if (text.includes('event: change')) return { text, atMs: performance.now() }
  }
  return { text, atMs: performance.now() }
}

test('a waiting page hears of the outcome within a second; a page that is behind hears at once', async () => {
  const session = await shop.session()
  assert.equal(await eventsOf(session), undefined, 'a page that waits for nothing listens to nothing')
  await ok(t.client, 'POST', `/checkout-sessions/${session.id}/payments`, anaPix)
  const path = await eventsOf(session)
  assert.ok(path)
  const news = firstEvent(origin + path)
  await t.advance(1_500)
  const since = performance.now()
  assert.ok((await news).atMs - since < 1_000)
  assert.match((await news).text, /data: cs_\w+\.\d+/)
  const late = performance.now()
  assert.ok((await firstEvent(origin + path)).atMs - late < 1_000)
})

test('a page that does not exist is 404; a page that goes away hears so, and its stream ends', async () => {
  const session = await shop.session()
  const answer = await fetch(`${session.url}/events?v=x`)
  await t.client.call('DELETE', `/checkout-sessions/${session.id}`)
  assert.match(await answer.text(), /data: gone\n\n$/)
  for (const path of ['1-AAAAAAAAAAAAAAAAAAAAAA/events?v=x', 'nonsense/events?v=x', 'x?y=/events'])
    assert.equal((await fetch(`${origin}/pay/${path}`)).status, 404, path)
  assert.equal((await fetch(`${session.url}/events?v=x`)).status, 404, 'deleted')
})

test('HEAD opens no stream', async () => {
  const session = await shop.session()
  const answer = await fetch(`${session.url}/events?v=x`, { method: 'HEAD', redirect: 'manual' })
  assert.equal(answer.status, 303)
})

test('no more pages than there is room for: in all, of one session, of one client address', () => {
  const pages = watch(t.ctx, { total: 5, perSession: 2, perAddress: 3 })
  const open = (pageToken: string, address: string) => {
    const listener: Listener = { send: () => undefined, end: () => undefined }
    return pages.add({ merchantId: 1, pageToken, version: '1', address, listener }) ? listener : undefined
  }
  const first = open('a', '203.0.113.1')
  assert.ok(first)
  assert.ok(open('a', '203.0.113.1'))
  assert.equal(open('a', '203.0.113.2'), undefined, 'a third of one session')
  assert.ok(open('b', '203.0.113.1'))
  assert.equal(open('c', '203.0.113.1'), undefined, 'a fourth of one address')
  assert.ok(open('c', '203.0.113.2'))
  assert.ok(open('d', '203.0.113.3'))
  assert.equal(open('e', '203.0.113.4'), undefined, 'a sixth in all')
  pages.remove(first)
  pages.remove(first)
  assert.ok(open('a', '203.0.113.1'), 'one that closes makes room, once')
  assert.equal(open('e', '203.0.113.4'), undefined)
  pages.close()
})

test('an IPv6 network of 64 bits is one client; proxies at private addresses stand for many', () => {
  assert.equal(networkOf('2001:4860:0:1::1'), networkOf('2001:4860:0:1:ffff::2'))
  assert.notEqual(networkOf('2001:4860:0:1::1'), networkOf('2001:4860:0:2::1'))
  assert.equal(networkOf('::ffff:198.41.0.4'), networkOf('198.41.0.4'))
  for (const proxy of ['127.0.0.1', '::1', '10.0.0.9', '172.17.0.1', 'fd00::1', '::ffff:192.168.0.1', ''])
    assert.equal(networkOf(proxy), undefined, proxy)
})

test('a token names a merchant and a page, or nothing', () => {
  assert.deepEqual(readToken('1z-abcdefghijklmnopqrstuv'), { merchantId: 71, pageToken: 'abcdefghijklmnopqrstuv' })
  for (const wrong of [
    '',
    '1-short',
    '-abcdefghijklmnopqrstuv',
    'zzzzzz-abcdefghijklmnopqrstuv',
    '1-abcdefghijklmnopqrst/v',
  ])
    assert.equal(readToken(wrong), undefined, wrong)
})
