/** `pasarela retention`: forgets old sessions, events and deliveries, in slices with pauses; says what it would do until told --yes. */
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { OperatorError } from '@pasarela/sql/operator-error'
import { listMerchants } from '../access/manage-clients.ts'
import { openPool, type Sql } from '../kit/db.ts'
import { migrate } from '../kit/migrate.ts'
import { forgetSlice, fromTheStart, type SessionRule } from '../retention/forget-sessions.ts'
import { countOld, forgetOf } from '../webhooks/forget.ts'
import { optionalText, positiveNumber } from './arguments.ts'
import type { Call } from './command.ts'
import { refuseOldSchema, withDatabase } from './database.ts'

const dayMs = 24 * 3_600_000
/** Banks still send news of a payment that long; younger sessions are never forgotten. */
const sessionDaysMin = 30
/** A kind that was not asked for: nothing is that old. */
const never = new Date(0)

type Wish = {
  sessionDays: number | undefined
  eventDays: number | undefined
  deliveryDays: number | undefined
  refundableDays: number
  slice: number
  pauseMs: number
  merchant: number | undefined
  archiveTo: string | undefined
  dry: boolean
}

type Merchant = { id: number; clockOffsetMs: number }
export type Forgotten = { sessions: number; payments: number; stayed: number; events: number; deliveries: number }

export async function run(call: Call): Promise<void> {
  const wish = readWish(call)
  await withDatabase(call.config, call.name, async ({ url, ours }) => {
    if (ours) await migrate(url)
    else await refuseOldSchema(url)
    // As the owner: the application's role may delete none of this (ADR 13).
    const sql = openPool(url, {
      max: 2,
      applicationName: 'pasarela retention',
      asApplication: false,
      statementTimeoutMs: 0,
    })
    try {
      await forgetAll(sql, wish)
    } finally {
      await sql.end({ timeout: 5 })
    }
  })
  if (wish.dry) console.log('Nothing was changed. Call it with --yes to forget them.')
}

function readWish(call: Call): Wish {
  const number = (flag: string) => {
    const text = optionalText(call, flag)
    return text === undefined ? undefined : positiveNumber(flag, text)
  }
  const sessionDays = number('sessions-older-than-days')
  const eventDays = number('events-older-than-days')
  const deliveryDays = number('deliveries-older-than-days')
  if (sessionDays === undefined && eventDays === undefined && deliveryDays === undefined)
    throw new OperatorError(
      'Say what is old, for example --sessions-older-than-days 400. See pasarela retention --help.',
    )
  if (sessionDays !== undefined && sessionDays < sessionDaysMin)
    throw new OperatorError(`--sessions-older-than-days is ${sessionDays}; at least ${sessionDaysMin} days are kept.`)
  return {
    sessionDays,
    eventDays,
    deliveryDays,
    refundableDays: number('refundable-days') ?? 365,
    slice: number('slice') ?? 500,
    pauseMs: number('pause-ms') ?? 100,
    merchant: number('merchant'),
    archiveTo: optionalText(call, 'archive-to'),
    dry: call.values.yes !== true,
  }
}

async function forgetAll(sql: Sql, wish: Wish): Promise<void> {
  const merchants = (await listMerchants(sql)).filter(({ id }) => wish.merchant === undefined || id === wish.merchant)
  if (merchants.length === 0) throw new OperatorError(`There is no merchant ${wish.merchant ?? ''}.`)
  const archive = wish.archiveTo === undefined || wish.dry ? undefined : await openArchive(wish.archiveTo)
  try {
    for (const merchant of merchants) {
      const done = await forgetMerchant(sql, merchant, wish, archive?.write)
      const counts = Object.entries(done).map(([what, count]) => `${what} ${count}`)
      console.log(`merchant ${merchant.id}${wish.dry ? ' (would go)' : ''}: ${counts.join(', ')}`)
    }
  } finally {
    await archive?.close()
  }
}

/** All that is old of one merchant. Sessions and events go by its own clock. */
async function forgetMerchant(
  sql: Sql,
  merchant: Merchant,
  wish: Wish,
  archive: SessionRule['archive'],
): Promise<Forgotten> {
  const now = Date.now()
  const ago = (days: number | undefined, from: number) => (days === undefined ? never : new Date(from - days * dayMs))
  const merchantNow = now + merchant.clockOffsetMs
  const done: Forgotten = { sessions: 0, payments: 0, stayed: 0, events: 0, deliveries: 0 }
  if (wish.sessionDays !== undefined) {
    const rule: SessionRule = {
      merchantId: merchant.id,
      before: ago(wish.sessionDays, merchantNow),
      refundableSince: ago(wish.refundableDays, merchantNow),
      slice: wish.slice,
      ...(archive ? { archive } : {}),
    }
    Object.assign(done, await forgetSessions(sql, rule, wish))
  }
  const before = { events: ago(wish.eventDays, merchantNow), deliveries: ago(wish.deliveryDays, now) }
  const old = await countOld(sql, merchant.id, before)
  if (wish.dry) return { ...done, ...old }
  while (await forgetOf(sql, merchant.id, { ...before, now: new Date(now) })) await sleep(wish.pauseMs)
  const left = await countOld(sql, merchant.id, before)
  return { ...done, events: old.events - left.events, deliveries: old.deliveries - left.deliveries }
}

/** Slice by slice. The pause is at least as long as the slice took: half of one connection's time is the day's. */
async function forgetSessions(sql: Sql, rule: SessionRule, { dry, pauseMs }: Wish) {
  const sum = { sessions: 0, payments: 0, stayed: 0 }
  for (let after: string | undefined = fromTheStart; after !== undefined; ) {
    const began = performance.now()
    const done = await forgetSlice(sql, rule, after, dry)
    sum.sessions += done.sessions
    sum.payments += done.payments
    sum.stayed += done.stayed
    after = done.after
    if (after !== undefined) await sleep(Math.max(pauseMs, performance.now() - began))
  }
  return sum
}

/** A file of this run: one JSON object per line with `table` and `row`. */
async function openArchive(folder: string) {
  await mkdir(folder, { recursive: true })
  const name = `retention-${new Date().toISOString().replaceAll(':', '-')}-${process.pid}.ndjson`
  const file = await open(join(folder, name), 'ax', 0o600)
  return {
    write: async (lines: readonly string[]) => {
      await file.appendFile(lines.map((line) => `${line}\n`).join(''))
      await file.sync()
    },
    close: () => file.close(),
  }
}
