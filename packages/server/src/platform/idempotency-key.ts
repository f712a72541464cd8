/** The Idempotency-Key of a request, and the answer that it keeps. */

export type KeyOwner = { merchantId: number; clientId: string; key: string }

export type StoredAnswer = { readonly status: number; readonly body: string }

/** The Idempotency-Key of one request. */
export type RequestKey = {
  readonly owner: KeyOwner
  readonly hash: Buffer
  readonly seed: Uint8Array
  /** An earlier run with this seed was never answered; what it wrote, if anything, is on record. */
  readonly resumed: boolean
  /** `new`: it has no row yet. `claimed`: its row is this request's. `answered`: its row holds the answer. */
  state: 'new' | 'claimed' | 'answered'
}

/** A request's key, and how the result of its verb is answered: both are stored by the statement that does the work. */
export type Keyed<T> = { readonly key: RequestKey; readonly answer: (result: T) => StoredAnswer }

/** Undefined for a request without a key. */
export function keyed<T>(key: RequestKey | undefined, answer: (result: T) => StoredAnswer): Keyed<T> | undefined {
  return key && { key, answer }
}
