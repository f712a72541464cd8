/**
 * Idempotency-Key: claim, replay, complete. The claim holds a seed from which the request's new ids are made, so that a
 * second run after a crash meets what the first run wrote. Claims are leased: a dead process blocks its key for 30 s at most.
 */
import { createHash } from 'node:crypto'
import { limits } from '../vocabulary/limits.ts'
import type { Executor } from './db.ts'
import { uuidBytes } from './id.ts'
import { problem } from './problem.ts'

export type KeyOwner = { merchantId: number; clientId: string; key: string }
/** `resumed`: an earlier run with this seed was never answered; what it wrote, if anything, is on record. */
export type Claim = { is: 'run'; seed: Uint8Array; resumed: boolean } | { is: 'replay'; status: number; body: string }

/** What a key is bound to. Everything that decides how an answer reads belongs here, because the stored text is replayed as it is. */
export type RequestIdentity = { method: string; path: string; version: string; body: unknown }

/** v1, the version of a request that names none, adds no line: keys stored before the version counted stay valid for it. */
export function requestHash({ method, path, version, body }: RequestIdentity): Buffer {
  const head = version === 'v1' ? [method, path] : [method, path, version]
  return createHash('sha256')
    .update([...head, JSON.stringify(body ?? null)].join('\n'))
    .digest()
}

/**
 * Claims the key for this request. Leases go by real time (`now`); the seed by the merchant's clock, since it becomes the
 * id of what is created, and ids are in the order of that clock. Throws `idempotencyMismatch` (422) when it was used for another request, and
 * `requestInProgress` (409, Retry-After) while a twin is running.
 */
export async function claimKey(
  sql: Executor,
  owner: KeyOwner,
  hash: Uint8Array,
  now: Date,
  merchantNow: Date,
): Promise<Claim> {
  if (owner.key.length > limits.idempotencyKeyLength || !/^[\x21-\x7e]+$/.test(owner.key)) {
    const detail = `must be 1 to ${limits.idempotencyKeyLength} printable ASCII characters without spaces`
    throw problem('invalidParam', `The header idempotency-key ${detail}.`, {
      errors: [{ pointer: '/headers/idempotency-key', detail }],
    })
  }
  const fresh = uuidBytes(merchantNow.getTime())
  const seed = await takeKey(sql, owner, hash, now, fresh)
  if (seed) return { is: 'run', seed, resumed: !Buffer.from(seed).equals(fresh) }
  const [held] = await sql<{ requestHash: Uint8Array; status: number | null; body: string | null }[]>`
    select request_hash, status, body from idempotency_keys
    where merchant_id = ${owner.merchantId} and client_id = ${owner.clientId} and key = ${owner.key}`
  if (held && !Buffer.from(held.requestHash).equals(hash)) {
    throw problem(
      'idempotencyMismatch',
      'This Idempotency-Key was used for another method, path, body or API version; use a new key for a new request.',
    )
  }
  if (held && held.status !== null && held.body !== null) return { is: 'replay', status: held.status, body: held.body }
  throw problem(
    'requestInProgress',
    'A request with this Idempotency-Key is still running; ask again with the same key.',
    {
      retryAfterSeconds: 1,
    },
  )
}

async function takeKey(
  sql: Executor,
  owner: KeyOwner,
  hash: Uint8Array,
  now: Date,
  fresh: Uint8Array,
): Promise<Uint8Array | undefined> {
  const leasedUntil = new Date(now.getTime() + limits.idempotencyLeaseMs)
  const tooOld = new Date(now.getTime() - limits.idempotencyHoursMax * 3_600_000)
  const [row] = await sql<{ seed: Uint8Array }[]>`
    insert into idempotency_keys as k (merchant_id, client_id, key, request_hash, seed, leased_until, created_at)
    values (${owner.merchantId}, ${owner.clientId}, ${owner.key}, ${hash}, ${fresh}, ${leasedUntil}, ${now})
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

/** Stores the answer: it is what every later request with this key gets. */
export async function completeKey(sql: Executor, owner: KeyOwner, status: number, body: string): Promise<void> {
  await sql`
    update idempotency_keys set status = ${status}, body = ${body}, leased_until = null
    where merchant_id = ${owner.merchantId} and client_id = ${owner.clientId} and key = ${owner.key} and status is null`
}

/** Gives the key back after a request that changed nothing (400, 429). */
export async function forgetKey(sql: Executor, owner: KeyOwner): Promise<void> {
  await sql`
    delete from idempotency_keys
    where merchant_id = ${owner.merchantId} and client_id = ${owner.clientId} and key = ${owner.key} and status is null`
}

/** After a failure of ours: the next request with this key runs again at once, with the same seed. */
export async function releaseKey(sql: Executor, owner: KeyOwner, now: Date): Promise<void> {
  await sql`
    update idempotency_keys set leased_until = ${now}
    where merchant_id = ${owner.merchantId} and client_id = ${owner.clientId} and key = ${owner.key} and status is null`
}

/** Deletes keys past their 24 hours, a slice at a time. Returns how many. Crosses merchants: it is a job. */
export async function pruneKeys(sql: Executor, now: Date, most: number): Promise<number> {
  const tooOld = new Date(now.getTime() - limits.idempotencyHoursMax * 3_600_000)
  const rows = await sql`
    delete from idempotency_keys k
    using (
      select merchant_id, client_id, key from idempotency_keys where created_at < ${tooOld} order by created_at limit ${most}
    ) old
    where k.merchant_id = old.merchant_id and k.client_id = old.client_id and k.key = old.key and k.created_at < ${tooOld}
    returning 1 as gone`
  return rows.length
}
