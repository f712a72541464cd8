/**
 * The sender: claims queues that are due, tells their first message, keeps what came of it. Many endpoints at once, each
 * within its bounds, one message of a stream at a time. A process that dies leaves its claims to the others when they run out.
 */
import { readIdentity } from '../identities/find.ts'
import { batcher, perPool } from '../kit/batch.ts'
import type { Context } from '../kit/context.ts'
import { isConflict } from '../kit/db.ts'
import type { Outbound, OutboundResult } from '../kit/outbound.ts'
import { limits } from '../vocabulary/limits.ts'
import { type Finish, finishTries } from './delivery-store.ts'
import { type Endpoint, patienceMs, retryAfterMs } from './endpoint.ts'
import { parkClaim, pauseFailing } from './pause.ts'
import {
  type Claim,
  claimQueues,
  findDueQueues,
  findDueQueuesBeside,
  type Head,
  type QueueKey,
  readHeads,
  releaseQueue,
} from './queue-store.ts'
import { type Message, type Rendered, renderMessage } from './render.ts'
import { validSecrets } from './secrets.ts'
import { listEndpointsById, noteFailure, noteSuccess } from './store.ts'

/** How much may be under way at once: in all, to one endpoint, and to one that lately did not answer in time. */
const room = { total: 256, endpoint: 32, slowEndpoint: 4, claim: 64 }
/** How long a round waits while something is under way. */
const restMs = 10

type Target = Endpoint & { mode: 'live' | 'sandbox' }

/** What a sender has under way in this process. */
export type Sender = {
  readonly ctx: Context
  readonly outbound: Outbound
  readonly underWay: Map<string, number>
  readonly slow: Set<string>
  readonly running: Set<Promise<void>>
}

export function newSender(ctx: Context, outbound: Outbound): Sender {
  return { ctx, outbound, underWay: new Map(), slow: new Set(), running: new Set() }
}

/** One round: claims what is due and starts it. True while anything is under way or was found: its end may make more due. */
export async function deliverRound(sender: Sender): Promise<boolean> {
  // Asked before claiming too: what ends while this round looks makes more due than it saw.
  const wasActive = sender.running.size > 0
  const claims = await claimSome(sender)
  if (claims.length > 0) await start(sender, claims)
  const active = wasActive || claims.length > 0 || sender.running.size > 0
  if (sender.running.size > 0) await new Promise((resolve) => setTimeout(resolve, restMs))
  return active
}

/** Waits for what is under way, then lets the connections go. */
export async function endSender(sender: Sender): Promise<void> {
  await Promise.all(sender.running)
  sender.outbound.close()
}

async function claimSome({ ctx, underWay, slow, running }: Sender): Promise<Claim[]> {
  const free = Math.min(room.claim, room.total - running.size)
  if (free <= 0) return []
  const freeAt = (id: string) => (slow.has(id) ? room.slowEndpoint : room.endpoint) - (underWay.get(id) ?? 0)
  const busy = [...underWay.keys()].filter((id) => freeAt(id) <= 0)
  const now = new Date(ctx.clock.nowMs())
  const most = 4 * room.claim
  const due =
    busy.length === 0
      ? await findDueQueues(ctx.sql, now, most)
      : await findDueQueuesBeside(ctx.sql, { now, busy, each: room.endpoint, most })
  const chosen = new Map<string, QueueKey[]>()
  let count = 0
  for (const key of due) {
    const mine = chosen.get(key.endpointId) ?? []
    if (count >= free || mine.length >= freeAt(key.endpointId)) continue
    chosen.set(key.endpointId, [...mine, key])
    count += 1
  }
  if (count === 0) return []
  const leasedUntil = new Date(now.getTime() + limits.webhookLeaseMs)
  return claimQueues(ctx.sql, [...chosen.values()].flat(), { now, leasedUntil })
}

async function start(sender: Sender, claims: readonly Claim[]): Promise<void> {
  const { sql } = sender.ctx
  const [heads, endpoints] = await Promise.all([readHeads(sql, claims), listEndpointsById(sql, distinct(claims))])
  const headOf = new Map(heads.map((head) => [`${head.endpointId} ${head.streamId}`, head]))
  const endpointOf = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]))
  for (const claim of claims) {
    const head = headOf.get(`${claim.endpointId} ${claim.streamId}`)
    const leave = enter(sender, claim.endpointId)
    const work = { claim, head, endpoint: endpointOf.get(claim.endpointId), leave }
    track(sender, claim, workOff(sender, work).finally(leave))
  }
}

function distinct(claims: readonly Claim[]): Claim[] {
  return [...new Map(claims.map((claim) => [claim.endpointId, claim])).values()]
}

/** Takes a place at an endpoint; returns what gives it back, which may be called again. */
function enter({ underWay }: Sender, endpointId: string): () => void {
  underWay.set(endpointId, (underWay.get(endpointId) ?? 0) + 1)
  let isIn = true
  return () => {
    if (!isIn) return
    isIn = false
    const left = (underWay.get(endpointId) ?? 1) - 1
    if (left > 0) underWay.set(endpointId, left)
    else underWay.delete(endpointId)
  }
}

function track({ ctx, running }: Sender, { merchantId, endpointId }: Claim, work: Promise<void>): void {
  const tracked = work
    .catch((error) => ctx.log.error({ err: error, merchantId, endpointId }, 'a webhook could not be worked off'))
    .finally(() => running.delete(tracked))
  running.add(tracked)
}

type Work = { claim: Claim; head: Head | undefined; endpoint: Target | undefined; leave(): void }

async function workOff(sender: Sender, { claim, head, endpoint, leave }: Work): Promise<void> {
  const { ctx } = sender
  if (endpoint?.status !== 'ACTIVE') return parkClaim(ctx, claim)
  // A process died between keeping a result and counting it: the count is put right here.
  if (!head) return releaseQueue(ctx.sql, claim, { done: claim.pending, dueAt: new Date(ctx.clock.nowMs()) })
  const rendered = await prepare(ctx, endpoint, head)
  // This process was held up for so long that another may have the queue before an answer could be kept.
  if (ctx.clock.nowMs() + limits.webhookTimeoutMs > claim.leasedUntil.getTime()) return
  const result =
    typeof rendered === 'string'
      ? { status: undefined, error: rendered, durationMs: 0 }
      : await tell(sender, endpoint, rendered)
  // The endpoint has answered: its place is free while the answer is being kept.
  leave()
  return keep(sender, claim, head, endpoint, result)
}

/** The request of a delivery, or a word for why there is none: that counts as a try, so that its stream goes on one day. */
async function prepare(
  ctx: Context,
  endpoint: Endpoint,
  head: Head,
): Promise<Rendered | 'event_gone' | 'not_rendered'> {
  try {
    const message = await messageOf(ctx, endpoint, head)
    if (!message) return 'event_gone'
    const now = new Date(ctx.clock.nowMs())
    const secrets = validSecrets(ctx.masterKey, endpoint, now)
    return renderMessage(endpoint.format, message, { secrets, attempt: head.attempts + 1, now })
  } catch (error) {
    ctx.log.error({ err: error, merchantId: head.merchantId, deliveryId: head.id }, 'a webhook could not be rendered')
    return 'not_rendered'
  }
}

async function messageOf(ctx: Context, endpoint: Endpoint, head: Head): Promise<Message | undefined> {
  const { eventId, eventType, eventAt, data } = head
  if (eventId === null || eventType === null || eventAt === null || data === null) return undefined
  return {
    id: eventId,
    eventType,
    type: head.type,
    streamId: head.streamId,
    sequence: head.sequence,
    createdAt: eventAt,
    data,
    identity: endpoint.format === 'published-v2' ? await identityOf(ctx, endpoint.merchantId, data) : null,
  }
}

async function identityOf(ctx: Context, merchantId: number, data: string): Promise<Message['identity']> {
  const { identityId } = JSON.parse(data) as { identityId: string }
  const identity = await readIdentity(ctx.sql, merchantId, identityId)
  return { id: identityId, email: identity.email ?? null }
}

/** Sends one request to an endpoint and remembers whether it answers in time. */
async function tell(
  { outbound, slow }: Sender,
  endpoint: Target,
  { body, headers }: Rendered,
): Promise<OutboundResult> {
  const result = await outbound.post({ url: endpoint.url, body, headers, allowLoopback: endpoint.mode === 'sandbox' })
  if (result.error === 'timeout') slow.add(endpoint.id)
  else slow.delete(endpoint.id)
  return result
}

/** Whether an answer says that the message arrived: a whole 2xx. */
export function isDelivered({ status, error }: OutboundResult): boolean {
  return status !== undefined && status >= 200 && status < 300 && error === undefined
}

async function keep(
  { ctx }: Sender,
  claim: Claim,
  head: Head,
  endpoint: Endpoint,
  result: OutboundResult,
): Promise<void> {
  const { merchantId, id, format, failingSince, givenUp } = endpoint
  const now = new Date(ctx.clock.nowMs())
  const delivered = isDelivered(result)
  const delayMs = result.error === 'event_gone' ? undefined : retryAfterMs(format, head.attempts + 1, Math.random())
  const gaveUp = !delivered && delayMs === undefined
  const retryAt = delivered || delayMs === undefined ? null : new Date(now.getTime() + delayMs)
  const tried = {
    now,
    status: delivered ? ('DELIVERED' as const) : gaveUp ? ('FAILED' as const) : ('PENDING' as const),
    nextAttemptAt: retryAt,
    statusCode: result.status ?? null,
    error: result.error ?? null,
    durationMs: result.durationMs,
  }
  const next = { done: retryAt ? (0 as const) : (1 as const), dueAt: retryAt ?? now }
  // Before the queue goes on: the next message may find the endpoint given up already.
  if (!delivered) await noteFailure(ctx.sql, { merchantId, id, now, gaveUp })
  await finish(ctx, { claim, id: head.id, result: tried, next })
  if (delivered && failingSince !== null) await noteSuccess(ctx.sql, merchantId, id)
  if (gaveUp) ctx.log.warn({ merchantId, endpointId: id, deliveryId: head.id }, 'a webhook delivery used up its tries')
  const long = failingSince !== null && now.getTime() - failingSince.getTime() >= patienceMs(format)
  if (retryAt && long && givenUp > 0) await pauseFailing(ctx, merchantId, id)
}

/** Results that come while others are being kept share the next statement and its commit. */
const keepFinish = perPool((sql) =>
  batcher<Finish, void>({ most: room.claim, lanes: 2 }, async (finishes) => {
    await finishTries(sql, finishes)
    return finishes.map(() => undefined)
  }),
)

/** Keeps a result; once more when a replay had the rows locked the other way round. */
async function finish({ sql }: Context, one: Finish): Promise<void> {
  try {
    await keepFinish(sql)(one)
  } catch (error) {
    if (!isConflict(error)) throw error
    await keepFinish(sql)(one)
  }
}
