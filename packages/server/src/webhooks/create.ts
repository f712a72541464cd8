/** Makes a webhook endpoint; its secret is in the answer and nowhere else. */
import type { Caller, Merchant } from '../access/caller.ts'
import { isEventWish } from '../events/match.ts'
import type { Context } from '../kit/context.ts'
import { newId } from '../kit/id.ts'
import { isAllowedUrl } from '../kit/outbound.ts'
import { Faults, problem } from '../kit/problem.ts'
import { limits } from '../vocabulary/limits.ts'
import type { Endpoint } from './endpoint.ts'
import type { CreateEndpoint } from './schema.ts'
import { makeSecret, openSecret, sealSecret } from './secrets.ts'
import * as store from './store.ts'

/** Throws `invalidParam` naming every fault, `failedPrecondition` when the merchant has as many as there may be. */
export async function createEndpoint(
  ctx: Context,
  caller: Caller,
  input: CreateEndpoint,
): Promise<{ endpoint: Endpoint; secret: string }> {
  const { merchant } = caller
  checkEndpoint(merchant, input)
  const endpoint = newEndpoint(ctx, caller, input)
  if (await store.insertEndpoint(ctx.sql, endpoint, limits.webhookEndpointsMax)) {
    return { endpoint, secret: openSecret(ctx.masterKey, endpoint, endpoint.secretSealed) }
  }
  const known = await store.findEndpointById(ctx.sql, merchant.id, endpoint.id)
  if (known) return { endpoint: known, secret: openSecret(ctx.masterKey, known, known.secretSealed) }
  throw problem('failedPrecondition', `There are ${limits.webhookEndpointsMax} webhook endpoints; delete one first.`)
}

function newEndpoint(ctx: Context, { merchant, seed }: Caller, input: CreateEndpoint): Endpoint {
  const now = new Date(ctx.clock.nowMs())
  const key = { merchantId: merchant.id, id: newId('webhookEndpoint', now.getTime(), seed) }
  const format = input.format ?? 'standard'
  return {
    ...key,
    url: input.url,
    description: input.description ?? null,
    format,
    eventTypes: input.eventTypes ?? ['*'],
    status: 'ACTIVE',
    attention: null,
    secretSealed: sealSecret(ctx.masterKey, key, makeSecret(ctx.masterKey, format, seed)),
    previousSecretSealed: null,
    previousSecretUntil: null,
    failingSince: null,
    givenUp: 0,
    eventSequence: 0,
    createdAt: now,
    updatedAt: now,
    pausedAt: null,
    deletedAt: null,
  }
}

/** Throws `invalidParam` for an address that may not be spoken to and for types of event that there are not. */
export function checkEndpoint(merchant: Merchant, input: { url?: string; eventTypes?: readonly string[] }): void {
  const faults = new Faults()
  const wrong = input.url === undefined ? undefined : faultOfUrl(input.url, merchant.mode === 'sandbox')
  if (wrong) faults.add('/url', wrong)
  input.eventTypes?.forEach((wish, index) => {
    if (!isEventWish(wish)) faults.add(`/eventTypes/${index}`, 'is no type of event, nor a group such as "payment.*"')
  })
  faults.throwIfAny()
}

function faultOfUrl(text: string, sandbox: boolean): string | undefined {
  const url = URL.parse(text)
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return 'must be an https URL'
  if (url.protocol === 'http:' && !sandbox) return 'must be https'
  if (url.username || url.password) return 'must not hold credentials'
  if (url.hash) return 'must not have a fragment'
  if (!isAllowedUrl(url, sandbox)) return 'must be a public address'
  return undefined
}
