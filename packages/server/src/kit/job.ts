/** Work that runs alongside the requests: any number of processes may run the same job, rows are claimed with a lease. */
import type { Context } from './context.ts'

export type Job = {
  name: string
  /** Pause between two rounds that found little. */
  everyMs: number
  /** The same while nothing happens in the installation; as `everyMs` unless given. */
  idleMs?: number
  /** While more is waiting it rests between two rounds for so many times what the round took; 0 unless given. */
  rest?: number
  /** One round. Returns true when more is waiting: the next round follows at once. */
  run(): Promise<boolean>
  /** Waits for what rounds left under way; called once, after the last round. */
  end?(): Promise<void>
}

export type Worker = { stop(): Promise<void> }

type Surroundings = Pick<Context, 'log' | 'activity'>

/** Runs each job in a loop of its own until stopped; a round that fails is logged and tried again after its pause. */
export function startJobs(jobs: Job[], { log, activity }: Surroundings): Worker {
  const stopping = new AbortController()
  const listen: Job = {
    name: 'listen to other processes',
    everyMs: 5_000,
    run: () => activity.listen().then(() => false),
  }
  const loops = [listen, ...jobs].map((job) => loop(job, { log, activity }, stopping.signal))
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}

/** What failed is not tried many times a second: a database that is away would fill the log. */
const afterFailureMs = 1000

async function loop(job: Job, { log, activity }: Surroundings, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const began = performance.now()
    try {
      if (!(await job.run())) await restUntilNext(job, activity, signal)
      else {
        activity.note()
        if (job.rest) await pause(job.rest * (performance.now() - began), signal)
      }
    } catch (error) {
      log.error({ err: error, job: job.name }, 'a job failed')
      await pause(Math.max(job.everyMs, afterFailureMs), signal)
    }
  }
  await job.end?.()
}

/** A pause of the installation's pace: activity that begins meanwhile ends a long one. */
async function restUntilNext(job: Job, activity: Context['activity'], signal: AbortSignal): Promise<void> {
  const { everyMs, idleMs = everyMs } = job
  if (activity.isBusy() || idleMs <= everyMs) return pause(everyMs, signal)
  const begun = new AbortController()
  const cancel = activity.onBegin(() => begun.abort())
  await pause(idleMs, AbortSignal.any([signal, begun.signal]))
  cancel()
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
