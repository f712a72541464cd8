/** Somebody who follows `GET /events` through everything that happens, as an integrator's job does. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from './client.ts'

export type Reader = {
  /** The places of the log in the order in which they were read. */
  readonly places: number[]
  /** Reads what is left and ends. */
  stop(untilMs: number): Promise<void>
}

/** Starts reading from the beginning; every answer that does not come is asked for again. */
export function followEvents(client: Client): Reader {
  const places: number[] = []
  let after = '0'
  let stopping = false

  async function readPage(untilMs: number): Promise<boolean> {
    const reply = await client.insist({ method: 'GET', path: `/events?limit=100&after=${after}` }, untilMs)
    if (reply?.status !== 200) return false
    for (const event of reply.body.results) places.push(Number(event.cursor))
    after = reply.body.next
    return reply.body.more
  }

  const running = (async () => {
    while (!stopping) if (!(await readPage(performance.now() + 1_000))) await sleep(100)
  })()
  return {
    places,
    stop: async (untilMs) => {
      stopping = true
      await running
      while ((await readPage(untilMs)) && performance.now() < untilMs);
    },
  }
}
