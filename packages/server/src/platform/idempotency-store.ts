/** SQL of Idempotency-Keys. */

import { json } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import { limits } from '../vocabulary/limits.ts'
import type { KeyOwner, RequestKey, StoredAnswer } from './idempotency-key.ts'

/** A key that is older counts for nothing. */
export const oldestKept = (now: Date) => new Date(now.getTime() - limits.idempotencyHoursMax * 3_600_000)

/** Which of these keys have a row, in order. */
export async function areKeysKnown(sql: Executor, owners: readonly KeyOwner[]): Promise<boolean[]> {
  const wanted = owners.map(({ merchantId, clientId, key }) => ({ merchant_id: merchantId, client_id: clientId, key }))
  const rows = await sql<KeyOwner[]>`
    select k.merchant_id, k.client_id, k.key
    from (
      select * from json_to_recordset(${json(wanted)}::json) as t (merchant_id int, client_id text, key text)
      limit ${wanted.length}
    ) w
    join idempotency_keys k on k.merchant_id = w.merchant_id and k.client_id = w.client_id and k.key = w.key`
  const nameOf = ({ merchantId, clientId, key }: KeyOwner) => `${merchantId} ${clientId} ${key}`
  const known = new Set(rows.map(nameOf))
  return owners.map((owner) => known.has(nameOf(owner)))
}

/** Claims a key that has no row, an old one, or one whose lease is over. Returns its seed; undefined when it is not to be had. */
export async function takeKey(
  sql: Executor,
  { owner, hash, seed }: RequestKey,
  now: Date,
): Promise<Uint8Array | undefined> {
  const leasedUntil = new Date(now.getTime() + limits.idempotencyLeaseMs)
  const tooOld = oldestKept(now)
  const [row] = await sql<{ seed: Uint8Array }[]>`
    insert into idempotency_keys as k (merchant_id, client_id, key, request_hash, seed, leased_until, created_at)
    values (${owner.merchantId}, ${owner.clientId}, ${owner.key}, ${hash}, ${seed}, ${leasedUntil}, ${now})
    on conflict (merchant_id, client_id, key) do update set
      leased_until = excluded.leased_until,
      request_hash = excluded.request_hash,
      seed = case when k.created_at < ${tooOld} then excluded.seed else k.seed end,
      created_at = case when k.created_at < ${tooOld} then excluded.created_at else k.created_at end,
      status = null,
      body = null
    where k.created_at < ${tooOld}
      or (k.status is null and k.leased_until < ${now} and k.request_hash = excluded.request_hash)
    returning seed`
  return row?.seed
}

/** A key's row: what it is bound to, and its answer where it has one. */
export async function findAnswer(
  sql: Executor,
  owner: KeyOwner,
): Promise<{ requestHash: Uint8Array; answer: StoredAnswer | undefined } | undefined> {
  const [row] = await sql<{ requestHash: Uint8Array; status: number | null; body: string | null }[]>`
    select request_hash, status, body from idempotency_keys where merchant_id = ${owner.merchantId} and client_id = ${owner.clientId} and key = ${owner.key}`
  if (!row) return undefined
  const { requestHash, status, body } = row
  return { requestHash, answer: status !== null && body !== null ? { status, body } : undefined }
}

/** Stores the answer of a key that has no row. False when it has one. */
export async function insertAnswer(
  sql: Executor,
  { owner, hash, seed }: RequestKey,
  { status, body }: StoredAnswer,
  now: Date,
): Promise<boolean> {
  const rows = await sql`
    insert into idempotency_keys (merchant_id, client_id, key, request_hash, seed, status, body, created_at)
    values (${owner.merchantId}, ${owner.clientId}, ${owner.key}, ${hash}, ${seed}, ${status}, ${body}, ${now})
    on conflict do nothing returning key`
  return rows.length === 1
}

export async function completeKey(sql: Executor, owner: KeyOwner, { status, body }: StoredAnswer): Promise<void> {
  await sql`
    update idempotency_keys set status = ${status}, body = ${body}, leased_until = null
    where merchant_id = ${owner.merchantId} and client_id = ${owner.clientId} and key = ${owner.key} and status is null`
}

export async function deleteKey(sql: Executor, owner: KeyOwner): Promise<void> {
  await sql`delete from idempotency_keys where merchant_id = ${owner.merchantId} and client_id = ${owner.clientId} and key = ${owner.key} and status is null`
}

export async function endLease(sql: Executor, owner: KeyOwner, now: Date): Promise<void> {
  await sql`update idempotency_keys set leased_until = ${now} where merchant_id = ${owner.merchantId} and client_id = ${owner.clientId} and key = ${owner.key} and status is null`
}

export async function deleteOldKeys(sql: Executor, tooOld: Date, most: number): Promise<number> {
  const rows = await sql`
    delete from idempotency_keys k
    using (
      select merchant_id, client_id, key from idempotency_keys where created_at < ${tooOld} order by created_at limit ${most}
    ) old
    where k.merchant_id = old.merchant_id and k.client_id = old.client_id and k.key = old.key and k.created_at < ${tooOld}
    returning 1 as gone`
  return rows.length
}
