/** What every verb is handed: built once from the configuration, never changed. */
import type { FastifyBaseLogger } from 'fastify'
import { type Authenticator, authenticator } from './access/authenticate.ts'
import { openTokens } from './access/tokens.ts'
import { openActivity } from './kit/activity.ts'
import { type Clock, databaseClock } from './kit/clock.ts'
import type { Context } from './kit/context.ts'
import { openPool } from './kit/db.ts'
import { recall } from './kit/recall.ts'
import { limits } from './vocabulary/limits.ts'

export type ContextOptions = {
  databaseUrl: string
  /** Base of every `url` we hand out, without a slash at the end. */
  publicUrl: string
  masterKey: Uint8Array
  poolSize?: number
  /** Tests do not wait as long as payers would. */
  providerTimeoutMs?: number
  /** Tests move their own; else it is the database's. */
  clock?: Clock
  log: FastifyBaseLogger
}

export type AppContext = Context & { readonly auth: Authenticator; close(): Promise<void> }

/** Opens the pool and the keys. The caller closes it. */
export async function buildContext(options: ContextOptions): Promise<AppContext> {
  const sql = openPool(options.databaseUrl, {
    max: options.poolSize ?? 16,
    applicationName: 'pasarela',
    onNotice: (message) => options.log.debug({ message }, 'notice of the database'),
  })
  try {
    const tokens = await openTokens(sql, options.masterKey)
    const unread = (error: unknown) => options.log.warn({ err: error }, "the database's clock could not be read")
    const clock = options.clock ?? (await databaseClock(sql, unread))
    return {
      sql,
      log: options.log,
      clock,
      activity: openActivity(sql, (error) => options.log.warn({ err: error }, 'other processes were not notified')),
      publicUrl: options.publicUrl,
      masterKey: options.masterKey,
      providerTimeoutMs: options.providerTimeoutMs ?? limits.providerTimeoutMs,
      recall: recall({ ttlMs: limits.recallMs, max: limits.recallMax }),
      auth: authenticator(sql, tokens),
      close: () => {
        clock.close?.()
        return sql.end({ timeout: 5 })
      },
    }
  } catch (error) {
    await sql.end({ timeout: 1 })
    throw error
  }
}
