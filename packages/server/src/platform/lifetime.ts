/**
 * The orderly end of a process. What was opened is closed in reverse order on the first signal; a second one forces.
 * (A library would do, but npm repeats to its child each signal that the whole process group was sent, and that echo
 * must not count as the second one.)
 */

export type Lifetime = {
  /** Registers what to close at the end; what was registered last is closed first. */
  onEnd(close: () => Promise<void>): void
  /** What to do instead of waiting when the end is forced: synchronous, and must not throw. */
  onForce(act: () => void): void
  /** Whether the end has come: a start-up that is under way should return. */
  isEnding(): boolean
  /** Runs the start-up. When a signal comes meanwhile, everything is closed as soon as this is over. */
  during<T>(start: () => Promise<T>): Promise<T>
  /** Ends now, with this exit code. */
  end(code: number): Promise<never>
  /** Gives signals back to Node's own handling: all that was opened is closed. */
  close(): void
}

/** How long the echo of a signal may take. */
const echoMs = 1_000
/** After this the process ends, whatever still hangs. */
const deadlineMs = 14_000
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const errors = ['uncaughtException', 'unhandledRejection'] as const

/**
 * Takes over signals and uncaught errors. `report` hears of uncaught errors and of what fails while closing; `signalCode` is
 * the exit code after a signal.
 */
export function openLifetime(report: (error: unknown) => void, signalCode = 0): Lifetime {
  const closers: (() => Promise<void>)[] = []
  const forced: (() => void)[] = []
  let starting: Promise<unknown> = Promise.resolve()
  let endingSince: number | undefined

  function force(code: number): never {
    for (const act of forced) act()
    process.exit(code)
  }

  async function end(code: number): Promise<never> {
    if (endingSince !== undefined) return new Promise(() => undefined)
    endingSince = Date.now()
    setTimeout(() => force(1), deadlineMs).unref()
    await starting.catch(() => undefined)
    for (const close of closers.reverse()) await close().catch(report)
    process.exit(code)
  }

  const onSignal = () => {
    if (endingSince === undefined) void end(signalCode)
    else if (Date.now() - endingSince > echoMs) force(1)
  }
  const onError = (error: unknown) => {
    report(error)
    void end(1)
  }
  for (const signal of signals) process.on(signal, onSignal)
  for (const event of errors) process.on(event, onError)

  return {
    onEnd: (close) => void closers.push(close),
    onForce: (act) => void forced.push(act),
    isEnding: () => endingSince !== undefined,
    during: async (start) => {
      const work = start()
      starting = work
      return work
    },
    end,
    close: () => {
      for (const signal of signals) process.off(signal, onSignal)
      for (const event of errors) process.off(event, onError)
    },
  }
}
