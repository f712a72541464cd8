/** Whole paid flows: create, submit, notification, FINISHED with ledger and events, beside pgbench's TPC-B-like transactions. */

import { texts } from '../../packages/sql/src/sql.ts'
import { openClient, payOnce, sessionBody } from '../client.ts'
import { flowScript } from '../hand-written.ts'
import { compareKeys, inTurns, turns } from '../keys.ts'
import { measure } from '../measure.ts'
import { findPgbench, pgbenchScript, pgbenchTpcb } from '../pgbench.ts'
import { type Bench, type Row, type Scenario, shown, withSql } from '../scenario.ts'

const connections = 64
const pgbenchClients = 32
const scale = 50

export const scenario: Scenario = {
  name: 'flows',
  about: 'whole paid flows, 64 connections, with and without Idempotency-Keys',
  run: async (bench) => {
    const target = await bench.openTarget()
    const paid: string[] = []
    const { keyed, unkeyed } = await inTurns(async (isKeyed, warmUp) => {
      const client = await openClient(target.address, target.seed, connections, { keyed: isKeyed })
      const figures = await measure(
        connections,
        bench.seconds / turns,
        async () => {
          paid.push(await payOnce(client, sessionBody(target.seed)))
        },
        warmUp,
      )
      client.close()
      return figures
    })
    await target.stop()
    await checkAllPaid(bench.databaseUrl, paid)
    bench.note(
      `flows: p50 ${shown(keyed.p50Ms)} ms, p99 ${shown(keyed.p99Ms)} ms for the three requests, each with a key`,
    )
    return [...(await compare(bench, keyed.perSecond)), compareKeys('flows', keyed, unkeyed)]
  },
}

/** Every session that was paid is FINISHED, with one ledger entry that says so and its event: no flow counts unless it is whole. */
async function checkAllPaid(databaseUrl: string, ids: readonly string[]): Promise<void> {
  const [found] = await withSql(
    databaseUrl,
    (sql) => sql<{ whole: number }[]>`
      select count(*)::int as whole from checkout_sessions s
      join payments p on p.merchant_id = s.merchant_id and p.session_id = s.id and p.accepted_at is not null
      join ledger_entries l on l.merchant_id = p.merchant_id and l.source_id = p.id and l.kind = 'paid'
      join events e on e.merchant_id = s.merchant_id and e.stream_id = s.id and e.type = 'checkout_session.finished'
      where s.status = 'FINISHED' and s.id = any (${texts(ids)})`,
  )
  if (found?.whole !== ids.length) throw new Error(`${found?.whole} of ${ids.length} flows are whole`)
}

async function compare(bench: Bench, perSecond: number): Promise<Row[]> {
  const row = {
    what: 'whole paid flow, each request with an Idempotency-Key, 64 connections',
    figure: shown(perSecond, '/s'),
    target: '>= 0.5',
  }
  const pgbench = findPgbench()
  if (!pgbench) return [{ ...row, yardstick: 'pgbench is not installed: not comparable', its: '' }]
  const options = { clients: pgbenchClients, seconds: bench.seconds }
  const script = await withSql(bench.databaseUrl, flowScript)
  const byHand = await pgbenchScript(pgbench, bench.socketUrl, script, options)
  const its = await pgbenchTpcb(pgbench, bench.socketUrl, { ...options, scale })
  const ratio = perSecond / its
  const tpcb = `pgbench TPC-B-like, ${pgbenchClients} clients, scale ${scale}`
  return [
    { ...row, yardstick: tpcb, its: shown(its, '/s'), ratio, met: ratio >= 0.5 },
    {
      what: 'the same',
      figure: shown(perSecond, '/s'),
      yardstick: `pgbench -M prepared -c ${pgbenchClients}, the rows of a flow by hand`,
      its: shown(byHand, '/s'),
      ratio: perSecond / byHand,
      target: '',
    },
    {
      what: 'the rows of a flow by hand',
      figure: shown(byHand, '/s'),
      yardstick: tpcb,
      its: shown(its, '/s'),
      ratio: byHand / its,
      target: '',
    },
  ]
}
