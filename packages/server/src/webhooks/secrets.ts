/** Secrets of endpoints: made here, shown once, sealed at rest under the master key and bound to their endpoint. */
import { createHmac, randomBytes } from 'node:crypto'
import { seal, unseal } from '../kit/seal.ts'
import type { Endpoint, Format } from './endpoint.ts'
import { standardPrefix } from './render.ts'

type Keyed = Pick<Endpoint, 'merchantId' | 'id'>

/**
 * A secret of 256 bits. With a `seed` (a repeated request) it is the same again, and nobody without the master key can make
 * it: no answer that shows a secret has to be stored for its repetition.
 */
export function makeSecret(masterKey: Uint8Array, format: Format, seed: Uint8Array | undefined): string {
  const bytes = seed ? createHmac('sha256', masterKey).update('webhook secret').update(seed).digest() : randomBytes(32)
  return format === 'standard' ? standardPrefix + bytes.toString('base64') : `whk_${bytes.toString('base64url')}`
}

export function sealSecret(masterKey: Uint8Array, endpoint: Keyed, secret: string): Buffer {
  return seal(masterKey, sealName(endpoint), Buffer.from(secret))
}

export function openSecret(masterKey: Uint8Array, endpoint: Keyed, sealed: Uint8Array): string {
  return unseal(masterKey, sealName(endpoint), sealed).toString()
}

/** The secrets that are valid now, the current one first. */
export function validSecrets(masterKey: Uint8Array, endpoint: Endpoint, now: Date): string[] {
  const { secretSealed, previousSecretSealed, previousSecretUntil } = endpoint
  const both = previousSecretSealed !== null && previousSecretUntil !== null && previousSecretUntil > now
  const sealed = both ? [secretSealed, previousSecretSealed] : [secretSealed]
  return sealed.map((one) => openSecret(masterKey, endpoint, one))
}

function sealName({ merchantId, id }: Keyed): string {
  return `webhook ${merchantId} ${id}`
}
