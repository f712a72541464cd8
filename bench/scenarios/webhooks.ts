/** The first try of each webhook at 300 events a second: creates through the API, a receiver in a process of its own, fsync on. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiClient, idOf, openClient, sessionBody } from '../client.ts'
import { type Scenario, shown, type Target } from '../scenario.ts'

const perSecond = 300
const secondsMin = 20
const connections = 64
const targetMs = 250
/** How long stragglers are waited for. */
const patienceMs = 20_000

/** When a create was sent and answered, in milliseconds since 1970; the commit lies between. */
type Created = { stream: string; sentMs: number; answeredMs: number }

export const scenario: Scenario = {
  name: 'webhooks',
  about: 'from the commit to the first try at 300 events a second',
  run: async (bench) => {
    const target = await bench.openTarget()
    const client = await openClient(target.address, target.seed, connections)
    const receiver = fork(new URL('../receiver.ts', import.meta.url))
    try {
      const [port] = (await once(receiver, 'message')) as [number]
      const endpoint = { url: `http://127.0.0.1:${port}/hook`, eventTypes: ['checkout_session.created'] }
      idOf(await client.call('POST', '/webhook-endpoints', endpoint), 201)
      const created = await create(client, target, Math.max(secondsMin, bench.seconds))
      const arrived = await waitForAll(receiver, created)
      const since = (pick: (one: Created) => number) =>
        Float64Array.from(created, (one) => (arrived[one.stream] as number) - pick(one)).sort()
      const [fromAnswer, fromRequest] = [since((one) => one.answeredMs), since((one) => one.sentMs)]
      const p99Ms = at(fromRequest, 0.99)
      bench.note(
        `${created.length} events; since the answer p50 ${shown(at(fromAnswer, 0.5))} ms, p99 ${shown(at(fromAnswer, 0.99))} ms; ` +
          `since the request p50 ${shown(at(fromRequest, 0.5))} ms, p99 ${shown(p99Ms)} ms. The commit lies between; the row takes the longer.`,
      )
      return [
        {
          what: `first try of a webhook at ${perSecond} events a second, p99`,
          figure: shown(p99Ms, 'ms'),
          yardstick: '',
          its: '',
          target: `<= ${targetMs} ms`,
          met: p99Ms <= targetMs,
        },
      ]
    } finally {
      receiver.kill()
      client.close()
      await target.stop()
    }
  },
}

/** Creates at an even pace, whatever the answers take. A second goes by before any counts. */
async function create(client: ApiClient, { seed }: Target, seconds: number): Promise<Created[]> {
  const created: Created[] = []
  const one = async () => {
    const sentMs = nowMs()
    const stream = idOf(await client.call('POST', '/checkout-sessions', sessionBody(seed)), 201)
    created.push({ stream, sentMs, answeredMs: nowMs() })
  }
  const under: Promise<void>[] = []
  const began = performance.now()
  for (let n = 0; n < perSecond * (seconds + 1); n += 1) {
    const waitMs = began + (n * 1000) / perSecond - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    under.push(one())
  }
  await Promise.all(under)
  return created.sort((a, b) => a.sentMs - b.sentMs).slice(perSecond)
}

async function waitForAll(receiver: ChildProcess, created: readonly Created[]): Promise<Record<string, number>> {
  for (const until = performance.now() + patienceMs; ; await sleep(200)) {
    receiver.send('arrived?')
    const [arrived] = (await once(receiver, 'message')) as [Record<string, number>]
    const missing = created.filter(({ stream }) => arrived[stream] === undefined).length
    if (missing === 0) return arrived
    if (performance.now() > until) throw new Error(`${missing} of ${created.length} webhooks never came`)
  }
}

function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

function at(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
