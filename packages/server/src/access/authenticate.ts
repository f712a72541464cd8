/** From headers to caller: the key and the token must be the same client's (contract section 1.2). */
import { LRUCache } from 'lru-cache'
import type { Sql } from '../kit/db.ts'
import { hashSecret, secretMatches } from '../kit/id.ts'
import { problem } from '../kit/problem.ts'
import { limits } from '../vocabulary/limits.ts'
import { type ApiVersion, type Caller, type Merchant, versionV2 } from './caller.ts'
import { findClientByApiKeyHash } from './store.ts'
import type { Tokens } from './tokens.ts'

type KnownClient = { id: string; secretHash: Uint8Array; requestsPerSecond: number | null; merchant: Merchant }
type Entry = { client: Promise<KnownClient | undefined>; merchantId?: number; loadedMs: number }
type Headers = Readonly<Record<string, string | string[] | undefined>>

const knownMax = 10_000

export type Authenticator = {
  /** The caller of a request. Throws `unauthorized`, or `invalidParam` for an unknown version. */
  authenticate(headers: Headers, nowMs: number): Promise<Caller>
  /** Exchanges credentials for a token (contract section 1.3). */
  signIn(headers: Headers, credentials: { clientId: string; clientSecret: string }, nowMs: number): Promise<string>
  /** Forgets what is remembered of a merchant: its settings have changed. */
  forget(merchantId: number): void
}

/** What `createClient` hands out. Nothing else is looked up or remembered, so that strangers cannot fill the memory. */
const apiKeyForm = /^pak_(live|sandbox)_[\w-]{43}$/

const unknownKey = () => problem('unauthorized', 'The x-api-key is not known, or its client was revoked.')

/**
 * Clients are remembered for under five seconds, so that a revoked one is refused everywhere within five. By the key as it was
 * sent: hashing it again for each request costs more than finding it.
 */
export function authenticator(sql: Sql, tokens: Tokens): Authenticator {
  const known = new LRUCache<string, Entry>({ max: knownMax })

  async function clientByKey(headers: Headers, nowMs: number): Promise<KnownClient> {
    const apiKey = headers['x-api-key']
    if (typeof apiKey !== 'string' || apiKey === '') throw problem('unauthorized', 'The header x-api-key is missing.')
    if (!apiKeyForm.test(apiKey)) throw unknownKey()
    let entry = known.get(apiKey)
    if (!entry || Math.abs(nowMs - entry.loadedMs) > limits.clientCacheMs) {
      // The promise is kept, so that a burst asks the database once.
      entry = { client: findClientByApiKeyHash(sql, hashSecret(apiKey)), loadedMs: nowMs }
      known.set(apiKey, entry)
      entry.client.catch(() => known.delete(apiKey))
    }
    const client = await entry.client
    if (!client) throw unknownKey()
    entry.merchantId = client.merchant.id
    return client
  }

  return {
    authenticate: async (headers, nowMs) => {
      const token = bearerOf(headers)
      const client = await clientByKey(headers, nowMs)
      const clientId = tokens.remembered(token, nowMs) ?? (await tokens.verify(token, nowMs))
      if (client.id !== clientId)
        throw problem('unauthorized', 'The x-api-key and the access token belong to different API clients.')
      const { merchant, requestsPerSecond } = client
      return { merchant, clientId, requestsPerSecond, version: versionOf(headers) }
    },
    signIn: async (headers, credentials, nowMs) => {
      const client = await clientByKey(headers, nowMs)
      const secretOk = secretMatches(credentials.clientSecret, client.secretHash)
      if (client.id !== credentials.clientId || !secretOk) {
        throw problem('unauthorized', 'The clientId, clientSecret and x-api-key do not belong together.')
      }
      return tokens.issue(client.id, nowMs)
    },
    forget: (merchantId) => {
      for (const [apiKey, entry] of [...known]) if (entry.merchantId === merchantId) known.delete(apiKey)
    },
  }
}

function bearerOf(headers: Headers): string {
  const header = headers.authorization
  const match = typeof header === 'string' ? /^Bearer +([^\s]+)$/i.exec(header) : null
  if (!match?.[1])
    throw problem('unauthorized', 'The header Authorization is missing; send "Bearer <accessToken>" from POST /auth.')
  return match[1]
}

/** The version a request asks for: `conomyhq-api-version` or its alias `pasarela-version`; absent or empty is v1. */
export function versionOf(headers: Headers): ApiVersion {
  const given = ['conomyhq-api-version', 'pasarela-version'].filter((name) => headers[name])
  const wrong = given.find((name) => headers[name] !== versionV2)
  if (wrong === undefined) return given.length > 0 ? 'v2' : 'v1'
  const detail = `must be absent or "${versionV2}"`
  throw problem('invalidParam', `The header ${wrong} ${detail}.`, {
    errors: [{ pointer: `/headers/${wrong}`, detail }],
  })
}
