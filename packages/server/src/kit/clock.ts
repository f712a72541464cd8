/** Time as a parameter: the database's clock, the computer's own, or one that a test moves. */
import type { Executor } from './db.ts'

export type Clock = { nowMs(): number; close?(): void }

/** For what never meets another process's times. */
export const systemClock: Clock = { nowMs: () => Date.now() }

const measureEveryMs = 5_000
/** Half a millisecond per second: more than a computer's own count of time is wrong. */
const driftPerMs = 0.0005
/** A correction of up to this much holds time still; a database whose clock was set back by more is followed at once. */
const heldStillMs = 1_000

/** What the database's clock said when this process's timer stood at `timerMs`, right to within `errorMs`. */
export type Reading = { timerMs: number; databaseMs: number; errorMs: number }

/**
 * The database's clock. Every process measures it and counts on by its own timer, which nobody sets, so all processes agree on
 * what is due and a wrong computer clock decides nothing (ADR 88). `onFailure` hears of measurements that failed.
 */
export async function databaseClock(sql: Executor, onFailure: (error: unknown) => void): Promise<Clock> {
  // The first question may open a connection, so its answer is late: the most exact of three counts.
  let known = await measure(sql)
  for (let i = 0; i < 2; i++) known = betterOf(known, await measure(sql))
  let latestMs = 0
  let isMeasuring = false
  const follow = async () => {
    if (isMeasuring) return
    isMeasuring = true
    try {
      known = betterOf(known, await measure(sql))
    } catch (error) {
      onFailure(error)
    } finally {
      isMeasuring = false
    }
  }
  const timer = setInterval(follow, measureEveryMs).unref()
  return {
    nowMs: () => {
      const nowMs = Math.round(known.databaseMs + performance.now() - known.timerMs)
      latestMs = latestMs - nowMs > heldStillMs ? nowMs : Math.max(latestMs, nowMs)
      return latestMs
    },
    close: () => clearInterval(timer),
  }
}

async function measure(sql: Executor): Promise<Reading> {
  const before = performance.now()
  const [row] = await sql<{ us: bigint }[]>`select (extract(epoch from clock_timestamp()) * 1000000)::bigint as us`
  const after = performance.now()
  if (!row) throw new Error('the database did not say what time it is')
  return { timerMs: (before + after) / 2, databaseMs: Number(row.us) / 1000, errorMs: (after - before) / 2 }
}

/** The newer reading, unless it waited so long for its answer that the older one is still the more exact. */
export function betterOf(known: Reading, fresh: Reading): Reading {
  const elapsedMs = fresh.timerMs - known.timerMs
  const knownErrorMs = known.errorMs + elapsedMs * driftPerMs
  const apartMs = Math.abs(fresh.databaseMs - known.databaseMs - elapsedMs)
  const clockWasSet = apartMs > knownErrorMs + fresh.errorMs
  return clockWasSet || fresh.errorMs <= knownErrorMs ? fresh : known
}
