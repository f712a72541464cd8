/**
 * Idempotency-Key: claim, answer, replay. A key holds a seed from which the request's new ids are made, so that a second run
 * after a crash meets what the first run wrote. Claims are leased: a dead process blocks its key for 30 s at most.
 *
 * Where one statement does all the work, it writes the key with the answer (`idempotency-part.ts`) and nothing is claimed before.
 */
import { createHash } from 'node:crypto'
import { batcher, perPool } from '../kit/batch.ts'
import type { Sql } from '../kit/db.ts'
import { uuidBytes } from '../kit/id.ts'
import { type Problem, problem } from '../kit/problem.ts'
import { limits } from '../vocabulary/limits.ts'
import type { KeyOwner, RequestKey, StoredAnswer } from './idempotency-key.ts'
import * as store from './idempotency-store.ts'

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
 * A key that has no row yet. Its seed goes by the merchant's clock, since it becomes the id of what is created, and ids are
 * in the order of that clock. Throws `invalidParam` (400).
 */
export function newKey(owner: KeyOwner, identity: RequestIdentity, merchantNow: Date): RequestKey {
  if (owner.key.length > limits.idempotencyKeyLength || !/^[\x21-\x7e]+$/.test(owner.key)) {
    const detail = `must be 1 to ${limits.idempotencyKeyLength} printable ASCII characters without spaces`
    throw problem('invalidParam', `The header idempotency-key ${detail}.`, {
      errors: [{ pointer: '/headers/idempotency-key', detail }],
    })
  }
  const seed = uuidBytes(merchantNow.getTime())
  return { owner, hash: requestHash(identity), seed, resumed: false, state: 'new' }
}

const knownKeys = perPool((sql) =>
  batcher<KeyOwner, boolean>({ most: limits.readBatchMax, lanes: limits.batchLanes }, (owners) =>
    store.areKeysKnown(sql, owners),
  ),
)

/** Whether the key has a row. Read together with the keys of other requests that arrive meanwhile. */
export function isKnownKey(sql: Sql, owner: KeyOwner): Promise<boolean> {
  return knownKeys(sql)(owner)
}

/**
 * Claims the key: the request runs with the key that is returned. Returns the stored answer instead where an earlier run left
 * one. Leases go by real time (`now`). Throws `idempotencyMismatch` (422) when the key was used for another request, and
 * `requestInProgress` (409, Retry-After) while a twin is running.
 */
export async function claimKey(sql: Sql, key: RequestKey, now: Date): Promise<RequestKey | StoredAnswer> {
  const seed = await store.takeKey(sql, key, now)
  if (seed) return { ...key, seed, resumed: !Buffer.from(seed).equals(key.seed), state: 'claimed' }
  const held = await store.findAnswer(sql, key.owner)
  if (held && !Buffer.from(held.requestHash).equals(key.hash)) {
    throw problem(
      'idempotencyMismatch',
      'This Idempotency-Key was used for another method, path, body or API version; use a new key for a new request.',
    )
  }
  if (held?.answer) return held.answer
  throw keyInUse()
}

/** Claims a key that has no row yet, before work of several commits. Throws `requestInProgress` when a twin has taken it. */
export async function claimNew(sql: Sql, key: RequestKey, now: Date): Promise<void> {
  if (key.state !== 'new') return
  const seed = await store.takeKey(sql, key, now)
  if (!seed || !Buffer.from(seed).equals(key.seed)) throw keyInUse()
  key.state = 'claimed'
}

/** The refusal of a request whose twin is at work or has just been answered (409). */
export function keyInUse(): Problem {
  return problem(
    'requestInProgress',
    'A request with this Idempotency-Key is still running; ask again with the same key.',
    { retryAfterSeconds: 1 },
  )
}

/**
 * Stores the answer: every later request with this key gets it. Returns the answer on record instead where a twin was faster:
 * that one is the answer to both. Throws `requestInProgress` while the twin is still at work.
 */
export async function answerKey(
  sql: Sql,
  key: RequestKey,
  answer: StoredAnswer,
  now: Date,
): Promise<StoredAnswer | undefined> {
  if (key.state === 'claimed') {
    await store.completeKey(sql, key.owner, answer)
    return undefined
  }
  if (await store.insertAnswer(sql, key, answer, now)) return undefined
  const held = await store.findAnswer(sql, key.owner)
  if (held?.answer && Buffer.from(held.requestHash).equals(key.hash)) return held.answer
  throw keyInUse()
}

/** Gives the key back after a request that changed nothing (400, 429). */
export async function forgetKey(sql: Sql, key: RequestKey): Promise<void> {
  if (key.state === 'claimed') await store.deleteKey(sql, key.owner)
}

/** After a failure of ours: the next request with this key runs again at once, with the same seed. */
export async function releaseKey(sql: Sql, key: RequestKey, now: Date): Promise<void> {
  if (key.state === 'claimed') await store.endLease(sql, key.owner, now)
}

/** Deletes keys past their 24 hours, a slice at a time. Returns how many. Crosses merchants: it is a job. */
export function pruneKeys(sql: Sql, now: Date, most: number): Promise<number> {
  return store.deleteOldKeys(sql, store.oldestKept(now), most)
}
