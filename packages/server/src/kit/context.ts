/** The part of the application that verbs may see: the database, the clock, the log and where we are reached. */
import type { FastifyBaseLogger } from 'fastify'
import type { Activity } from './activity.ts'
import type { Clock } from './clock.ts'
import type { Sql } from './db.ts'
import type { Recall } from './recall.ts'

export type Context = {
  readonly sql: Sql
  readonly log: FastifyBaseLogger
  readonly clock: Clock
  /** Whether anything happens: what sets the pace of jobs. */
  readonly activity: Activity
  /** Base of every `url` we hand out, without a slash at the end. */
  readonly publicUrl: string
  /** 32 bytes: seals secrets at rest. */
  readonly masterKey: Uint8Array
  /** How long a provider may take to answer; 10 s (design: a submitted answer that takes longer is CREATED). */
  readonly providerTimeoutMs: number
  /** What quotes are made of (owners, rules, rates, accounts), remembered for a moment; whoever changes it makes it forget. */
  readonly recall: Recall
}

/** The time by a merchant's clock: real time, moved by the test clock of a sandbox merchant. */
export function nowFor(ctx: Context, merchant: { readonly clockOffsetMs: number }): Date {
  return new Date(ctx.clock.nowMs() + merchant.clockOffsetMs)
}
