/** Takes a provider's notice: checked, stored as it came, and only then answered. It is applied by a job (design section 8 rule 4). */
import { createHash } from 'node:crypto'
import type { Connector, Notice } from '@pasarela/connector-kit'
import { findConnection } from '../connections/connection.ts'
import { connectorFor } from '../connections/registry.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { newId } from '../kit/id.ts'
import { problem } from '../kit/problem.ts'
import { insertNotice } from './store.ts'

export type Arrival = {
  connector: string
  connectionId: string
  body: Buffer
  headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Stores a genuine notice; one that came before is counted. Throws `notFound` for no such connection, `unauthorized` for a false or stale signature. */
export async function receiveNotice(ctx: Context, arrival: Arrival): Promise<void> {
  const connection = await findConnection(ctx, arrival.connectionId)
  const connector = connectorFor(arrival.connector)
  if (!connection || !connector?.isGenuine || connection.connector !== arrival.connector)
    throw problem('notFound', 'There is no such connection.')
  const { body, headers } = arrival
  const realNow = new Date(ctx.clock.nowMs())
  if (!connector.isGenuine({ body, headers, secret: connection.secret, now: realNow }))
    throw problem('unauthorized', 'The signature is missing, wrong or too old.')
  const now = nowFor(ctx, connection)
  const notice = readBody(connector, body)
  await insertNotice(ctx.sql, {
    merchantId: connection.merchantId,
    connectionId: connection.id,
    connector: connection.connector,
    id: newId('notice', now.getTime()),
    ref: notice?.ref ?? sha256(body).toString('hex'),
    kind: notice?.kind ?? 'unreadable',
    body,
    meaningHash: notice ? sha256(meaningOf(notice)) : sha256(body),
    now,
  })
}

/** What a notice says, or undefined: what we cannot read is kept all the same, for a person. */
export function readBody(connector: Connector, body: Uint8Array): Notice | undefined {
  return connector.readNotice?.(Buffer.from(body))
}

/** What makes two notices of one reference and kind the same, however they are spelt. */
function meaningOf({ paymentId, outcome }: Notice): string {
  const money = 'amount' in outcome ? `${outcome.amount.minor} ${outcome.amount.currency}` : ''
  return `${paymentId ?? ''}\n${outcome.is}\n${money}`
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}
