/** What must hold after anything whatsoever: the ledger agrees with itself, streams have no gaps, the last event is the object. */
import assert from 'node:assert/strict'
import { ledgerFaults } from '../src/ledger/balances.ts'
import type { Body, Client, TestApp } from './harness.ts'
import type { Shop } from './shop.ts'

type EventRow = { streamId: string; sequence: number; type: string; createdAt: Date; data: Body }

/** The events of a merchant in the order of their streams. */
export async function eventsOf(t: TestApp, client: Client, streamId?: string): Promise<EventRow[]> {
  return t.ctx.sql<EventRow[]>`
    select stream_id, sequence, type, created_at, data from events
    where merchant_id = ${client.merchantId} ${streamId === undefined ? t.ctx.sql`` : t.ctx.sql`and stream_id = ${streamId}`}
    order by stream_id, sequence`
}

/** The types of a stream's events, in order. */
export async function told(t: TestApp, client: Client, streamId: string): Promise<string[]> {
  return (await eventsOf(t, client, streamId)).map((event) => event.type)
}

const paths: Record<string, string> = { cs: '/checkout-sessions', pl: '/payment-links', pay: '/payments' }

/** Checks ledger, streams and snapshots of a merchant; call it after whatever a test did. */
export async function prove(t: TestApp, client: Client): Promise<void> {
  assert.deepEqual(await ledgerFaults(t.ctx.sql), [])
  const last = new Map<string, EventRow>()
  const counts = new Map<string, number>()
  const times = new Map<string, Date>()
  for (const event of await eventsOf(t, client)) {
    const expected = (counts.get(event.streamId) ?? 0) + 1
    assert.equal(event.sequence, expected, `${event.streamId} has a gap before ${event.type}`)
    counts.set(event.streamId, expected)
    const before = times.get(event.streamId) ?? event.createdAt
    assert.ok(event.createdAt >= before, `${event.streamId} steps back in time at ${event.type}`)
    times.set(event.streamId, event.createdAt)
    last.set(event.data.id, event)
  }
  for (const [id, event] of last) {
    const read = await client.call('GET', `${paths[id.split('_')[0] ?? '']}/${id}`)
    if (event.type.endsWith('.deleted')) {
      assert.equal(read.status, 404)
      continue
    }
    const { url: _, ...shown } = read.body
    assert.deepEqual(
      withoutImages(event.data),
      withoutImages(shown),
      `the last event of ${id} (${event.type}) is not the object`,
    )
  }
}

/** A QR image is drawn from `data` when a payment is read: events do not carry it. */
function withoutImages(shown: Body): Body {
  return JSON.parse(JSON.stringify(shown, (key, value) => (key === 'qrCode' ? undefined : value)))
}

/** What an account shows: `[balance, availableFunds]`. */
export async function funds(client: Client, shop: Shop, currency = 'BRL'): Promise<[string, string]> {
  const { body } = await client.call('GET', `/accounts/${shop.accounts[currency]?.id}`)
  return [body.balance, body.availableFunds]
}

/** The pointers of a refusal, sorted. */
export function pointers(body: Body): string[] {
  return (body.errors ?? []).map((fault: { pointer: string }) => fault.pointer).sort()
}

/** Sum of a ledger code in minor units: credits less debits. */
export async function sumOf(t: TestApp, client: Client, code: string): Promise<bigint> {
  const [row] = await t.ctx.sql<{ sum: bigint }[]>`
    select coalesce(sum(case when credit_code = ${code} then amount_minor else -amount_minor end), 0)::bigint as sum
    from ledger_postings where merchant_id = ${client.merchantId} and ${code} in (credit_code, debit_code)`
  return row?.sum ?? 0n
}

/** Sets a merchant's column that no endpoint of this slice changes, and makes the process see it. */
export async function setMerchant(
  t: TestApp,
  client: Client,
  change: { lateMoney?: string; quoteTtlSeconds?: number; timeZone?: string; mode?: string },
): Promise<void> {
  const { lateMoney = null, quoteTtlSeconds = null, timeZone = null, mode = null } = change
  await t.ctx.sql`
    update merchants set late_money = coalesce(${lateMoney}, late_money), time_zone = coalesce(${timeZone}, time_zone),
      quote_ttl_seconds = coalesce(${quoteTtlSeconds}, quote_ttl_seconds), mode = coalesce(${mode}, mode)
    where id = ${client.merchantId}`
  t.ctx.auth.forget(client.merchantId)
  t.ctx.recall.forget(client.merchantId)
}
