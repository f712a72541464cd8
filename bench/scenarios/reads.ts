/** Reading a session by its id, beside the same Fastify with a handler that does nothing. */
import { type ChildProcess, fork } from 'node:child_process'
import { idOf, openClient, sessionBody } from '../client.ts'
import { measure } from '../measure.ts'
import { type Scenario, shown } from '../scenario.ts'

const connections = 64
/** Read in turn: the few stay in the server's memory of answers, of the many none is there any more when its turn comes again. */
const few = 1000
const many = 10_000

export const scenario: Scenario = {
  name: 'reads',
  about: 'GET /checkout-sessions/{id}, 64 connections',
  run: async (bench) => {
    const target = await bench.openTarget()
    const client = await openClient(target.address, target.seed, connections)
    const ids = await Promise.all(
      Array.from({ length: many }, async () =>
        idOf(await client.call('POST', '/checkout-sessions', sessionBody(target.seed)), 201),
      ),
    )
    const readInTurn = (count: number) => {
      let turn = 0
      return measure(connections, bench.seconds, async () => {
        const id = ids[turn++ % count] as string
        if (idOf(await client.call('GET', `/checkout-sessions/${id}`), 200) !== id) throw new Error('another session')
      })
    }
    const again = await readInTurn(few)
    const first = await readInTurn(many)
    client.close()
    const empty = await measureEmpty(target.seed, bench.seconds)
    await target.stop()
    const ratio = again.perSecond / empty
    const its = { yardstick: 'the same Fastify with an empty handler', its: shown(empty, '/s') }
    return [
      {
        what: 'read a session that was read before, 64 connections',
        figure: shown(again.perSecond, '/s'),
        ...its,
        ratio,
        target: '>= 0.4',
        met: ratio >= 0.4,
      },
      {
        what: 'read a session for the first time, 64 connections',
        figure: shown(first.perSecond, '/s'),
        ...its,
        ratio: first.perSecond / empty,
        target: '',
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
