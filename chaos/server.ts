/** One `pasarela start` as an operating system runs it: started again whenever it ends, killed by us without warning. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../packages/server/bin/pasarela.js', import.meta.url))

export type ServerOptions = {
  name: string
  args: string[]
  masterKey: string
  logFile: string
}

export type Server = {
  readonly name: string
  /** kill -9; it is started again after `pauseMs`. */
  kill(pauseMs: number): void
  /** Throws when it does not serve within a minute. */
  ready(): Promise<void>
  /** Ends it for good, orderly; the exit code, or null for a signal. */
  stop(): Promise<number | null>
  killNow(): void
  /** How long each start took until it served, in milliseconds. */
  readonly startMs: number[]
  /** Ends that nobody asked for after it had served: each is a fault. */
  readonly unasked: string[]
}

const againMs = 250
const patienceMs = 60_000

/** Starts the server and keeps it started. */
export function runServer({ name, args, masterKey, logFile }: ServerOptions): Server {
  const startMs: number[] = []
  const unasked: string[] = []
  let child: ChildProcess | undefined
  let pauseMs = againMs
  let killed = false
  let stopping = false
  let serving = Promise.withResolvers<void>()
  let ended: Promise<number | null> = Promise.resolve(null)

  function start(): void {
    const begun = Date.now()
    const log = openSync(logFile, 'a', 0o600)
    // Only what it needs, so that no setting of this machine's own leaks in.
    const env = { PATH: process.env.PATH, LOG_LEVEL: 'error', PASARELA_MASTER_KEY: masterKey }
    const started = spawn(process.execPath, [program, 'start', ...args], { env, stdio: ['ignore', 'pipe', log] })
    closeSync(log)
    child = started
    killed = false
    let served = false
    started.stdout?.on('data', (chunk) => {
      if (served || !/Pasarela (worker )?ready/.test(String(chunk))) return
      served = true
      startMs.push(Date.now() - begun)
      serving.resolve()
    })
    ended = new Promise((resolve) =>
      started.on('close', (code, signal) => {
        resolve(code)
        if (stopping) return
        if (served) serving = Promise.withResolvers<void>()
        if (served && !killed) unasked.push(`${name} ended by itself with ${code ?? signal}; see ${logFile}`)
        void sleep(pauseMs).then(() => stopping || start())
        pauseMs = againMs
      }),
    )
  }

  start()
  return {
    name,
    startMs,
    unasked,
    ready: async () => {
      const timer = new AbortController()
      const tooLate = sleep(patienceMs, undefined, { signal: timer.signal }).then(() => {
        throw new Error(`${name} does not serve; see ${logFile}: ${readFileSync(logFile, 'utf8').slice(-500)}`)
      })
      tooLate.catch(() => undefined)
      await Promise.race([serving.promise, tooLate]).finally(() => timer.abort())
    },
    kill: (pause) => {
      killed = true
      pauseMs = pause
      child?.kill('SIGKILL')
    },
    stop: () => {
      stopping = true
      child?.kill('SIGTERM')
      return ended
    },
    killNow: () => {
      stopping = true
      child?.kill('SIGKILL')
    },
  }
}
