/** SQL of webhook endpoints. */

import { ints, json, texts } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import type { Page } from '../kit/page.ts'
import { inPage, withinDays } from '../kit/page.ts'
import type { Endpoint } from './endpoint.ts'

/** Inserts the endpoint unless it is there, or the merchant has `most` already. */
export async function insertEndpoint(sql: Executor, e: Endpoint, most: number): Promise<boolean> {
  const rows = await sql`
    insert into webhook_endpoints (merchant_id, id, url, description, format, event_types, status, secret_sealed, created_at, updated_at)
    select ${e.merchantId}, ${e.id}, ${e.url}, ${e.description}, ${e.format}, ${texts(e.eventTypes)}, ${e.status}, ${e.secretSealed},
      ${e.createdAt}, ${e.updatedAt}
    where (select count(*) from webhook_endpoints where merchant_id = ${e.merchantId} and deleted_at is null) < ${most}
    on conflict do nothing
    returning id`
  return rows.length === 1
}

export async function findEndpointById(sql: Executor, merchantId: number, id: string): Promise<Endpoint | undefined> {
  const [row] = await sql<Endpoint[]>`
    select * from webhook_endpoints where merchant_id = ${merchantId} and id = ${id} and deleted_at is null`
  return row
}

/** Locks the endpoint: `update` to change it, `share` to act on what it says while nobody does. */
export async function lockEndpointById(
  sql: Executor,
  merchantId: number,
  id: string,
  how: 'update' | 'share',
): Promise<Endpoint | undefined> {
  const [row] = await sql<Endpoint[]>`
    select * from webhook_endpoints where merchant_id = ${merchantId} and id = ${id} and deleted_at is null
    ${how === 'update' ? sql`for update` : sql`for share`}`
  return row
}

export async function updateEndpoint(sql: Executor, e: Endpoint): Promise<void> {
  await sql`
    update webhook_endpoints set url = ${e.url}, description = ${e.description}, event_types = ${texts(e.eventTypes)}, status = ${e.status},
      attention = ${e.attention}, secret_sealed = ${e.secretSealed}, previous_secret_sealed = ${e.previousSecretSealed},
      previous_secret_until = ${e.previousSecretUntil}, failing_since = ${e.failingSince}, given_up = ${e.givenUp},
      event_sequence = ${e.eventSequence}, updated_at = ${e.updatedAt}, paused_at = ${e.pausedAt}, deleted_at = ${e.deletedAt}
    where merchant_id = ${e.merchantId} and id = ${e.id}`
}

/** One page of a merchant's endpoints, and how many there are. */
export async function listEndpoints(sql: Executor, merchantId: number, page: Page) {
  const where = sql`merchant_id = ${merchantId} and deleted_at is null ${withinDays(sql, page)}`
  const [rows, [counted]] = await Promise.all([
    sql<Endpoint[]>`select * from webhook_endpoints where ${where} ${inPage(sql, page)}`,
    sql<{ total: number }[]>`select count(*)::int as total from webhook_endpoints where ${where}`,
  ])
  return { endpoints: [...rows], total: counted?.total ?? 0 }
}

/** The endpoints of several merchants, paused ones too: what they miss is kept. For the fan-out. */
export async function listEndpointsOf(
  sql: Executor,
  merchantIds: readonly number[],
): Promise<Pick<Endpoint, 'merchantId' | 'id' | 'format' | 'eventTypes'>[]> {
  return sql<Pick<Endpoint, 'merchantId' | 'id' | 'format' | 'eventTypes'>[]>`
    select merchant_id, id, format, event_types from webhook_endpoints
    where merchant_id = any (${ints(merchantIds)}) and deleted_at is null order by merchant_id, id`
}

/** Endpoints by id, with the mode of their merchants. For the sender. */
export async function listEndpointsById(
  sql: Executor,
  ids: readonly { merchantId: number; endpointId: string }[],
): Promise<(Endpoint & { mode: 'live' | 'sandbox' })[]> {
  const keys = ids.map(({ merchantId, endpointId }) => ({ merchant_id: merchantId, id: endpointId }))
  return sql<(Endpoint & { mode: 'live' | 'sandbox' })[]>`
    select e.*, m.mode from (select * from json_to_recordset(${json(keys)}::json) as t (merchant_id int, id object_id)) k
    join webhook_endpoints e on e.merchant_id = k.merchant_id and e.id = k.id and e.deleted_at is null
    join merchants m on m.id = e.merchant_id`
}

/** Notes that a try failed, where that is news; `gaveUp` when it was the delivery's last. */
export async function noteFailure(
  sql: Executor,
  { merchantId, id, now, gaveUp }: { merchantId: number; id: string; now: Date; gaveUp: boolean },
): Promise<void> {
  await sql`
    update webhook_endpoints set failing_since = coalesce(failing_since, ${now}), given_up = given_up + ${gaveUp ? 1 : 0}
    where merchant_id = ${merchantId} and id = ${id} and (failing_since is null or ${gaveUp})`
}

/** Notes that something was delivered after failures. */
export async function noteSuccess(sql: Executor, merchantId: number, id: string): Promise<void> {
  await sql`
    update webhook_endpoints set failing_since = null, given_up = 0
    where merchant_id = ${merchantId} and id = ${id} and failing_since is not null`
}
