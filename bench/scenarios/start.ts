/** From the command to the first 200: on an empty folder, on the one that it made, and what npm adds in front. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../packages/sql/src/ports.ts'
import { type Row, type Scenario, shown } from '../scenario.ts'

const project = fileURLToPath(new URL('../../', import.meta.url))
const rounds = 5
const askEveryMs = 5
const patienceMs = 30_000

export const scenario: Scenario = {
  name: 'start',
  about: 'from the command to the first 200',
  run: async (bench) => {
    const folder = mkdtempSync(join(tmpdir(), 'pasarela-bench-start-'))
    try {
      // The first start of all compiles what later ones find in the cache.
      await timeStart(join(folder, 'warm'), 'node')
      const [empty, existing, byNpm]: [number[], number[], number[]] = [[], [], []]
      for (let round = 0; round < rounds; round += 1) {
        const dataDir = join(folder, `round-${round}`)
        empty.push(await timeStart(dataDir, 'node'))
        existing.push(await timeStart(dataDir, 'node'))
        byNpm.push(await timeStart(dataDir, 'npm'))
      }
      const npmMs = median(byNpm) - median(existing)
      bench.note(`npm start adds ${shown(npmMs)} ms before it runs the command (medians of ${rounds})`)
      return [
        row('start to the first 200, existing data', median(existing), 1000),
        row('start to the first 200, empty folder', median(empty), 4000),
      ]
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function row(what: string, ms: number, mostMs: number): Row {
  const [figure, target] = [shown(ms / 1000, 's'), `<= ${mostMs / 1000} s`]
  return { what, figure, yardstick: `median of ${rounds} starts`, its: '', target, met: ms <= mostMs }
}

/** Starts it as a user does, asks until it answers, stops it as a user does. */
async function timeStart(dataDir: string, by: 'node' | 'npm'): Promise<number> {
  const port = await freePort()
  const own = ['--port', String(port), '--data-dir', dataDir]
  const [command, args] =
    by === 'npm'
      ? ['npm', ['start', '--silent', '--', ...own]]
      : [process.execPath, ['packages/server/bin/pasarela.js', 'start', ...own]]
  const began = performance.now()
  const child = spawn(command as string, args as string[], { cwd: project, stdio: 'ignore', detached: true })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  try {
    while (!(await answers(`http://127.0.0.1:${port}/docs`))) {
      if (performance.now() - began > patienceMs) throw new Error('it does not start')
      await sleep(askEveryMs)
    }
    return performance.now() - began
  } finally {
    // The whole group: npm stands before the server.
    process.kill(-(child.pid as number), 'SIGTERM')
    await ended
    while (await answers(`http://127.0.0.1:${port}/docs`)) await sleep(askEveryMs)
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url)
    await answer.arrayBuffer()
    return answer.status === 200
  } catch {
    return false
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
