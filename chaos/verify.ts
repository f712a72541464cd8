/** What must hold when it is over: every answered write is there as it was answered, nothing twice, money and events agree. */
import { sessionMachine } from '../packages/server/src/checkout-sessions/session.ts'
import type { Sql } from '../packages/server/src/kit/db.ts'
import type { Table } from '../packages/server/src/kit/machine.ts'
import { ledgerFaults } from '../packages/server/src/ledger/balances.ts'
import { linkMachine } from '../packages/server/src/payment-links/link.ts'
import { paymentMachine, refundMachine } from '../packages/server/src/payments/payment.ts'
import { type Answered, type Body, digestOf } from './client.ts'
import { deletedAnswers, doubledWrites, moneyFaults, snapshotsOf } from './records.ts'
import type { Intents } from './shopper.ts'

export type Findings = { lost: string[]; doubled: string[]; wrong: string[]; events: number }

type EventRow = { streamId: string; sequence: number; type: string; data: Body }
/** One version of one noun, as an event told of it. */
type Version = { digest: string; type: string; status: string; noun: string }

/** Holds the recorded answers against the database. */
export async function verify(sql: Sql, answers: readonly Answered[], intents: Intents): Promise<Findings> {
  const events = await sql<EventRow[]>`select stream_id, sequence, type, data from events order by stream_id, sequence`
  const versions = versionsOf(events)
  return {
    lost: [...lostAnswers(answers, versions), ...(await deletedAnswers(sql, answers))],
    doubled: [...keysWithTwoResults(answers), ...(await doubledWrites(sql, answers, intents))],
    wrong: [
      ...(await ledgerFaults(sql)).map(({ subject, fault }) => `the ledger: ${subject} ${fault}`),
      ...(await moneyFaults(sql)),
      ...gaps(events),
      ...illegalMoves(versions),
      ...(await staleEvents(sql, versions)),
      ...(await logFaults(sql)),
    ],
    events: events.length,
  }
}

function versionsOf(events: readonly EventRow[]): Map<string, Version[]> {
  const versions = new Map<string, Version[]>()
  for (const { type, data } of events) {
    const list = versions.get(data.id) ?? []
    list.push({ digest: digestOf(data), type, status: String(data.status), noun: data.type ?? data.id.split('_')[0] })
    versions.set(data.id, list)
  }
  return versions
}

/** Every answered content is on record, and no later answer is older than an earlier one. */
function lostAnswers(answers: readonly Answered[], versions: ReadonlyMap<string, Version[]>): string[] {
  const byNoun = new Map<string, Answered[]>()
  for (const answer of answers) {
    if (answer.status >= 300 || answer.id === undefined || !/^(cs|pl|pay)_/.test(answer.id)) continue
    byNoun.set(answer.id, [...(byNoun.get(answer.id) ?? []), answer])
  }
  return [...byNoun].flatMap(([id, list]) => {
    const told = versions.get(id)
    if (!told) return [`${id} was answered (${list[0]?.method} ${list[0]?.path}) and is not there`]
    const seen = list.filter((answer) => answer.digest !== undefined)
    const digests = told.map((version) => version.digest)
    return seen.flatMap((answer) => {
      const last = digests.lastIndexOf(answer.digest ?? '')
      if (last === -1) return [`${id}: what ${answer.method} ${answer.path} answered is not on record`]
      const earlier = seen.filter((other) => other.endedMs < answer.begunMs && other.digest !== answer.digest)
      const newer = earlier.find((other) => digests.indexOf(other.digest ?? '') > last)
      return newer ? [`${id}: ${answer.method} ${answer.path} answered what was older than an answer before it`] : []
    })
  })
}

/** All good answers under one Idempotency-Key name one resource. */
function keysWithTwoResults(answers: readonly Answered[]): string[] {
  const byKey = new Map<string, Set<string>>()
  for (const { key, path, id, status } of answers) {
    if (key === undefined || id === undefined || status >= 300) continue
    const name = `${path} ${key}`
    byKey.set(name, (byKey.get(name) ?? new Set()).add(id))
  }
  return [...byKey].filter(([, ids]) => ids.size > 1).map(([key, ids]) => `${key} made ${[...ids].join(' and ')}`)
}

function gaps(events: readonly EventRow[]): string[] {
  const last = new Map<string, number>()
  return events.flatMap(({ streamId, sequence, type }) => {
    const expected = (last.get(streamId) ?? 0) + 1
    last.set(streamId, sequence)
    return sequence === expected ? [] : [`${streamId}: ${type} has number ${sequence}, expected ${expected}`]
  })
}

/** Statuses of consecutive versions are the same or joined by an edge of the noun's table. */
function illegalMoves(versions: ReadonlyMap<string, Version[]>): string[] {
  return [...versions].flatMap(([id, list]) => {
    const legal = edges[list[0]?.noun ?? '']
    if (!legal) return []
    return list.slice(1).flatMap((version, index) => {
      const move = `${list[index]?.status} → ${version.status}`
      return list[index]?.status === version.status || legal.has(move) ? [] : [`${id}: ${move} (${version.type})`]
    })
  })
}

/** The moves that each noun's table allows; a refund is a payment with a table of its own. */
const edges: Readonly<Record<string, ReadonlySet<string>>> = {
  cs: edgesOf(sessionMachine.table),
  pl: edgesOf(linkMachine.table),
  PURCHASE: edgesOf(paymentMachine.table),
  REFUND: edgesOf(refundMachine.table),
}

function edgesOf(table: Table): Set<string> {
  return new Set(Object.entries(table).flatMap(([from, row]) => Object.values(row).map((to) => `${from} → ${to}`)))
}

/** The last event of every noun is the noun as it stands. */
async function staleEvents(sql: Sql, versions: ReadonlyMap<string, Version[]>): Promise<string[]> {
  const found: string[] = []
  for await (const { id, snapshot } of snapshotsOf(sql)) {
    const last = versions.get(id)?.at(-1)
    if (!last) found.push(`${id} has no event`)
    else if (last.digest !== digestOf(snapshot)) found.push(`${id}: the last event (${last.type}) is not as it stands`)
  }
  return found
}

/** Every event has one place in its merchant's log, without gaps, in the order of its stream. */
async function logFaults(sql: Sql): Promise<string[]> {
  const rows = await sql<{ fault: string }[]>`
    select 'the outbox still holds ' || count(*) as fault from event_outbox having count(*) > 0
    union all
    select 'no place in the log: ' || e.stream_id || ' ' || e.sequence from events e
    where not exists (select from event_log l
      where l.merchant_id = e.merchant_id and l.stream_id = e.stream_id and l.sequence = e.sequence)
    union all
    select 'the log of merchant ' || merchant_id || ' has gaps' from event_log
    group by merchant_id having count(*) <> max(position) or min(position) <> 1
    union all
    select stream_id || ' stands in the log in another order' from (
      select merchant_id, stream_id, sequence, lag(sequence, 1, 0) over (partition by merchant_id, stream_id order by position) as before
      from event_log
    ) as ordered where sequence <> before + 1 group by stream_id`
  return rows.map((row) => row.fault)
}
