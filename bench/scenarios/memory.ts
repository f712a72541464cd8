/** Resident memory of the server at full load, creates and whole paid flows together, and whether it stays where it is. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiClient, openClient, payOnce, sessionBody } from '../client.ts'
import { type Row, type Scenario, shown, type Target } from '../scenario.ts'

const connections = 64
const targetMb = 250
/** What grows by more than this per minute does not stay where it is. */
const flatMbPerMinute = 1
const sampleMs = 10_000
/** Before that, code is still being compiled and caches fill. */
const settledMs = 120_000

type Sample = { atMs: number; mb: number }

export const scenario: Scenario = {
  name: 'memory',
  about: 'resident memory of the server at full load',
  run: async (bench) => {
    const minutes = Number(bench.options['memory-minutes'] ?? 1)
    const target = await bench.openTarget()
    const client = await openClient(target.address, target.seed, connections)
    const end = performance.now() + minutes * 60_000
    const [samples, count] = await Promise.all([sample(target, end), load(client, target, end)])
    const peakMb = peakMemoryMb(target.pid)
    client.close()
    await target.stop()
    bench.note(
      `every ${sampleMs / 1000} s, in MB: ${samples.map(({ mb }) => Math.round(mb)).join(' ')}; ` +
        `${count.creates} creates and ${count.flows} whole flows in ${minutes} minutes`,
    )
    return rows(samples, peakMb, minutes)
  },
}

function rows(samples: readonly Sample[], peakMb: number, minutes: number): Row[] {
  const label = `${minutes} minute${minutes === 1 ? '' : 's'} at full load`
  const peak: Row = {
    what: `resident memory, highest in ${label}`,
    figure: shown(peakMb, 'MB'),
    yardstick: '',
    its: '',
    target: `<= ${targetMb} MB`,
    met: peakMb <= targetMb,
  }
  const settled = samples.filter(({ atMs }) => atMs > settledMs)
  const flat = {
    what: 'its growth per minute after the second',
    yardstick: '',
    its: '',
    target: `< ${flatMbPerMinute} MB`,
  }
  if (settled.length < 6) return [peak, { ...flat, figure: 'needs --memory-minutes 4 or more' }]
  const slope = slopePerMs(settled) * 60_000
  return [peak, { ...flat, figure: shown(slope, 'MB'), met: slope < flatMbPerMinute }]
}

/** Half of the connections create, half pay: every part of the write path is in use. */
async function load(client: ApiClient, { seed }: Target, end: number): Promise<{ creates: number; flows: number }> {
  const count = { creates: 0, flows: 0 }
  const loop = async (pays: boolean) => {
    while (performance.now() < end) {
      if (pays) await payOnce(client, sessionBody(seed))
      else {
        const { status, text } = await client.call('POST', '/checkout-sessions', sessionBody(seed))
        if (status !== 201) throw new Error(`${status} ${text.slice(0, 300)}`)
      }
      if (pays) count.flows += 1
      else count.creates += 1
    }
  }
  await Promise.all(Array.from({ length: connections }, (_, n) => loop(n % 2 === 0)))
  return count
}

async function sample(target: Target, end: number): Promise<Sample[]> {
  const began = performance.now()
  const samples: Sample[] = []
  while (performance.now() + sampleMs < end) {
    await sleep(sampleMs)
    samples.push({ atMs: performance.now() - began, mb: await target.memoryMb() })
  }
  return samples
}

/** The highest that the kernel has seen since the process began (Linux). */
function peakMemoryMb(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
}

/** Of the straight line that is nearest to all samples. */
function slopePerMs(samples: readonly Sample[]): number {
  const mean = (pick: (sample: Sample) => number) => samples.reduce((sum, s) => sum + pick(s), 0) / samples.length
  const [atMs, mb] = [mean((s) => s.atMs), mean((s) => s.mb)]
  const spread = samples.reduce((sum, s) => sum + (s.atMs - atMs) ** 2, 0)
  return samples.reduce((sum, s) => sum + (s.atMs - atMs) * (s.mb - mb), 0) / spread
}
