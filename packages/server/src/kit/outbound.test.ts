/** Requests to others' addresses reach public ones alone, and end. */
import assert from 'node:assert/strict'
import type { lookup as systemLookup } from 'node:dns'
import { after, before, describe, test } from 'node:test'
import { type Receiver, startReceiver } from '../../test/receiver.ts'
import { isAllowedAddress, isAllowedUrl, type Outbound, openOutbound } from './outbound.ts'

describe('addresses', () => {
  const refused = [
    ...[
      '0.0.0.0',
      '0.1.2.3',
      '10.0.0.1',
      '100.64.0.1',
      '100.127.255.255',
      '127.0.0.1',
      '127.255.255.254',
      '169.254.169.254',
    ],
    ...[
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.1',
      '192.0.2.1',
      '192.88.99.1',
      '192.168.0.1',
      '198.18.0.1',
      '198.51.100.1',
    ],
    ...['203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...[
      '::',
      '::1',
      '::127.0.0.1',
      '::8.8.8.8',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '::ffff:0:10.0.0.1',
      '64:ff9b::10.0.0.1',
    ],
    ...[
      '64:ff9b:1::1',
      '100::1',
      '2001::1',
      '2001:db8::1',
      '2002:7f00:1::',
      '2002:a00:1::',
      '3fff::1',
      '5f00::1',
      'fc00::1',
    ],
    ...['fd12:3456::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '4000::1', 'nonsense', ''],
  ]
  const allowed = ['8.8.8.8', '1.1.1.1', '100.63.255.255', '172.32.0.1', '200.1.2.3', '2606:4700::1111', '2a00:1450::1']

  for (const address of refused) {
    test(`${address || '(none)'} is refused`, () => assert.equal(isAllowedAddress(address, false), false))
  }
  for (const address of allowed) {
    test(`${address} is allowed`, () => assert.equal(isAllowedAddress(address, false), true))
  }
  test('loopback, and that alone, is allowed where it is wanted', () => {
    const more = [...refused, ...allowed].filter(
      (address) => isAllowedAddress(address, true) !== isAllowedAddress(address, false),
    )
    assert.deepEqual(more, ['127.0.0.1', '127.255.255.254', '::1'])
  })
})

describe('URLs as they are written', () => {
  const spellings = ['http://127.1/', 'http://0x7f000001/', 'http://2130706433/', 'http://0177.0.0.1/', 'http://[::1]/']
  const names = ['http://localhost/', 'http://LOCALHOST./', 'http://a.localhost/', 'http://127.0.0.1./']
  for (const text of [...spellings, ...names, 'http://[::ffff:7f00:1]/', 'http://169.254.169.254/latest']) {
    test(`${text} is refused`, () => assert.equal(isAllowedUrl(new URL(text), false), false))
  }
  test('a name is judged when it is resolved', () =>
    assert.equal(isAllowedUrl(new URL('https://shop.example'), false), true))
})

describe('requests', () => {
  let receiver: Receiver
  let port: string
  before(async () => {
    receiver = await startReceiver()
    port = new URL(receiver.url).port
  })
  after(() => receiver.close())

  /** A client that resolves every name to these addresses, and what it was asked. */
  function clientOf(addresses: string[], timeoutMs = 2000): { outbound: Outbound; asked: string[] } {
    const asked: string[] = []
    const resolve = ((name: string, _options: object, done: (error: null, found: object[]) => void) => {
      asked.push(name)
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
    }) as unknown as typeof systemLookup
    return { outbound: openOutbound({ timeoutMs, answerBytes: 1000 }, resolve), asked }
  }
  const request = (allowLoopback: boolean, url = `http://hook.example:${port}/`) => ({
    url,
    body: '{}',
    headers: {},
    allowLoopback,
  })

  test('a name that resolves to a private address is not connected to', async () => {
    for (const address of ['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', '::ffff:127.0.0.1']) {
      const { outbound, asked } = clientOf([address])
      const result = await outbound.post(request(false))
      assert.deepEqual([result.status, result.error], [undefined, 'address_not_allowed'], address)
      assert.deepEqual(asked, ['hook.example'])
      outbound.close()
    }
    assert.equal(receiver.got.length, 0)
  })

  test('the connection goes to the address that was judged; a second look-up is never made', async () => {
    receiver.behave(() => 200)
    const { outbound, asked } = clientOf(['10.0.0.1', '127.0.0.1'])
    assert.equal((await outbound.post(request(true))).status, 200)
    assert.deepEqual(asked, ['hook.example'])
    assert.equal((await outbound.post(request(true))).status, 200)
    assert.deepEqual(asked, ['hook.example'], 'a kept connection is used again')
    const strict = await outbound.post(request(false))
    assert.equal(strict.error, 'address_not_allowed', 'but not for somebody who may not')
    outbound.close()
  })

  test('redirects are not followed', async () => {
    receiver.got.length = 0
    receiver.behave(
      () => (_request, response) => response.writeHead(307, { location: `http://127.0.0.1:${port}/again` }).end(),
    )
    const { outbound } = clientOf(['127.0.0.1'])
    assert.equal((await outbound.post(request(true))).status, 307)
    assert.equal(receiver.got.length, 1)
    outbound.close()
  })

  test('an answer without end is cut, one that is cut short is an error', async () => {
    const { outbound } = clientOf(['127.0.0.1'])
    receiver.behave(() => (_request, response) => {
      response.writeHead(200)
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(500), () => setImmediate(more))
      }
      more()
    })
    const endless = await outbound.post(request(true))
    assert.deepEqual([endless.status, endless.error], [200, undefined])
    receiver.behave(() => (incoming, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('x')
      setImmediate(() => incoming.socket.destroy())
    })
    const short = await outbound.post(request(true))
    assert.deepEqual([short.status, short.error], [200, 'ECONNRESET'])
    outbound.close()
  })

  test('all of it ends in time: no answer, and an answer that trickles', async () => {
    const { outbound } = clientOf(['127.0.0.1'], 300)
    receiver.behave(() => new Promise(() => undefined))
    assert.equal((await outbound.post(request(true))).error, 'timeout')
    receiver.behave(() => (_request, response) => {
      response.writeHead(200)
      const more = setInterval(() => (response.destroyed ? clearInterval(more) : response.write(' ')), 50)
    })
    const trickling = await outbound.post(request(true))
    assert.deepEqual([trickling.status, trickling.error], [200, 'timeout'])
    assert.ok(trickling.durationMs >= 290 && trickling.durationMs < 1500)
    outbound.close()
  })

  test('a kept connection that was closed meanwhile is replaced without a word', async () => {
    const { outbound } = clientOf(['127.0.0.1'])
    receiver.got.length = 0
    receiver.behave(() => 200)
    await outbound.post(request(true))
    receiver.behave(({ headers }, nth) => (nth === 2 && headers ? (incoming) => incoming.socket.destroy() : 200))
    assert.equal((await outbound.post(request(true))).status, 200)
    outbound.close()
  })

  test('an error names no host and no address', async () => {
    const { outbound } = clientOf(['127.0.0.1'])
    const result = await outbound.post(request(true, 'http://hook.example:1/?key=secret'))
    assert.equal(result.error, 'ECONNREFUSED')
    outbound.close()
  })
})
