/** Sends a message of no event to an endpoint at once, signed as all others, and says what came of it. */
import type { Caller } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import { idFloor, newId } from '../kit/id.ts'
import type { Outbound, OutboundResult } from '../kit/outbound.ts'
import type { Endpoint } from './endpoint.ts'
import { readEndpoint } from './read.ts'
import { type Message, renderMessage } from './render.ts'
import { validSecrets } from './secrets.ts'

/** Tries an endpoint, a paused one too. Nothing is stored and nothing retried. Throws `notFound`. */
export async function testEndpoint(
  ctx: Context,
  outbound: Outbound,
  caller: Caller,
  endpointId: string,
): Promise<OutboundResult> {
  const endpoint = await readEndpoint(ctx, caller, endpointId)
  const now = new Date(ctx.clock.nowMs())
  const secrets = validSecrets(ctx.masterKey, endpoint, now)
  const { body, headers } = renderMessage(endpoint.format, sample(endpoint, now), { secrets, attempt: 1, now })
  return outbound.post({ url: endpoint.url, body, headers, allowLoopback: caller.merchant.mode === 'sandbox' })
}

/** A message that no receiver can take for money: the payment of the published formats has an id that nothing has. */
function sample(endpoint: Endpoint, now: Date): Message {
  const base = {
    id: newId('event', now.getTime()),
    streamId: endpoint.id,
    sequence: 0,
    createdAt: now,
    identity: { id: idFloor('identity', 0), email: null },
  }
  if (endpoint.format === 'standard') {
    const type = 'webhook_endpoint.test' as const
    return { ...base, eventType: type, type, data: JSON.stringify({ id: endpoint.id }) }
  }
  const id = idFloor('payment', 0)
  const failed = {
    id,
    externalId: id,
    status: 'FAILED',
    type: 'PURCHASE',
    currency: 'BRL',
    purchaseAmount: '1.00',
    totalAmount: '1.00',
  }
  const type = endpoint.format === 'published-v1' ? 'Transaction.Failed' : 'payment.failed'
  return { ...base, eventType: 'payment.failed', type, data: JSON.stringify(failed) }
}
