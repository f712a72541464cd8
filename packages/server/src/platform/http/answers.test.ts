/** Clients that ask for much and read nothing: what they hold is bounded, others are answered, and in the end they are let go. */
import assert from 'node:assert/strict'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, startTestApp, type TestApp } from '../../../test/harness.ts'
import { makeShop, ok } from '../../../test/shop.ts'
import { versionV2 } from '../../access/caller.ts'
import { limits } from '../../vocabulary/limits.ts'
import { openGate } from './gate.ts'

const megabyte = 1024 * 1024
const unreadAnswerMs = 3_000
const clients = 50

let t: TestApp
let port: number
let pageBytes: number
before(async () => {
  t = await startTestApp({ unreadAnswerMs })
  await t.app.listen({ host: '127.0.0.1', port: 0 })
  port = (t.app.server.address() as AddressInfo).port
  const shop = await makeShop(t.client, ['BRL'])
  const items = Array.from({ length: limits.itemsMax }, () => ({
    description: 'ñ'.repeat(limits.descriptionLength),
    preTaxAmount: '1.00',
    totalAmount: '1.00',
  }))
  const metadata = Object.fromEntries(
    Array.from({ length: limits.metadataPairsMax }, (_, n) => [`key ${n}`, 'ñ'.repeat(limits.metadataValueLength)]),
  )
  const destinations = [
    { type: 'ACCOUNT', amount: '100.00', account: { accountNumber: shop.accounts.BRL?.accountNumber } },
  ]
  for (let n = 0; n < limits.pageSizeMax; n += 5)
    await Promise.all(Array.from({ length: 5 }, () => shop.session({ items, metadata, destinations })))
  const page = await ok(t.client, 'GET', '/checkout-sessions?limit=100')
  pageBytes = Buffer.byteLength(JSON.stringify(page))
})
after(() => t.close())

type Reader = { socket: Socket; status: number; closed: Promise<unknown> }

function requestOf({ apiKey, token }: Client, path: string): string {
  const headers = `Host: a\r\nUser-Agent: a\r\nx-api-key: ${apiKey}\r\nAuthorization: Bearer ${token}\r\nconomyhq-api-version: ${versionV2}`
  return `GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n`
}

/** Sends a request, reads the first bytes of its answer, and no more. */
function askWithoutReading(client: Client, path: string): Promise<Reader> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(requestOf(client, path))
  return new Promise((resolve) => {
    socket.once('readable', () => {
      const first = String(socket.read(15))
      resolve({ socket, status: Number(first.split(' ')[1]), closed })
    })
  })
}

test('fifty clients that read nothing hold one share of memory, nobody else waits, and they are let go', async (context) => {
  const pagesMax = Math.ceil(limits.unreadBytesPerMerchantMax / pageBytes) + limits.pagesAtOncePerMerchantMax
  const before = process.memoryUsage.rss()
  const readers = await Promise.all(
    Array.from({ length: clients }, () => askWithoutReading(t.client, '/checkout-sessions?limit=100')),
  )
  const grown = (process.memoryUsage.rss() - before) / megabyte
  const answered = readers.filter(({ status }) => status === 200)
  context.diagnostic(
    `pages of ${(pageBytes / megabyte).toFixed(1)} MB: ${answered.length} answered, process grew by ${grown.toFixed(0)} MB`,
  )
  assert.ok(answered.length >= 1 && answered.length <= pagesMax, `${answered.length} of at most ${pagesMax}`)
  assert.ok(readers.every(({ status }) => status === 200 || status === 429))

  const other = await t.newMerchant()
  assert.equal((await other.call('GET', '/checkout-sessions?limit=100')).status, 200)

  const late = sleep(4 * unreadAnswerMs).then(() => 'late')
  for (const { socket } of readers) socket.pause()
  // A paused socket of ours sees the end only when it reads on; what the server let go is seen by its next answer.
  assert.notEqual(await Promise.race([answersAgain(), late]), 'late')
  for (const { socket } of readers) socket.destroy()
})

async function answersAgain(): Promise<void> {
  while ((await t.client.call('GET', '/checkout-sessions?limit=100')).status !== 200) await sleep(100)
}

test('clients that go away before their answer is made leave nothing behind', async () => {
  const path = '/checkout-sessions?limit=100'
  for (let n = 0; n < 12; n += 1) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    socket.write(requestOf(t.client, path).repeat(1 + (n % 3)))
    await sleep(n * 10)
    socket.destroy()
  }
  await sleep(500)
  assert.equal((await t.client.call('GET', path)).status, 200)
})

test('a client that reads its pages gets them all, however many it asks for', async () => {
  const pages = await Promise.all(Array.from({ length: 6 }, () => t.client.call('GET', '/checkout-sessions?limit=10')))
  for (const { status, body } of pages) {
    assert.equal(status, 200)
    assert.equal(body.results.length, 10)
  }
})

test('a gate lets so many in at once, the others in their order', () => {
  const gate = openGate(2)
  const entered: number[] = []
  for (const n of [1, 2, 3, 4]) gate.enter(() => entered.push(n))
  assert.deepEqual(entered, [1, 2])
  gate.leave()
  assert.deepEqual(entered, [1, 2, 3])
  for (let n = 0; n < 3; n += 1) gate.leave()
  gate.enter(() => entered.push(5))
  assert.deepEqual(entered, [1, 2, 3, 4, 5])
})
