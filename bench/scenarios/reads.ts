/** Reading a session by its id, beside the same Fastify with a handler that does nothing. */
import { type ChildProcess, fork } from 'node:child_process'
import { idOf, openClient, sessionBody } from '../client.ts'
import { measure } from '../measure.ts'
import { type Scenario, shown } from '../scenario.ts'

const connections = 64
const sessions = 1000

export const scenario: Scenario = {
  name: 'reads',
  about: 'GET /checkout-sessions/{id}, 64 connections',
  run: async (bench) => {
    const target = await bench.openTarget()
    const client = await openClient(target.address, target.seed, connections)
    const ids = await Promise.all(
      Array.from({ length: sessions }, async () =>
        idOf(await client.call('POST', '/checkout-sessions', sessionBody(target.seed)), 201),
      ),
    )
    let turn = 0
    const figures = await measure(connections, bench.seconds, async () => {
      const id = ids[turn++ % ids.length] as string
      if (idOf(await client.call('GET', `/checkout-sessions/${id}`), 200) !== id) throw new Error('another session')
    })
    client.close()
    const empty = await measureEmpty(target.seed, bench.seconds)
    await target.stop()
    const ratio = figures.perSecond / empty
    return [
      {
        what: 'read a session, 64 connections',
        figure: shown(figures.perSecond, '/s'),
        yardstick: 'the same Fastify with an empty handler',
        its: shown(empty, '/s'),
        ratio,
        target: '>= 0.4',
        met: ratio >= 0.4,
      },
    ]
  },
}

async function measureEmpty(seed: Parameters<typeof openClient>[1], seconds: number): Promise<number> {
  const child = fork(new URL('../empty-server.ts', import.meta.url))
  const address = await new Promise<string>((resolve) => child.once('message', (value) => resolve(value as string)))
  const client = await openClient(address, seed, connections)
  const { perSecond } = await measure(connections, seconds, async () => {
    if ((await client.call('GET', '/checkout-sessions/x')).status !== 200) throw new Error('no answer')
  })
  client.close()
  await stopped(child)
  return perSecond
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill()
  })
}
