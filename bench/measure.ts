/** Closed loops: as many workers as connections, each doing one thing after the other, timed one by one. */

export type Figures = { perSecond: number; p50Ms: number; p99Ms: number; count: number }

/** A server runs for days: its code is compiled to the end before it is measured. */
export const warmUpSeconds = 8

/** Runs `work` in `workers` loops for `seconds` after a warm-up. An error ends the measurement. */
export async function measure(
  workers: number,
  seconds: number,
  work: () => Promise<void>,
  warmUp = warmUpSeconds,
): Promise<Figures> {
  await loops(workers, warmUp, work)
  const timed = await loops(workers, seconds, work)
  const count = timed.times.length
  return { perSecond: count / timed.seconds, ...percentiles(timed.times), count }
}

/** The median and the 99th percentile of times in any order; 0 of none. */
export function percentiles(times: readonly number[]): { p50Ms: number; p99Ms: number } {
  const sorted = Float64Array.from(times).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}

async function loops(
  workers: number,
  seconds: number,
  work: () => Promise<void>,
): Promise<{ times: number[]; seconds: number }> {
  const times: number[] = []
  const began = performance.now()
  const end = began + seconds * 1000
  const loop = async () => {
    for (let start = performance.now(); start < end; ) {
      await work()
      const now = performance.now()
      times.push(now - start)
      start = now
    }
  }
  await Promise.all(Array.from({ length: workers }, loop))
  return { times, seconds: (performance.now() - began) / 1000 }
}
