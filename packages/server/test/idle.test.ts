/** A server that has nothing to do asks the database for next to nothing, and is awake as soon as something happens. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AppContext, buildContext } from '../src/context.ts'
import type { Worker } from '../src/kit/job.ts'
import { startWorker } from '../src/worker.ts'
import { startTestApp, type TestApp } from './harness.ts'
import { type Receiver, startReceiver } from './receiver.ts'
import { makeShop, ok, type Shop } from './shop.ts'

/** `t` serves requests; the jobs run in a process of their own, as far as it knows. */
let t: TestApp
let shop: Shop
let receiver: Receiver
let workerCtx: AppContext
let worker: Worker
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client)
  receiver = await startReceiver()
  await ok(t.client, 'POST', '/webhook-endpoints', { url: receiver.url })
  const { databaseUrl, ctx } = t
  workerCtx = await buildContext({ databaseUrl, publicUrl: ctx.publicUrl, masterKey: ctx.masterKey, log: ctx.log })
  worker = startWorker(workerCtx)
  await becomesQuiet()
})
after(async () => {
  await worker.stop()
  await workerCtx.close()
  await receiver.close()
  await t.close()
})

async function becomesQuiet(): Promise<void> {
  // Notifications are on their way for a moment.
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(100)) {
    if (!workerCtx.activity.isBusy() && !t.ctx.activity.isBusy()) return
  }
  assert.fail('something keeps happening')
}

/** Transactions of this database until now. A process of Postgres reports its own after ten seconds of being idle. */
async function commits(): Promise<number> {
  await sleep(10_500)
  const [row] = await t.ctx.sql<{ count: number }[]>`
    select (xact_commit + xact_rollback)::int as count from pg_stat_database where datname = current_database()`
  return row?.count ?? 0
}

test('fewer than five statements a second while nothing happens', async (context) => {
  const seconds = 20
  const first = await commits()
  await sleep((seconds - 10.5) * 1000)
  const perSecond = ((await commits()) - first) / seconds
  context.diagnostic(`${perSecond.toFixed(1)} statements a second`)
  assert.ok(perSecond < 5, `${perSecond} statements a second`)
})

test('a webhook of what another process wrote does not wait for the idle pace', async () => {
  await becomesQuiet()
  const began = performance.now()
  const session = await shop.session()
  const isTold = () => receiver.got.some(({ headers }) => headers['pasarela-stream'] === session.id)
  while (!isTold() && performance.now() - began < 10_000) await sleep(5)
  // Between two rounds at the idle pace lie up to five seconds for the event and two more for its webhook.
  const tookMs = performance.now() - began
  assert.ok(tookMs < 1_000, `${Math.round(tookMs)} ms`)
})

test('a session expires within two seconds of its time, although nobody has done anything', async () => {
  const session = await shop.session({ duration: 30 })
  await t.ctx.sql`
    update checkout_sessions set expires_at = now() + interval '7 seconds' where merchant_id = ${t.client.merchantId} and id = ${session.id}`
  await becomesQuiet()
  const status = async () => {
    const [row] = await t.ctx.sql<{ status: string; lateMs: number }[]>`
      select status, (extract(epoch from clock_timestamp() - expires_at) * 1000)::int as late_ms
      from checkout_sessions where merchant_id = ${t.client.merchantId} and id = ${session.id}`
    return row
  }
  let row = await status()
  assert.equal(row?.status, 'ATTEMPT')
  while (row?.status === 'ATTEMPT' && row.lateMs < 10_000) {
    await sleep(50)
    row = await status()
  }
  assert.equal(row?.status, 'EXPIRED')
  assert.ok(row && row.lateMs < 2_500, `${row?.lateMs} ms`)
})
