/** Live pages: news come at once, to whom they concern, and no more pages are watched than there is room for. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { anaPix, makeShop, ok, type Shop } from '../../test/shop.ts'
import { freePort } from '../kit/ports.ts'
import { readToken } from './load.ts'
import { type Listener, watch } from './watch.ts'

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

test('a page that is gone is told so and let go', async () => {
  const session = await shop.session()
  const answer = await fetch(`${session.url}/events?v=x`)
  await t.client.call('DELETE', `/checkout-sessions/${session.id}`)
  await answer.body?.cancel()
  const nowhere = await fetch(`${origin}/pay/1-AAAAAAAAAAAAAAAAAAAAAA/events?v=x`)
  assert.match(await nowhere.text(), /data: gone/)
})

test('no more pages than there is room for, in all and of one session', () => {
  const pages = watch(t.ctx, 3, 2)
  const listener = (): Listener => ({ send: () => undefined, end: () => undefined })
  const key = (pageToken: string) => ({ merchantId: 1, pageToken })
  const first = listener()
  assert.ok(pages.add(key('a'), '1', first))
  assert.ok(pages.add(key('a'), '1', listener()))
  assert.ok(!pages.add(key('a'), '1', listener()), 'a third of one session')
  assert.ok(pages.add(key('b'), '1', listener()))
  assert.ok(!pages.add(key('c'), '1', listener()), 'a fourth in all')
  pages.remove(first)
  assert.ok(pages.add(key('c'), '1', listener()))
  pages.close()
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
