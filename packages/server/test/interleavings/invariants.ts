/** What must hold of a merchant after any order of events: each answer is a sentence about what is wrong. */
import { findWrongAccountRows, findWrongCounts } from '../../src/checkout-sessions/checks.ts'
import { sessionMachine } from '../../src/checkout-sessions/session.ts'
import type { Sql } from '../../src/kit/db.ts'
import { linkMachine } from '../../src/payment-links/link.ts'
import { type Payment, paymentMachine, refundMachine } from '../../src/payments/payment.ts'

type Row = Payment & { entries: string[] }
type SessionRow = {
  id: string
  status: string
  rootSessionId: string
  orderKey: string
  deletedAt: Date | null
  eventSequence: number
}
type EventRow = {
  createdAt: Date
  streamId: string
  sequence: number
  type: string
  data: Record<string, unknown> & { id: string; status: string }
}

/** Everything that is wrong with this merchant's orders; empty when all is well. `atRest`: time has passed and nothing is due. */
export async function findFaults(sql: Sql, merchantId: number, atRest: boolean): Promise<string[]> {
  const payments = await sql<Row[]>`
    select p.*, array(select e.kind from ledger_entries e where e.merchant_id = p.merchant_id and e.source_id = p.id order by e.kind) as entries
    from payments p where merchant_id = ${merchantId} order by id`
  const sessions = await sql<SessionRow[]>`
    select id, status, root_session_id, order_key, deleted_at, event_sequence from checkout_sessions where merchant_id = ${merchantId}`
  const events = await sql<EventRow[]>`
    select stream_id, sequence, type, data, created_at from events where merchant_id = ${merchantId} order by stream_id, sequence`
  return [
    ...payments.filter((p) => !sessions.some((s) => s.id === p.sessionId)).map((p) => `${p.id} belongs to no session`),
    ...paidOnce(payments, sessions),
    ...payments.flatMap(entriesFit),
    ...payments.flatMap((p) => sentBackOnce(p, payments)),
    ...streams(events, sessions, payments),
    ...(await ledger(sql, merchantId, payments)),
    ...(await links(sql, merchantId, payments)),
    ...(await notices(sql, merchantId, payments)),
    ...(await counts(sql, merchantId)),
    ...(atRest ? rest(sessions, payments) : []),
  ]
}

function paidOnce(payments: readonly Row[], sessions: readonly SessionRow[]): string[] {
  const faults: string[] = []
  const accepted = payments.filter((p) => p.acceptedAt !== null)
  for (const key of new Set(accepted.map((p) => p.orderKey))) {
    const many = accepted.filter((p) => p.orderKey === key)
    if (many.length > 1) faults.push(`order ${key} is paid ${many.length} times`)
  }
  for (const payment of accepted) {
    const session = sessions.find((s) => s.id === payment.sessionId)
    if (session && session.deletedAt === null && session.status !== 'FINISHED')
      faults.push(`${session.id} is ${session.status} and paid by ${payment.id}`)
  }
  for (const session of sessions.filter((s) => s.status === 'FINISHED')) {
    const chain = sessions.filter((s) => s.rootSessionId === session.rootSessionId).map((s) => s.id)
    if (!accepted.some((p) => chain.includes(p.sessionId))) faults.push(`${session.id} is FINISHED and nothing paid it`)
  }
  for (const session of sessions) {
    const open = payments.filter(
      (p) =>
        p.sessionId === session.id && p.relatedPaymentId === null && p.acceptedAt === null && p.type === 'PURCHASE',
    )
    const waits = open.filter((p) => p.hold !== null || ['CREATED', 'AUTHORIZED', 'CAPTURED'].includes(p.status))
    if (waits.length > 1) faults.push(`${session.id} has ${waits.length} payments that wait`)
    if (session.status === 'PROCESSING_PAYMENT' && waits.length === 0)
      faults.push(`${session.id} is PROCESSING_PAYMENT and nothing is on its way`)
    if (waits.length > 0 && session.status !== 'PROCESSING_PAYMENT' && session.status !== 'FINISHED')
      faults.push(`${session.id} is ${session.status} while ${waits[0]?.id} waits`)
  }
  return faults
}

/** Which entries a payment's status asks for: one way of paying, one way of ending. */
function entriesFit(p: Row): string[] {
  const has = p.entries.join(' ')
  const legal = p.type === 'REFUND' ? refundEntries(p) : purchaseEntries(p)
  return legal.includes(has) ? [] : [`${p.type} ${p.id} is ${p.hold ?? p.status} with the entries "${has}"`]
}

function purchaseEntries(p: Row): string[] {
  if (p.hold !== null) return ['held']
  switch (p.status) {
    case 'SETTLED':
      return ['paid settled', 'held hold_accepted settled', 'hold_accepted held settled']
    case 'REVERSED':
      return ['paid reversed', 'held hold_returned', 'held hold_accepted reversed']
    case 'RECEIVED':
      return ['paid', 'held hold_accepted']
    case 'CAPTURED':
      return p.rail === 'CARD' ? ['paid', 'held hold_accepted'] : ['']
    default:
      return ['']
  }
}

function refundEntries(p: Row): string[] {
  if (p.status === 'SETTLED') return ['refund_done refund_started', '']
  return p.status === 'FAILED' ? ['refund_failed refund_started', ''] : ['refund_started', '']
}

/** No more goes back than came. */
function sentBackOnce(p: Row, payments: readonly Row[]): string[] {
  const back = payments.filter((r) => r.parentPaymentId === p.id && r.status !== 'FAILED')
  const sum = back.reduce((total, r) => total + r.purchaseMinor, 0n)
  const came = p.receivedMinor ?? p.purchaseMinor
  return sum > came ? [`${sum} go back of ${p.id}, to which ${came} came`] : []
}

/** Streams have no gaps, every transition is in a table, and the last event of each object is the object. */
function streams(events: readonly EventRow[], sessions: readonly SessionRow[], payments: readonly Row[]): string[] {
  const faults: string[] = []
  const counts = new Map<string, number>()
  const last = new Map<string, EventRow>()
  const times = new Map<string, Date>()
  for (const event of events) {
    const expected = (counts.get(event.streamId) ?? 0) + 1
    if (event.sequence !== expected) faults.push(`${event.streamId} has a gap before ${event.type} ${event.sequence}`)
    counts.set(event.streamId, event.sequence)
    if (event.createdAt < (times.get(event.streamId) ?? event.createdAt))
      faults.push(`${event.streamId} steps back in time at ${event.type} ${event.sequence}`)
    times.set(event.streamId, event.createdAt)
    const before = last.get(event.data.id)
    if (!isLegal(before, event))
      faults.push(`${event.data.id}: ${event.type} from ${before?.data.status} to ${event.data.status}`)
    if (
      event.type === 'checkout_session.expired' &&
      Date.parse(String(event.data.expiresAt)) > event.createdAt.getTime()
    )
      faults.push(`${event.data.id} expired before its time`)
    last.set(event.data.id, event)
  }
  for (const session of sessions) {
    if (counts.get(session.id) !== session.eventSequence)
      faults.push(`${session.id} counts ${session.eventSequence} events`)
    const told = last.get(session.id)?.data.status
    if (told !== session.status) faults.push(`${session.id} is ${session.status} and was last told as ${told}`)
  }
  for (const p of payments) {
    const told = last.get(p.id)?.data
    for (const [name, is] of [
      ['status', p.status],
      ['hold', p.hold ?? undefined],
      ['attention', p.attention ?? undefined],
    ])
      if (told?.[name as string] !== is)
        faults.push(`${p.id}: ${name} is ${is} and was last told as ${told?.[name as string]}`)
  }
  return faults
}

function isLegal(before: EventRow | undefined, event: EventRow): boolean {
  const from = before?.data.status
  const to = event.data.status
  if (from === undefined || from === to) return true
  const { id, type } = event.data
  const table: Record<string, Record<string, string>> = id.startsWith('cs_')
    ? sessionMachine.table
    : id.startsWith('pl_')
      ? linkMachine.table
      : type === 'REFUND'
        ? refundMachine.table
        : paymentMachine.table
  return Object.values(table[from] ?? {}).includes(to)
}

/** Balances equal their postings, no account is below zero, and what is held or being refunded is what the payments say. */
async function ledger(sql: Sql, merchantId: number, payments: readonly Row[]): Promise<string[]> {
  const posted = await sumsOf(sql, merchantId)
  const kept = await sql<{ code: string; amount: bigint }[]>`
    select code, sum(amount_minor)::bigint as amount from (
      select code, amount_minor from balance_totals where merchant_id = ${merchantId}
      union all select code, amount_minor from balance_deltas where merchant_id = ${merchantId}
    ) k group by code`
  const faults: string[] = []
  for (const code of new Set([...posted.keys(), ...kept.map((row) => row.code)])) {
    if (!/^(pending|available):/.test(code)) continue
    const balance = kept.find((row) => row.code === code)?.amount ?? 0n
    if (balance !== (posted.get(code) ?? 0n)) faults.push(`${code}: postings ${posted.get(code)}, balance ${balance}`)
  }
  for (const [code, sum] of posted)
    if (/^(pending|available|held|refunding):/.test(code) && sum < 0n) faults.push(`${code} is below zero: ${sum}`)
  const expect = (code: string, wanted: bigint) => {
    if ((posted.get(code) ?? 0n) !== wanted) faults.push(`${code} is ${posted.get(code) ?? 0n}, payments say ${wanted}`)
  }
  for (const currency of ['BRL', 'CLP']) {
    const held = payments.filter((p) => p.hold !== null && (p.receivedCurrency ?? p.purchaseCurrency) === currency)
    expect(
      `held:${currency}`,
      held.reduce((sum, p) => sum + (p.receivedMinor ?? p.purchaseMinor), 0n),
    )
  }
  const purchases = payments.filter((p) => p.type === 'PURCHASE' && p.hold === null)
  const refunds = payments.filter(
    (p) => p.type === 'REFUND' && p.entries.includes('refund_started') && p.status !== 'FAILED',
  )
  const sum = (list: readonly Row[]) => list.reduce((total, p) => total + p.grossMinor, 0n)
  const [pending] = [...posted.keys()].filter((code) => code.startsWith('pending:'))
  const paidStatus = (p: Row) => p.status === 'RECEIVED' || (p.status === 'CAPTURED' && p.rail === 'CARD')
  if (pending) {
    expect(pending, sum(purchases.filter(paidStatus)))
    expect(pending.replace('pending', 'available'), sum(purchases.filter((p) => p.status === 'SETTLED')) - sum(refunds))
  }
  expect('refunding:BRL', sum(refunds.filter((p) => p.status === 'RECEIVED')))
  return faults
}

async function sumsOf(sql: Sql, merchantId: number): Promise<Map<string, bigint>> {
  const rows = await sql<{ code: string; amount: bigint }[]>`
    select code, sum(amount)::bigint as amount from (
      select debit_code as code, -amount_minor as amount from ledger_postings where merchant_id = ${merchantId}
      union all select credit_code, amount_minor from ledger_postings where merchant_id = ${merchantId}
    ) s group by code`
  return new Map(rows.map((row) => [row.code, row.amount]))
}

/** A limited link counts what is on its way and what was paid. */
async function links(sql: Sql, merchantId: number, payments: readonly Row[]): Promise<string[]> {
  const rows = await sql<{ id: string; usesOpen: number; usesPaid: number; maxPayments: number }[]>`
    select id, uses_open, uses_paid, max_payments from payment_links where merchant_id = ${merchantId} and max_payments is not null`
  return rows.flatMap((link) => {
    const own = payments.filter((p) => p.paymentLinkId === link.id && p.type === 'PURCHASE')
    const paid = own.filter((p) => p.acceptedAt !== null).length
    const waits = own.filter(
      (p) =>
        p.relatedPaymentId === null &&
        p.acceptedAt === null &&
        (p.hold !== null || ['CREATED', 'AUTHORIZED', 'CAPTURED'].includes(p.status)),
    ).length
    return link.usesOpen === waits && link.usesPaid === paid
      ? []
      : [`${link.id} counts ${link.usesOpen} open and ${link.usesPaid} paid, there are ${waits} and ${paid}`]
  })
}

/** What lists are counted and found by says what the sessions say. */
async function counts(sql: Sql, merchantId: number): Promise<string[]> {
  const faults = [...(await findWrongCounts(sql, merchantId)), ...(await findWrongAccountRows(sql, merchantId))]
  return faults.map(({ subject, fault }) => `${subject}: ${fault}`)
}

/** Money that was told of and taken is on record as a payment that received it. */
async function notices(sql: Sql, merchantId: number, payments: readonly Row[]): Promise<string[]> {
  const rows = await sql<{ ref: string; paymentId: string; kind: string }[]>`
    select ref, payment_id, kind from notices
    where merchant_id = ${merchantId} and kind in ('received', 'settled') and effect in ('applied', 'second_money')`
  return rows.flatMap(({ ref, paymentId }) => {
    const taken = payments.some(
      (p) =>
        (p.id === paymentId || p.relatedPaymentId === paymentId) && p.connectorRef === ref && p.receivedMinor !== null,
    )
    return taken ? [] : [`money under ${ref} was told of and is not on record`]
  })
}

/** When nothing is due any more, whoever waits has told somebody. */
function rest(sessions: readonly SessionRow[], payments: readonly Row[]): string[] {
  const faults: string[] = []
  for (const s of sessions)
    if (s.deletedAt === null && (s.status === 'ATTEMPT' || s.status === 'ACTIVE'))
      faults.push(`${s.id} is still ${s.status}`)
  for (const p of payments) {
    const moving =
      p.type === 'REFUND'
        ? p.status === 'RECEIVED'
        : ['CREATED', 'AUTHORIZED', 'CAPTURED', 'RECEIVED'].includes(p.status)
    const returning = payments.some((r) => r.parentPaymentId === p.id && r.status === 'RECEIVED')
    if (moving && p.attention === null && !returning)
      faults.push(`${p.type} ${p.id} is ${p.status} and nobody was told`)
  }
  return faults
}
