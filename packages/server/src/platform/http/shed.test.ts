/** Under more load than can be answered: who is refused, how, and what goes on regardless. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/harness.ts'
import { openAdmission } from './admission.ts'

const options = { targetMs: 400, least: 4, usual: 16 }

describe('how many are admitted', () => {
  it('the usual number while nothing is known, and one more for each that leaves', () => {
    const admission = openAdmission(options)
    const leaves = Array.from({ length: 16 }, () => admission.enter(1000))
    assert.ok(leaves.every((leave) => leave !== undefined))
    assert.equal(admission.enter(1001), undefined)
    leaves[0]?.(1002)
    assert.notEqual(admission.enter(1003), undefined)
    assert.equal(admission.enter(1004), undefined)
  })

  it('under load, as many as are answered within the target: more for a fast server, few for a slow one', () => {
    for (const { serviceMs, expected } of [
      { serviceMs: 1, expected: 400 },
      { serviceMs: 5, expected: 80 },
      { serviceMs: 1000, expected: 4 },
    ]) {
      const admission = openAdmission(options)
      const queue: ((nowMs: number) => void)[] = []
      for (let ms = 0; ms < 10_000; ms += 1) {
        for (let n = 0; n < 4; n += 1) {
          const leave = admission.enter(ms)
          if (leave) queue.push(leave)
        }
        if (ms % serviceMs === 0) queue.shift()?.(ms)
      }
      const limit = admission.limit()
      assert.ok(Math.abs(limit - expected) <= expected * 0.15 + 1, `${serviceMs} ms each: ${limit}`)
    }
  })

  it('those that wait for a provider for long keep nobody out', () => {
    const admission = openAdmission(options)
    const waiting = Array.from({ length: 16 }, () => admission.enter(0))
    assert.equal(admission.enter(999), undefined)
    assert.notEqual(admission.enter(1001), undefined)
    for (const leave of waiting) leave?.(1002)
    const more = Array.from({ length: 16 }, () => admission.enter(1003)).filter(Boolean)
    assert.equal(more.length, admission.limit() - 1)
  })

  it('after the rush the usual number holds again', () => {
    const admission = openAdmission(options)
    for (let ms = 0; ms < 3000; ms += 1) admission.enter(ms)
    assert.equal(admission.limit(), 4)
    admission.enter(6000)
    assert.equal(admission.limit(), 16)
  })
})

describe('a server without a place', () => {
  let t: TestApp
  let port: number
  /** The largest share that is refused. */
  let full = 0
  let underWay = 0
  const leave = () => {
    underWay -= 1
  }
  const enter = (_now: number, share = 1) => {
    if (share <= full) return undefined
    underWay += 1
    return leave
  }
  before(async () => {
    t = await startTestApp({ admission: { limit: () => 1, enter } })
    await t.app.listen({ host: '127.0.0.1', port: 0 })
    port = (t.app.server.address() as AddressInfo).port
    full = 1
  })
  after(() => t.close())

  it('answers 503 unavailable with Retry-After and a trace, without asking for credentials', async () => {
    const answer = await send('POST', '/checkout-sessions', '{"a":1}')
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['retry-after'], '1')
    assert.equal(answer.body.type, 'unavailable')
    assert.equal(answer.body.traceId, answer.headers['x-trace-id'])
  })

  it('lets payers in first, by the route that they ask for', async () => {
    for (const path of ['/pay/unknown', '/pay/unknown/events', '/pay/unknown/events?v=x', '/link/unknown'])
      assert.equal((await send('GET', path)).status, 404, path)
    for (const path of ['/checkout-sessions?x=/pay/unknown/events', '/checkout-sessions/events', '/payments/pay'])
      assert.equal((await send('GET', path)).status, 503, path)
  })

  it('refuses payers too when there is no place for them, whatever their address says', async () => {
    full = 2
    for (const path of ['/pay/x', '/pay/x?y=/events', '/pay/x/events', '/pay/x/events?v=x'])
      assert.equal((await send('GET', path)).status, 503, path)
  })

  it('answers again as soon as there is a place', async () => {
    full = 0
    assert.equal((await send('GET', '/checkout-sessions')).status, 401)
  })

  it('gives back every place of a connection that closes with answers unread', async () => {
    const before = underWay
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    const gone = new Promise((resolve) => socket.once('close', resolve))
    socket.write('GET /pay/unknown HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3_000))
    await gone
    for (let n = 0; n < 100 && underWay > before; n += 1) await sleep(20)
    assert.equal(underWay, before, 'a client that sends thousands without waiting is cut off, and holds nothing')
  })

  // biome-ignore lint/suspicious/noExplicitAny: a body is read freely by tests.
  type Got = { status: number; headers: Record<string, unknown>; body: any }
  function send(method: string, path: string, body?: string): Promise<Got> {
    return new Promise((resolve, reject) => {
      const sent = request({ port, host: '127.0.0.1', method, path }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part) => parts.push(part))
        response.on('end', () => {
          const text = Buffer.concat(parts).toString()
          const json = /json/.test(String(response.headers['content-type']))
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: json ? JSON.parse(text) : text })
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }
})
