/**
 * Decides which of several actors goes next, and when. Every actor works over a real connection of its own; before each
 * statement, each BEGIN and each COMMIT it stops and waits to be let on. So transactions really overlap and really wait for
 * each other's locks, while the order in which they meet is chosen here: the same choices give the same run again.
 */

import { DatabaseError, ints } from '@pasarela/sql'
import type { Executor, Sql } from '../../src/kit/db.ts'

export type Actor = {
  readonly name: string
  readonly sql: Sql
  readonly pid: number
}

type Stop = { label: string; inTransaction: boolean; go: () => void }
type Lane = {
  actor: Actor
  stops: Stop[]
  inFlight: number
  /** Its one connection is in a transaction: whatever else it has to say waits for that. */
  inTransaction: boolean
  done: boolean
  /** Seen waiting for a lock, and nothing has let go of one since. */
  blocked: boolean
}

/** How long an actor is given to arrive before the database is asked whether it waits for a lock. */
const patienceMs = 2
/** Longer than Postgres takes to end a deadlock by itself (deadlock_timeout is 1 s). */
const stuckMs = 15_000

export type Outcome = { error: unknown; trace: string[] }

/** An actor that works on the database at this URL, by one connection: what waits for a lock is one of them. */
export async function openActor(name: string, sql: Sql): Promise<Actor> {
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
  return { name, sql, pid: row?.pid ?? 0 }
}

/** Runs the actors' work; `choose(n)` says which of `n` that could go on does. Returns what happened, step by step. */
export async function interleave(
  monitor: Sql,
  work: readonly { actor: Actor; run: (sql: Sql, step: (label: string) => Promise<void>) => Promise<void> }[],
  choose: (count: number) => number,
): Promise<Outcome> {
  const trace: string[] = []
  let error: unknown
  let released = false
  let wake: () => void = () => undefined
  const arrived = () => wake()
  const lanes: Lane[] = work.map(({ actor }) => ({
    actor,
    stops: [],
    inFlight: 0,
    inTransaction: false,
    done: false,
    blocked: false,
  }))

  const stopAt = (lane: Lane, label: string, inTransaction: boolean) =>
    new Promise<void>((go) => {
      lane.stops.push({ label, inTransaction, go })
      arrived()
    })
  const letGo = () => {
    released = true
  }
  for (const [index, { run }] of work.entries()) {
    const lane = lanes[index] as Lane
    const sql = held(lane.actor.sql, {
      stop: (label, inTransaction) => stopAt(lane, label, inTransaction),
      entered: () => {
        lane.inTransaction = true
      },
      left: () => {
        lane.inTransaction = false
        released = true
      },
      begun: () => {
        lane.inFlight++
      },
      ended: () => {
        lane.inFlight--
      },
      letGo,
    })
    run(sql, (label) => stopAt(lane, label, false))
      .catch((thrown: unknown) => {
        error ??= thrown
      })
      .finally(() => {
        lane.done = true
        arrived()
      })
  }

  /** Waits until every actor has stopped, is done, or waits for a lock. */
  async function settle(): Promise<void> {
    const sinceMs = performance.now()
    for (;;) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, patienceMs)
        wake = () => {
          clearTimeout(timer)
          setImmediate(resolve)
        }
        if (lanes.every(isStill)) wake()
      })
      if (lanes.every(isStill)) return
      const moving = lanes.filter((lane) => !hasStopped(lane))
      released = false
      const waiting = await waitingForLocks(monitor, moving)
      for (const lane of moving) lane.blocked = waiting.has(lane.actor.pid) && !hasStopped(lane)
      // A lock that was let go of while that was asked makes the answer old.
      if (!released && lanes.every((lane) => hasStopped(lane) || lane.blocked)) return
      if (performance.now() - sinceMs > stuckMs) throw new Error(`nobody moves any more:\n${trace.join('\n')}`)
    }
  }
  const hasStopped = (lane: Lane) => lane.done || nextStop(lane) !== undefined
  const isStill = (lane: Lane) => hasStopped(lane) || (lane.blocked && !released)

  for (;;) {
    await settle()
    const ready = lanes.filter((lane) => !lane.done && nextStop(lane) !== undefined)
    if (lanes.every((lane) => lane.done)) return { error, trace }
    const lane = ready[ready.length === 0 ? 0 : choose(ready.length)]
    if (!lane) {
      // All wait for each other: Postgres ends that by itself, and the loser moves on.
      trace.push('(deadlock)')
      released = true
      continue
    }
    lane.blocked = false
    const stop = nextStop(lane)
    lane.stops = lane.stops.filter((other) => other !== stop)
    trace.push(`${lane.actor.name}: ${stop?.label}`)
    stop?.go()
  }
}

/** Where an actor may be let on: nowhere while its statement runs, and within its transaction while it has one. */
function nextStop({ stops, inFlight, inTransaction }: Lane): Stop | undefined {
  return inFlight > 0 ? undefined : stops.find((stop) => stop.inTransaction === inTransaction)
}

async function waitingForLocks(monitor: Sql, lanes: readonly Lane[]): Promise<Set<number>> {
  const pids = lanes.map((lane) => lane.actor.pid)
  const rows = await monitor<
    { pid: number }[]
  >`select pid from pg_locks where not granted and pid = any (${ints(pids)}::int[])`
  return new Set(rows.map((row) => row.pid))
}

type Hooks = {
  stop(label: string, inTransaction: boolean): Promise<void>
  begun(): void
  ended(): void
  entered(): void
  left(): void
  letGo(): void
}

/** The same connection, stopping before every statement. */
function held<T extends Sql | Executor>(sql: T, hooks: Hooks, inTransaction = false): T {
  return new Proxy(sql, {
    apply(target, self, args) {
      const made: unknown = Reflect.apply(target as unknown as (...a: unknown[]) => unknown, self, args)
      if (isQuery(made)) holdQuery(made, hooks, inTransaction)
      return made
    },
    get(target, key) {
      if (key !== 'begin') return Reflect.get(target, key)
      return async (work: (tx: Executor) => Promise<unknown>) => {
        await hooks.stop('begin', false)
        hooks.entered()
        try {
          return await (target as Sql).begin(async (tx) => {
            const result = await work(held(tx as unknown as Executor, hooks, true))
            await hooks.stop('commit', true)
            return result
          })
        } finally {
          hooks.left()
        }
      }
    },
  }) as T
}

type Query = Promise<unknown> & { handler: (query: unknown) => void; strings: readonly string[] }

/** A statement, or a part of one: the driver runs it by its handler, and parts are never run. */
function isQuery(made: unknown): made is Query {
  return made instanceof Promise && typeof (made as { handler?: unknown }).handler === 'function'
}

function holdQuery(query: Query, hooks: Hooks, inTransaction: boolean): void {
  const run = query.handler
  query.handler = (self) => {
    hooks.stop(labelOf(query.strings), inTransaction).then(() => {
      hooks.begun()
      const ended = () => {
        hooks.ended()
        if (!inTransaction) hooks.letGo()
      }
      Promise.prototype.then.call(query, ended, ended)
      run(self)
    })
  }
}

/** The beginning of a statement and the table that it is about. */
function labelOf(strings: readonly string[]): string {
  const text = strings.join('?').replace(/\s+/g, ' ').trim()
  return text.length > 90 ? `${text.slice(0, 90)}…` : text
}

/** Whether the database itself refused or the connection broke: never the answer to a caller. */
export function isDatabaseError(error: unknown): boolean {
  return error instanceof DatabaseError
}
