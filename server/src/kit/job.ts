/** Work that runs beside the requests: any number of processes may run the same job, rows are claimed with a lease. */
import type { FastifyBaseLogger } from 'fastify'

export type Job = {
  name: string
  /** Pause between two rounds that found little. */
  everyMs: number
  /** While more is waiting it rests between two rounds for so many times what the round took; 0 unless given. */
  rest?: number
  /** One round. Returns true when more is waiting: the next round follows at once. */
  run(): Promise<boolean>
  /** Waits for what rounds left under way; called once, after the last round. */
  end?(): Promise<void>
}

export type Worker = { stop(): Promise<void> }

/** Runs each job in a loop of its own until stopped; a round that fails is logged and tried again after its pause. */
export function startJobs(jobs: Job[], log: FastifyBaseLogger): Worker {
  const stopping = new AbortController()
  const loops = jobs.map((job) => loop(job, log, stopping.signal))
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}

/** What failed is not tried many times a second: a database that is away would fill the log. */
const afterFailureMs = 1000

async function loop(job: Job, log: FastifyBaseLogger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const began = performance.now()
    let more = false
    let pauseMs = job.everyMs
    try {
      more = await job.run()
    } catch (error) {
      log.error({ err: error, job: job.name }, 'a job failed')
      pauseMs = Math.max(pauseMs, afterFailureMs)
    }
    if (!more) await pause(pauseMs, signal)
    else if (job.rest) await pause(job.rest * (performance.now() - began), signal)
  }
  await job.end?.()
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
