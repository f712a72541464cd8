/** Bearer tokens: JWTs signed with a key that all processes share, because it lies sealed in the database. */
import { randomBytes } from 'node:crypto'
import { OperatorError } from '@pasarela/sql/operator-error'
import { errors, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Executor } from '../kit/db.ts'
import { problem } from '../kit/problem.ts'
import { seal, unseal } from '../kit/seal.ts'
import { limits } from '../vocabulary/limits.ts'
import { findSealedKey, keepSealedKey } from './store.ts'

const keyName = 'jwt'
const issuer = 'pasarela'
const verifiedMax = 20_000

export type Tokens = {
  /** A token for the client, valid for `limits.tokenSeconds` from `nowMs`. */
  issue(clientId: string, nowMs: number): Promise<string>
  /** The client a token was issued to. Throws `unauthorized` for a bad or expired one. */
  verify(token: string, nowMs: number): Promise<string>
  /** The same at once, for a token that was verified before; undefined for every other. */
  remembered(token: string, nowMs: number): string | undefined
}

/** Loads the signing key, making it on first use. Throws an OperatorError when the master key cannot open the stored one. */
export async function openTokens(sql: Executor, masterKey: Uint8Array): Promise<Tokens> {
  const stored =
    (await findSealedKey(sql, keyName)) ??
    (await keepSealedKey(sql, keyName, seal(masterKey, keyName, randomBytes(32))))
  return tokensFor(unsealKey(masterKey, stored))
}

function unsealKey(masterKey: Uint8Array, stored: Uint8Array): Buffer {
  try {
    return unseal(masterKey, keyName, stored)
  } catch {
    throw new OperatorError(
      'The master key is not the one that this database was made with. Give that one: PASARELA_MASTER_KEY, ' +
        'or master.key in the data folder of the embedded database.',
    )
  }
}

function tokensFor(key: Uint8Array): Tokens {
  const verified = new LRUCache<string, { clientId: string; expiresMs: number }>({ max: verifiedMax })
  return {
    issue: (clientId, nowMs) => {
      const now = Math.floor(nowMs / 1000)
      return new SignJWT({})
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(clientId)
        .setIssuedAt(now)
        .setExpirationTime(now + limits.tokenSeconds)
        .sign(key)
    },
    verify: async (token, nowMs) => {
      const claims = await readClaims(token, key, nowMs)
      verified.set(token, claims)
      return claims.clientId
    },
    remembered: (token, nowMs) => {
      const known = verified.get(token)
      return known && known.expiresMs > nowMs ? known.clientId : undefined
    },
  }
}

async function readClaims(
  token: string,
  key: Uint8Array,
  nowMs: number,
): Promise<{ clientId: string; expiresMs: number }> {
  try {
    const options = { algorithms: ['HS256'], issuer, requiredClaims: ['sub', 'exp'], currentDate: new Date(nowMs) }
    const { payload } = await jwtVerify(token, key, options)
    return { clientId: payload.sub ?? '', expiresMs: (payload.exp ?? 0) * 1000 }
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      throw problem('unauthorized', 'The access token has expired; call POST /auth for a new one.')
    if (error instanceof errors.JOSEError)
      throw problem('unauthorized', 'The access token is not one of ours; call POST /auth for one.')
    throw error
  }
}
