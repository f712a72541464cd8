/** Changes webhook endpoints: where and what, pause and resume, new secrets, the end. */
import type { Caller } from '../access/caller.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { limits } from '../vocabulary/limits.ts'
import { checkEndpoint } from './create.ts'
import type { Endpoint } from './endpoint.ts'
import { setActive, setPaused } from './pause.ts'
import { deleteQueues, wakeQueues } from './queue-store.ts'
import type { ChangeEndpoint } from './schema.ts'
import { makeSecret, openSecret, sealSecret } from './secrets.ts'
import { updateEndpoint } from './store.ts'
import { withEndpoint } from './with-endpoint.ts'

/** Changes what is named and leaves the rest. Throws `notFound`, `invalidParam`. */
export async function changeEndpoint(
  ctx: Context,
  caller: Caller,
  id: string,
  change: ChangeEndpoint,
): Promise<Endpoint> {
  checkEndpoint(caller.merchant, change)
  const eventAt = nowFor(ctx, caller.merchant)
  return withEndpoint(ctx, toChange(caller, id), async (sql, endpoint, now) => {
    const moved = change.url !== undefined && change.url !== endpoint.url
    endpoint.url = change.url ?? endpoint.url
    endpoint.eventTypes = change.eventTypes ?? endpoint.eventTypes
    if (change.description !== undefined) endpoint.description = change.description
    endpoint.updatedAt = now
    if (change.status === 'PAUSED' && endpoint.status === 'ACTIVE') await setPaused(sql, endpoint, now, eventAt)
    else if (change.status === 'ACTIVE' && endpoint.status === 'PAUSED') await setActive(sql, endpoint, now, eventAt)
    else await updateEndpoint(sql, endpoint)
    // What failed at the old address need not wait for its next try at the new one.
    if (moved && endpoint.status === 'ACTIVE') await wakeQueues(sql, endpoint.merchantId, endpoint.id, now)
    return endpoint
  })
}

/** A new secret; the one before is valid for another 24 hours. A repeated request gets the same one. Throws `notFound`. */
export async function rotateSecret(
  ctx: Context,
  caller: Caller,
  id: string,
): Promise<{ endpoint: Endpoint; secret: string }> {
  return withEndpoint(ctx, toChange(caller, id), async (sql, endpoint, now) => {
    const secret = makeSecret(ctx.masterKey, endpoint.format, caller.seed)
    if (openSecret(ctx.masterKey, endpoint, endpoint.secretSealed) === secret) return { endpoint, secret }
    endpoint.previousSecretSealed = endpoint.secretSealed
    endpoint.previousSecretUntil = new Date(now.getTime() + limits.webhookSecretOverlapMs)
    endpoint.secretSealed = sealSecret(ctx.masterKey, endpoint, secret)
    endpoint.updatedAt = now
    await updateEndpoint(sql, endpoint)
    return { endpoint, secret }
  })
}

/** Ends an endpoint and what waits for it; its deliveries are cleared away afterwards. Throws `notFound`. */
export async function deleteEndpoint(ctx: Context, caller: Caller, id: string): Promise<void> {
  await withEndpoint(ctx, toChange(caller, id), async (sql, endpoint, now) => {
    endpoint.deletedAt = now
    await updateEndpoint(sql, endpoint)
    await deleteQueues(sql, endpoint.merchantId, endpoint.id)
  })
}

function toChange({ merchant }: Caller, id: string) {
  return { merchantId: merchant.id, id, how: 'update' as const }
}
