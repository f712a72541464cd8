/** The yardsticks: the same SQL on the same Postgres, from this process, without HTTP. */
import { pino } from 'pino'
import type { Caller } from '../server/src/access/caller.ts'
import { listMerchants } from '../server/src/access/manage-clients.ts'
import { type CreateInput, createSession } from '../server/src/checkout-sessions/create.ts'
import { toSnapshot } from '../server/src/checkout-sessions/schema.ts'
import { findSessionById, insertSessions } from '../server/src/checkout-sessions/store.ts'
import { buildContext } from '../server/src/context.ts'
import { toEventRow } from '../server/src/events/append.ts'
import { newId, newToken } from '../server/src/kit/id.ts'
import { receivePayment } from '../server/src/outcomes/drive-payment.ts'
import { submitPayment } from '../server/src/outcomes/submit-payment.ts'
import type { PaymentNodeInput } from '../server/src/rails/node.ts'
import type { SandboxSeed } from '../server/src/seed.ts'
import { pixBody, sessionBody } from './client.ts'

export type Bare = { create(): Promise<void>; flow(): Promise<void>; close(): Promise<void> }

/** Opens the bare loops as the seeded merchant. */
export async function openBare(databaseUrl: string, masterKey: Uint8Array, seed: SandboxSeed): Promise<Bare> {
  const ctx = await buildContext({
    databaseUrl,
    publicUrl: 'http://127.0.0.1',
    masterKey,
    log: pino({ level: 'error' }),
  })
  const [merchant] = await listMerchants(ctx.sql)
  if (!merchant) throw new Error('there is no merchant')
  const caller: Caller = { merchant, clientId: seed.clientId, requestsPerSecond: null, version: 'v2' }
  const sample = await createSession(ctx, caller, sessionBody(seed) as CreateInput)
  return {
    create: async () => {
      const now = new Date()
      const id = newId('checkoutSession', now.getTime())
      const session = {
        ...sample,
        id,
        rootSessionId: id,
        orderKey: id,
        checkoutToken: newToken(),
        pageToken: newToken(),
        createdAt: now,
      }
      const event = {
        merchantId: merchant.id,
        streamId: id,
        sequence: 1,
        type: 'checkout_session.created' as const,
        data: toSnapshot(session),
        at: now,
      }
      await insertSessions(ctx.sql, [session], [toEventRow(event)])
    },
    flow: async () => {
      const session = await createSession(ctx, caller, sessionBody(seed) as CreateInput)
      const payment = await submitPayment(ctx, caller, session.id, { origins: pixBody.origins as PaymentNodeInput[] })
      await receivePayment(ctx, caller, payment.id)
      await findSessionById(ctx.sql, merchant.id, session.id)
    },
    close: () => ctx.close(),
  }
}
