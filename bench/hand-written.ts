/**
 * What the server writes, written by hand for pgbench: the same rows with the same indexes, one transaction for each step. From rows that
 * the server has left, with ids of their own.
 */
import type { Sql } from '../packages/sql/src/sql.ts'

type Row = Record<string, unknown>

const table = {
  session: 'checkout_sessions',
  account: 'checkout_session_accounts',
  payment: 'payments',
  event: 'events',
} as const

const random = '\\set n random(1, 900000000000000000)'
const idOf = (prefix: string) => `('${prefix}_' || lpad(to_hex(:n::bigint), 26, '0'))`
const session = idOf('cs')
const payment = idOf('pay')
const token = "lpad(to_hex(:n::bigint), 22, '0')"

/** What every row of one session or payment has as its own. */
const own: Record<string, string> = {
  root_session_id: session,
  order_key: session,
  session_id: session,
  stream_id: session,
  checkout_token: token,
  page_token: token,
  source_id: payment,
  external_id: payment,
  connector_ref: payment,
  entry_id: idOf('ent'),
}

/** One create: the session, its account row, its event and the event's place in the outbox. */
export async function createScript(sql: Sql): Promise<string> {
  const [row] = await sql<Row[]>`select * from checkout_sessions where status = 'ATTEMPT' limit 1`
  return [random, ...createStep(await readSession(sql, row))].join('\n')
}

/** One whole flow: create, submit and notification, up to FINISHED with its ledger entry. */
export async function flowScript(sql: Sql): Promise<string> {
  const [paid] = await sql<Row[]>`
    select p.* from payments p join ledger_entries e on e.merchant_id = p.merchant_id and e.source_id = p.id and e.kind = 'paid'
    where p.accepted_at is not null limit 1`
  const [row] = await sql<Row[]>`select * from checkout_sessions where id = ${String(paid?.session_id)}`
  const [entry] = await sql<Row[]>`select * from ledger_entries where source_id = ${String(paid?.id)} and kind = 'paid'`
  if (!paid || !entry) throw new Error('no flow left its rows')
  const postings = await sql<Row[]>`select * from ledger_postings where entry_id = ${String(entry.id)}`
  const read = await readSession(sql, row)
  const later = { finished_at: read.session.finished_at }
  const received = pick(paid, ['received_at', 'accepted_at', 'received_minor', 'next_check_at', 'updated_at'])
  const begun = {
    ...paid,
    status: 'CREATED',
    received_at: null,
    accepted_at: null,
    received_minor: null,
    settled_at: null,
  }
  const of = (from: number, to: number) => read.events.slice(from, to).flatMap((event) => tell(event))
  return [
    random,
    ...createStep({ ...read, session: { ...read.session, status: 'ATTEMPT', event_sequence: 1, finished_at: null } }),
    'begin;',
    move(read.session, 'PROCESSING_PAYMENT', 1, 4, {}),
    insert(table.payment, begun, payment),
    ...of(1, 4),
    'commit;',
    'begin;',
    move(read.session, 'FINISHED', 4, 6, later),
    `update payments set ${assign({ ...received, status: 'RECEIVED' })} where merchant_id = ${paid.merchant_id} and id = ${payment};`,
    ...of(4, 6),
    insert('ledger_entries', entry, idOf('ent')),
    ...postings.map((posting) => insert('ledger_postings', posting)),
    ...postings
      .filter((posting) => String(posting.credit_code).startsWith('pending'))
      .map((posting) =>
        insert('balance_deltas', {
          ...pick(posting, ['merchant_id', 'entry_id', 'amount_minor']),
          code: posting.credit_code,
        }),
      ),
    'commit;',
  ].join('\n')
}

async function readSession(sql: Sql, row: Row | undefined) {
  const id = String(row?.id)
  const [account] = await sql<Row[]>`select * from checkout_session_accounts where session_id = ${id}`
  const events = await sql<Row[]>`select * from events where stream_id = ${id} order by sequence`
  if (!row || !account || events.length === 0) throw new Error('no create left its rows')
  return { session: row, account, events }
}

function createStep(rows: { session: Row; account: Row; events: readonly Row[] }): string[] {
  return [
    'begin;',
    insert(table.session, rows.session, session),
    insert(table.account, rows.account),
    ...tell(rows.events[0] as Row),
    'commit;',
  ]
}

/** An event with its place in the outbox. */
function tell(event: Row): string[] {
  const place = pick(event, ['merchant_id', 'stream_id', 'sequence', 'type', 'created_at'])
  return [insert(table.event, event, idOf('evt')), insert('event_outbox', place)]
}

/** The session in another status, if the counter of events is what it was. */
function move(row: Row, status: string, before: number, sequence: number, others: Row): string {
  const set = assign({ ...others, status, event_sequence: sequence, updated_at: row.updated_at })
  return `update ${table.session} set ${set} where merchant_id = ${row.merchant_id} and id = ${session} and event_sequence = ${before};`
}

function pick(row: Row, columns: readonly string[]): Row {
  return Object.fromEntries(columns.map((column) => [column, row[column]]))
}

function assign(row: Row): string {
  return Object.entries(row)
    .map(([column, value]) => `${column} = ${value === null ? 'null' : literal(value)}`)
    .join(', ')
}

function insert(into: string, row: Row, id?: string): string {
  const entries = Object.entries(row).filter(([, value]) => value !== null)
  const values = entries.map(([column, value]) => (column === 'id' && id ? id : (own[column] ?? literal(value))))
  return `insert into ${into} (${entries.map(([column]) => column).join(', ')}) values (${values.join(', ')});`
}

/** A value as a literal. pgbench takes a colon before a word for a variable, so JSON gets a space and text a function. */
function literal(value: unknown): string {
  if (value instanceof Date) return `to_timestamp(${value.getTime() / 1000})`
  if (value instanceof Uint8Array) return `decode('${Buffer.from(value).toString('hex')}', 'hex')`
  const list = Array.isArray(value) && value.every((part) => typeof part === 'string')
  const isJson = typeof value === 'object' && !list
  const plain = list
    ? `{${(value as string[]).map((part) => `"${part}"`).join(',')}}`
    : isJson
      ? JSON.stringify(value)
      : String(value)
  const text = `'${plain.replaceAll("'", "''")}'`
  return isJson ? text.replaceAll(/:(?=\w)/g, ': ') : text.replaceAll(/:(?=\w)/g, "' || chr(58) || '")
}
