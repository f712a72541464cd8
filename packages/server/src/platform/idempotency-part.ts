/** The part of a writing statement that keeps Idempotency-Keys: an answer is stored together with its effect, or not at all. */

import { json } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import { type Fragment, raw } from '../kit/statement.ts'
import { limits } from '../vocabulary/limits.ts'
import type { Keyed, RequestKey, StoredAnswer } from './idempotency-key.ts'

/** A key to be written with the noun `writtenId`, `at` by the real clock. Without an answer the key is claimed until `leasedUntil`. */
export type KeyWrite = {
  readonly key: RequestKey
  readonly writtenId: string
  readonly at: Date
  readonly answer: StoredAnswer | undefined
  readonly leasedUntil: Date | undefined
}

/** The write of a request's key with the answer to `result`; nothing for a request without a key. */
export function answerWith<T>(
  keyed: Keyed<T> | undefined,
  result: T,
  written: { writtenId: string; at: Date },
): KeyWrite[] {
  return keyed ? [{ ...written, key: keyed.key, answer: keyed.answer(result), leasedUntil: undefined }] : []
}

/** Claims a new key in the statement that begins the work; nothing where it is claimed already. */
export function claimWith<T>(keyed: Keyed<T> | undefined, written: { writtenId: string; at: Date }): KeyWrite[] {
  if (keyed?.key.state !== 'new') return []
  const leasedUntil = new Date(written.at.getTime() + limits.idempotencyLeaseMs)
  return [{ ...written, key: keyed.key, answer: undefined, leasedUntil }]
}

/** Remembers in the keys that their statement is done. */
export function markWritten(writes: readonly KeyWrite[]): void {
  for (const { key, answer } of writes) key.state = answer ? 'answered' : 'claimed'
}

/**
 * Parts `new_keys` and `answered_keys`, for keys whose noun part `guard` has written; its rows have (merchant_id, id). A new
 * key that another request has taken meanwhile breaks the primary key, and the statement leaves nothing.
 */
export function keysPart(sql: Executor, writes: readonly KeyWrite[], guard: string): Fragment {
  const record = raw(
    sql,
    `written_id text, merchant_id int, client_id text, key text, request_hash bytea, seed bytea, leased_until timestamptz,
    status smallint, body text, created_at timestamptz`,
  )
  const written = raw(sql, `join ${guard} w on w.merchant_id = k.merchant_id and w.id = k.written_id`)
  const fresh = writes.filter(({ key }) => key.state === 'new').map(toRow)
  const claimed = writes.filter(({ key }) => key.state === 'claimed').map(toRow)
  return sql`
    new_keys as (
      insert into idempotency_keys (merchant_id, client_id, key, request_hash, seed, leased_until, status, body, created_at)
      select k.merchant_id, k.client_id, k.key, k.request_hash, k.seed, k.leased_until, k.status, k.body, k.created_at
      from json_to_recordset(${json(fresh)}::json) as k (${record}) ${written}
    ), answered_keys as (
      update idempotency_keys t set status = a.status, body = a.body, leased_until = null
      from (
        select k.* from json_to_recordset(${json(claimed)}::json) as k (${record}) ${written} limit ${claimed.length}
      ) a
      where t.merchant_id = a.merchant_id and t.client_id = a.client_id and t.key = a.key and t.status is null
    )`
}

function toRow({ key, writtenId, at, answer, leasedUntil }: KeyWrite) {
  const { owner, hash, seed } = key
  return {
    written_id: writtenId,
    merchant_id: owner.merchantId,
    client_id: owner.clientId,
    key: owner.key,
    request_hash: `\\x${hash.toString('hex')}`,
    seed: `\\x${Buffer.from(seed).toString('hex')}`,
    leased_until: leasedUntil,
    status: answer?.status,
    body: answer?.body,
    created_at: at,
  }
}
