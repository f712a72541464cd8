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
import { openPlaces, type Place, type Places } from './places.ts'
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

/** Most in all at once, most claims of a round, most candidates of one endpoint, most results in one statement. */
const most = { running: 1024, claims: 64, ofEndpoint: 32, results: 64 }
/** How long a round waits while something is under way. */
const restMs = 10

type Target = Endpoint & { mode: 'live' | 'sandbox' }

/** What a sender has under way in this process. */
export type Sender = {
  readonly ctx: Context
  readonly outbound: Outbound
  readonly places: Places
  readonly running: Set<Promise<void>>
}

export function newSender(ctx: Context, outbound: Outbound): Sender {
  return { ctx, outbound, places: openPlaces(), running: new Set() }
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

type PlacedClaim = { claim: Claim; place: Place }

/** Claims what is due and has a place. */
async function claimSome({ ctx, places, running }: Sender): Promise<PlacedClaim[]> {
  if (running.size >= most.running) return []
  const now = new Date(ctx.clock.nowMs())
  const due = await findDue(ctx, places, now)
  const taken = new Map<string, { key: QueueKey; place: Place }>()
  for (const key of due) {
    const place = taken.size < most.claims ? places.enter(key) : undefined
    if (place) taken.set(nameOf(key), { key, place })
  }
  if (taken.size === 0) return []
  const leasedUntil = new Date(now.getTime() + limits.webhookLeaseMs)
  const keys = [...taken.values()].map(({ key }) => key)
  let claims: Claim[] = []
  try {
    claims = await claimQueues(ctx.sql, keys, { now, leasedUntil })
  } finally {
    const claimed = new Set(claims.map(nameOf))
    for (const [name, { place }] of taken) if (!claimed.has(name)) place.leave()
  }
  return claims.map((claim) => ({ claim, place: (taken.get(nameOf(claim)) as { place: Place }).place }))
}

function findDue(ctx: Context, places: Places, now: Date): Promise<QueueKey[]> {
  const full = places.full()
  const page = 4 * most.claims
  if (full.endpointIds.length === 0 && full.merchantIds.length === 0) return findDueQueues(ctx.sql, now, page)
  return findDueQueuesBeside(ctx.sql, { now, full, each: most.ofEndpoint, most: page })
}

function nameOf({ endpointId, streamId }: QueueKey): string {
  return `${endpointId} ${streamId}`
}

async function start(sender: Sender, placed: readonly PlacedClaim[]): Promise<void> {
  const { sql } = sender.ctx
  const claims = placed.map(({ claim }) => claim)
  const [heads, endpoints] = await Promise.all([readHeads(sql, claims), listEndpointsById(sql, distinct(claims))])
  const headOf = new Map(heads.map((head) => [nameOf(head), head]))
  const endpointOf = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]))
  for (const { claim, place } of placed) {
    const work = { claim, head: headOf.get(nameOf(claim)), endpoint: endpointOf.get(claim.endpointId), place }
    track(sender, claim, workOff(sender, work).finally(place.leave))
  }
}

function distinct(claims: readonly Claim[]): Claim[] {
  return [...new Map(claims.map((claim) => [claim.endpointId, claim])).values()]
}

function track({ ctx, running }: Sender, { merchantId, endpointId }: Claim, work: Promise<void>): void {
  const tracked = work
    .catch((error) => ctx.log.error({ err: error, merchantId, endpointId }, 'a webhook could not be worked off'))
    .finally(() => running.delete(tracked))
  running.add(tracked)
}

type Work = { claim: Claim; head: Head | undefined; endpoint: Target | undefined; place: Place }

async function workOff(sender: Sender, { claim, head, endpoint, place }: Work): Promise<void> {
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
      : await post(sender, { endpoint, rendered, place })
  // The endpoint has answered: its place is free while the answer is being kept.
  place.leave()
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

type Call = { endpoint: Target; rendered: Rendered; place: Place }

/** Sends one request to an endpoint. */
async function post({ outbound }: Sender, { endpoint, rendered, place }: Call): Promise<OutboundResult> {
  place.ask()
  const result = await outbound.post({ url: endpoint.url, ...rendered, allowLoopback: endpoint.mode === 'sandbox' })
  place.answered(result.error !== 'timeout')
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
  batcher<Finish, void>({ most: most.results, lanes: 2 }, async (finishes) => {
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
