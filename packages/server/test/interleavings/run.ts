/** Plays random orders of events and checks what must hold. A failure prints the seed and the path that replay it. */
import fc from 'fast-check'
import type { Sql } from '../../src/kit/db.ts'
import { openPool } from '../../src/kit/db.ts'
import { Problem } from '../../src/kit/problem.ts'
import { findFaults } from './invariants.ts'
import { type Actor, interleave, openActor } from './scheduler.ts'
import { anyOp, anySetting, anySubmit, makeWorld, type Op, type Setting } from './world.ts'

export type Budget = { seed: number; runs: number; milliseconds?: number; path?: string }
export type Report = { runs: number; steps: number; overlaps: number; refusals: number; deadlocks: number }

/** What one run does: first what happens in order, then what several actors do at once, in the order of the choices. */
type Script = { setting: Setting; first: Op; before: Op[]; actors: Op[][]; choices: number[] }

const script: fc.Arbitrary<Script> = fc.record({
  setting: anySetting,
  first: anySubmit,
  before: fc.array(anyOp, { maxLength: 4, size: 'max' }),
  actors: fc.array(fc.array(anyOp, { minLength: 1, maxLength: 3, size: 'max' }), {
    minLength: 2,
    maxLength: 4,
    size: 'max',
  }),
  choices: fc.array(fc.nat({ max: 11 }), { minLength: 20, maxLength: 120, size: 'max' }),
})

/** Plays until the budget is used up. Throws with seed, path, script and trace of the smallest failure found. */
export async function playInterleavings(databaseUrl: string, budget: Budget): Promise<Report> {
  const pool = (name: string, max: number) => openPool(databaseUrl, { max, applicationName: name })
  const [admin, monitor] = [pool('admin', 3), pool('monitor', 1)]
  const pools = ['a', 'b', 'c', 'd'].map((name) => pool(name, 1))
  const report: Report = { runs: 0, steps: 0, overlaps: 0, refusals: 0, deadlocks: 0 }
  try {
    const actors = await Promise.all(pools.map((sql, index) => openActor('abcd'[index] ?? '', sql)))
    const property = fc.asyncProperty(script, (given) => play({ admin, monitor, actors, report }, given))
    await fc.assert(property, {
      seed: budget.seed,
      numRuns: budget.runs,
      ...(budget.path === undefined ? {} : { path: budget.path }),
      ...(budget.milliseconds === undefined ? {} : { interruptAfterTimeLimit: budget.milliseconds }),
      endOnFailure: false,
    })
    return report
  } finally {
    await Promise.all([admin, monitor, ...pools].map((sql) => sql.end({ timeout: 5 })))
  }
}

type Stage = { admin: Sql; monitor: Sql; actors: Actor[]; report: Report }

async function play({ admin, monitor, actors, report }: Stage, given: Script): Promise<void> {
  const errors: unknown[] = []
  const world = await makeWorld(admin, given.setting, (error) => errors.push(error))
  const { id } = world.merchant
  const attempt = async (op: Op, sql: Sql) => {
    try {
      await world.act(op, sql)
    } catch (error) {
      if (!(error instanceof Problem)) errors.push(error)
      report.refusals += 1
    }
  }
  for (const op of [given.first, ...given.before]) await attempt(op, admin)
  let chosen = 0
  const choose = (count: number) => (given.choices[chosen++ % given.choices.length] ?? 0) % count
  const work = given.actors.flatMap((ops, index) => {
    const actor = actors[index]
    if (!actor) return []
    const run = async (sql: Sql, step: (label: string) => Promise<void>) => {
      for (const op of ops) {
        await step(`== ${JSON.stringify(op)}`)
        await attempt(op, sql)
      }
    }
    return [{ actor, run }]
  })
  const { trace, error } = await interleave(monitor, work, choose)
  if (error) errors.push(error)
  const faults = await findFaults(admin, id, false)
  if (faults.length === 0 && errors.length === 0) {
    await world.drain()
    faults.push(...(await findFaults(admin, id, true)).map((fault) => `at rest: ${fault}`))
  }
  report.runs += 1
  report.steps += trace.length
  const met = trace.indexOf('(deadlock)')
  if (met !== -1) {
    report.deadlocks += 1
    console.log(
      ['They met head-on, and the database let one go:', ...trace.slice(Math.max(0, met - 25), met + 1)].join('\n'),
    )
  }
  report.overlaps += countOverlaps(trace)
  if (faults.length === 0 && errors.length === 0) return
  const told = errors.map((thrown) => (thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)))
  throw new Error([...faults, ...told, '', ...trace].join('\n'))
}

/** How often somebody else went on in the middle of a transaction. */
function countOverlaps(trace: readonly string[]): number {
  const open = new Set<string>()
  let overlaps = 0
  for (const line of trace) {
    const [name = '', what = ''] = line.split(': ')
    if ([...open].some((other) => other !== name)) overlaps += 1
    if (what === 'begin') open.add(name)
    if (what === 'commit' || what.startsWith('==')) open.delete(name)
  }
  return overlaps
}
