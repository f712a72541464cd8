/** Durable creates: validated, quoted and on disk with their event, beside PostgreSQL's own benchmark inserting the same rows. */
import { openClient, sessionBody } from '../client.ts'
import { createScript } from '../hand-written.ts'
import { compareKeys, inTurns, turns } from '../keys.ts'
import { measure } from '../measure.ts'
import { findPgbench, pgbenchScript } from '../pgbench.ts'
import { type Bench, type Row, type Scenario, shown, withSql } from '../scenario.ts'

const connections = 64
const pgbenchClients = 32

export const scenario: Scenario = {
  name: 'creates',
  about: 'POST /checkout-sessions, 64 connections, with and without an Idempotency-Key',
  run: async (bench) => {
    const target = await bench.openTarget()
    const { keyed, unkeyed } = await inTurns(async (isKeyed, warmUp) => {
      const client = await openClient(target.address, target.seed, connections, { keyed: isKeyed })
      const figures = await measure(
        connections,
        bench.seconds / turns,
        async () => {
          const answer = await client.call('POST', '/checkout-sessions', sessionBody(target.seed))
          if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text.slice(0, 300)}`)
        },
        warmUp,
      )
      client.close()
      return figures
    })
    await target.stop()
    bench.note(`creates: p50 ${shown(keyed.p50Ms)} ms, p99 ${shown(keyed.p99Ms)} ms at 64 connections, with a key`)
    return [await compare(bench, keyed.perSecond), compareKeys('creates', keyed, unkeyed)]
  },
}

async function compare(bench: Bench, perSecond: number): Promise<Row> {
  const row = {
    what: 'create a session with an Idempotency-Key, 64 connections',
    figure: shown(perSecond, '/s'),
    target: '>= 1.0',
  }
  const pgbench = findPgbench()
  if (!pgbench) return { ...row, yardstick: 'pgbench is not installed: not comparable', its: '' }
  const options = { clients: pgbenchClients, seconds: bench.seconds }
  const script = await withSql(bench.databaseUrl, createScript)
  const its = await pgbenchScript(pgbench, bench.socketUrl, script, options)
  const ratio = perSecond / its
  return {
    ...row,
    yardstick: `pgbench -M prepared -c ${pgbenchClients}, the same rows and indexes`,
    its: shown(its, '/s'),
    ratio,
    met: ratio >= 1,
  }
}
