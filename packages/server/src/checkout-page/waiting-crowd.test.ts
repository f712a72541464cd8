/** Thousands of payers who wait, honest or not, keep nobody else out. Real sockets: a waiting page is an idle connection. */
import assert from 'node:assert/strict'
import { Agent, get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@pasarela/sql/ports'
import { startTestApp, type TestApp } from '../../test/harness.ts'
import { makeShop, type Shop } from '../../test/shop.ts'
import { openAdmission } from '../platform/http/admission.ts'
import { limits } from '../vocabulary/limits.ts'

let t: TestApp
let shop: Shop
let port: number
const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY })
const streams: IncomingMessage[] = []
before(async () => {
  port = await freePort()
  t = await startTestApp({ publicUrl: `http://127.0.0.1:${port}`, admission: openAdmission() })
  shop = await makeShop(t.client, ['BRL'])
  await t.app.listen({ host: '127.0.0.1', port })
})
after(async () => {
  for (const stream of streams) stream.destroy()
  await t.close()
})

/** Both ends of each connection are files of this process. */
function crowdSize(): number {
  const report = process.report.getReport() as unknown as { userLimits: { open_files: { soft: number | string } } }
  const files = Number(report.userLimits.open_files.soft)
  return Math.min(limits.openPagesMax, Math.floor(((files || 100_000) - 1_000) / 2))
}

const ask = (path: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => get({ port, host: '127.0.0.1', path, agent }, resolve).on('error', reject))

async function statusOf(path: string): Promise<number | undefined> {
  const answer = await ask(path)
  answer.resume()
  return answer.statusCode
}

/** Opens `count` streams, 20 of each session. */
async function openStreams(count: number): Promise<void> {
  while (streams.length < count) {
    const sessions = await Promise.all(Array.from({ length: 5 }, () => shop.session()))
    const paths = sessions.flatMap(({ url }) =>
      Array.from({ length: limits.openPagesPerSessionMax }, () => `${new URL(url).pathname}/events?v=x`),
    )
    const opened = await Promise.all(paths.slice(0, count - streams.length).map(ask))
    for (const stream of opened) assert.equal(stream.statusCode, 200)
    for (const stream of opened) stream.on('error', () => undefined)
    streams.push(...opened)
  }
}

test('with as many waiting pages as there is room for, every other request is answered', async (context) => {
  const count = crowdSize()
  await openStreams(count)
  context.diagnostic(`${count} waiting pages`)
  const session = await shop.session()
  const page = new URL(session.url).pathname
  const asked = Array.from({ length: 60 }, (_, n) => [page, '/checkout-sessions', '/pay/nonsense'][n % 3] as string)
  const statuses = await Promise.all(asked.map(statusOf))
  assert.deepEqual(
    statuses,
    asked.map((path) => (path === page ? 200 : path === '/checkout-sessions' ? 401 : 404)),
  )
  if (count === limits.openPagesMax)
    assert.equal(await statusOf(`${page}/events?v=x`), 503, 'one more polls instead of waiting')
})

test('a connection that waits carries no further request', async () => {
  for (const stream of streams.splice(0, 1)) stream.destroy()
  await sleep(50)
  const session = await shop.session()
  const path = `${new URL(session.url).pathname}/events?v=x`
  const request = (url: string) => `GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(request(path))
  const first = await new Promise((resolve) => socket.once('data', resolve))
  assert.match(String(first), /^HTTP\/1.1 200/)
  socket.write(request('/pay/nonsense').repeat(2_000))
  await closed
  assert.equal(await statusOf('/checkout-sessions'), 401)
})
