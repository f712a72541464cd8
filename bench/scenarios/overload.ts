/** Creates at four times the rate that the server can take: how many are still answered well, beside its peak. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiClient, openClient, sessionBody } from '../client.ts'
import { measure } from '../measure.ts'
import { type Bench, type Row, type Scenario, shown, type Target } from '../scenario.ts'

const peakConnections = 64
const connections = 1024
const times = 4
/** An answer that comes later helps nobody: the payer, or the backend before him, has given up. */
const wellMs = 1_000
const tickMs = 5
const warmSeconds = 2
/** Taken in turns: what changes on the machine meanwhile meets both sides alike. */
const turns = 3

type Counts = { offered: number; well: number; late: number; refused: number; unsent: number; wellTimes: number[] }

export const scenario: Scenario = {
  name: 'overload',
  about: 'creates at four times the rate that the server can take',
  run: async (bench) => {
    const target = await bench.openTarget()
    const [few, many] = [
      await openClient(target.address, target.seed, peakConnections),
      await openClient(target.address, target.seed, connections),
    ]
    const seconds = Math.max(2, bench.seconds / turns)
    const total = { peak: 0, well: 0, counts: emptyCounts() }
    for (let turn = 0; turn < turns; turn += 1) {
      const { perSecond } = await measure(peakConnections, seconds, () => createWell(few, target))
      const rate = Math.round(times * perSecond)
      await offer(many, target, { rate, seconds: warmSeconds })
      const counts = await offer(many, target, { rate, seconds })
      total.peak += perSecond / turns
      total.well += counts.well / seconds / turns
      add(total.counts, counts)
    }
    few.close()
    many.close()
    await target.stop()
    return [row(bench, total)]
  },
}

function row(bench: Bench, { peak, well, counts }: { peak: number; well: number; counts: Counts }): Row {
  const sorted = Float64Array.from(counts.wellTimes).sort()
  const share = (count: number) => `${Math.round((100 * count) / counts.offered)} %`
  bench.note(
    `of ${counts.offered} creates offered, ${share(counts.well)} were answered well (201 within ${wellMs / 1000} s), ` +
      `${share(counts.refused)} refused with 503, ${share(counts.late)} answered late, ${share(counts.unsent)} found none of the ` +
      `${connections} connections free; p99 of what was answered well ${shown(sorted[Math.floor(sorted.length * 0.99)] ?? 0)} ms. ` +
      'The client is one process on the same cores: what it spends on offering more, the server lacks.',
  )
  const ratio = well / peak
  return {
    what: `creates answered well at ${times} times the peak`,
    figure: shown(well, '/s'),
    yardstick: `the peak at ${peakConnections} connections`,
    its: shown(peak, '/s'),
    ratio,
    target: '>= 0.9',
    met: ratio >= 0.9,
  }
}

async function createWell(client: ApiClient, { seed }: Target): Promise<void> {
  const { status, text } = await client.call('POST', '/checkout-sessions', sessionBody(seed))
  if (status !== 201) throw new Error(`${status} ${text.slice(0, 300)}`)
}

/** An open loop: so many arrive each second, however the ones before them fare. */
async function offer(
  client: ApiClient,
  { seed }: Target,
  { rate, seconds }: { rate: number; seconds: number },
): Promise<Counts> {
  const counts = emptyCounts()
  let underWay = 0
  const one = async () => {
    underWay += 1
    const sent = performance.now()
    const { status } = await client.call('POST', '/checkout-sessions', sessionBody(seed))
    const ms = performance.now() - sent
    underWay -= 1
    if (status === 503) counts.refused += 1
    else if (status !== 201 || ms > wellMs) counts.late += 1
    else {
      counts.well += 1
      counts.wellTimes.push(ms)
    }
  }
  const all: Promise<void>[] = []
  const began = performance.now()
  for (let elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - began) {
    const due = Math.floor((elapsed / 1000) * rate) - counts.offered
    for (let n = 0; n < due; n += 1) {
      counts.offered += 1
      if (underWay < connections) all.push(one())
      else counts.unsent += 1
    }
    await sleep(tickMs)
  }
  // What is answered after the end of the time would be counted for it.
  const inTime = { ...counts, wellTimes: [...counts.wellTimes] }
  await Promise.all(all)
  return inTime
}

function emptyCounts(): Counts {
  return { offered: 0, well: 0, late: 0, refused: 0, unsent: 0, wellTimes: [] }
}

function add(sum: Counts, more: Counts): void {
  for (const key of ['offered', 'well', 'late', 'refused', 'unsent'] as const) sum[key] += more[key]
  sum.wellTimes.push(...more.wellTimes)
}
