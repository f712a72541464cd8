/** The connection that a notice comes by: it names the merchant and holds the secret. */

import type { Context } from '../kit/context.ts'
import { isId, newId, newSecret } from '../kit/id.ts'
import { seal, unseal } from '../kit/seal.ts'
import { connectorFor } from './registry.ts'
import { type ConnectionRow, findConnectionById, findSandboxConnection, insertSandboxConnection } from './store.ts'

export type Connection = {
  merchantId: number
  id: string
  connector: string
  secret: string
  /** Of its merchant's clock. */
  clockOffsetMs: number
}

/** The connection of that id; undefined when there is none. A disabled one too: money of before may still come by it. */
export async function findConnection(ctx: Context, id: string): Promise<Connection | undefined> {
  const row = isId('connection', id) ? await findConnectionById(ctx.sql, id) : undefined
  return row && opened(ctx, row)
}

/** The connection that a sandbox merchant's played banks use; made when it is first asked for. */
export async function sandboxConnection(ctx: Context, merchantId: number): Promise<Connection> {
  const known = await findSandboxConnection(ctx.sql, merchantId)
  if (known) return opened(ctx, known)
  const now = new Date(ctx.clock.nowMs())
  const id = newId('connection', now.getTime())
  const credentials = Buffer.from(JSON.stringify({ noticeSecret: newSecret('pns_sandbox') }))
  const rails = connectorFor('sandbox')?.rails ?? []
  const sealedCredentials = seal(ctx.masterKey, nameOf(id), credentials)
  await insertSandboxConnection(ctx.sql, { merchantId, id, rails, sealedCredentials, now })
  // Another process may have been faster: theirs counts.
  const made = await findSandboxConnection(ctx.sql, merchantId)
  if (!made) throw new Error(`the sandbox connection of merchant ${merchantId} was not made`)
  return opened(ctx, made)
}

function opened(ctx: Context, row: ConnectionRow): Connection {
  const { noticeSecret } = JSON.parse(
    unseal(ctx.masterKey, nameOf(row.id), row.sealedCredentials).toString('utf8'),
  ) as { noticeSecret: string }
  const { merchantId, id, connector } = row
  return { merchantId, id, connector, secret: noticeSecret, clockOffsetMs: Number(row.clockOffsetMs) }
}

function nameOf(connectionId: string): string {
  return `connection:${connectionId}`
}
