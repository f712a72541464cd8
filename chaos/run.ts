/**
 * `npm run chaos`: how long a promise lasts when everything dies. Options: --minutes N (default 1), --seed S (printed; it
 * repeats the choices, though not the timing), --shoppers N (default 8), --keep (leaves logs and the ledger of answers).
 */
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type ChaosReport, killEverything, runChaos } from './chaos.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    shoppers: { type: 'string', default: '8' },
    keep: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.minutes) * 60
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error('--minutes is a number above zero, --seed an integer')

const folder = mkdtempSync(join(tmpdir(), 'pasarela-chaos-'))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
process.on('exit', () => {
  killEverything()
  if (!values.keep && process.exitCode === 0) rmSync(folder, { recursive: true, force: true })
})

console.log(`chaos: seed ${seed}, ${values.minutes} minutes, in ${folder}`)
const say = (line: string) => console.log(`${performance.now().toFixed(0).padStart(7)} ms  ${line}`)
const report = await runChaos({ seconds, seed, folder, shoppers: Number(values.shoppers), say })
print(report)
process.exitCode = report.lost.length + report.doubled.length + report.wrong.length === 0 ? 0 : 1

function print(r: ChaosReport): void {
  const kills = Object.entries(r.kills).sort(([a], [b]) => (a < b ? -1 : 1))
  const rows: [string, string | number][] = [
    ['seconds of load', seconds],
    [
      'kill -9',
      `${kills.reduce((sum, [, count]) => sum + count, 0)} (${kills.map(([who, n]) => `${who} ${n}`).join(', ')})`,
    ],
    ['starts of servers', r.startMs.length],
    ['requests', r.requests],
    ['of them without an answer', r.unanswered],
    [
      'answers by status',
      Object.entries(r.statuses)
        .map(([status, count]) => `${status}: ${count}`)
        .join(', '),
    ],
    ['answered writes', r.answeredWrites],
    ['sessions, accepted payments, refunds', `${r.sessions}, ${r.acceptedPayments}, ${r.refunds}`],
    ['events, read through the API', `${r.events}, ${r.eventsRead}`],
    ['of them told to a webhook receiver, with repetitions', `${r.webhooks}, ${r.webhooksTaken}`],
    ['lost', r.lost.length],
    ['doubled', r.doubled.length],
    ['other faults', r.wrong.length],
    ['from a kill to the next answered write, ms', spread(r.recoveries.map(({ ms }) => ms))],
    ['the slowest of them', slowest(r.recoveries)],
    ['from the start of a server to serving, ms', spread(r.startMs)],
    ['until quiet after the load, s', r.quietSeconds.toFixed(1)],
  ]
  console.log('\n| what | figure |\n| --- | ---: |')
  for (const [what, figure] of rows) console.log(`| ${what} | ${figure} |`)
  for (const fault of [...r.lost, ...r.doubled, ...r.wrong].slice(0, 50)) console.log(`FAULT ${fault}`)
}

function slowest(recoveries: ChaosReport['recoveries']): string {
  const [first] = recoveries.toSorted((a, b) => b.ms - a.ms)
  return first ? `${first.ms.toFixed(0)} ms after ${first.victim} at ${first.atSeconds.toFixed(0)} s` : ''
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return `p50 ${at(0.5).toFixed(0)}, max ${at(1).toFixed(0)}`
}
