/** Sessions as a year of business leaves them, row by row in the order of their creation, as COPY reads them. */
import { dayNumberAt } from '../packages/server/src/kit/day.ts'

/** A session that the server itself has made: what is the same in all of them is taken from it. */
export type Sample = {
  merchantId: number
  timeZone: string
  ownerIdentityId: string
  accountNumber: string
  items: string
  quote: string
}

/** Lines of COPY for each table, for one session or for a day that is over. */
export type Sink = {
  sessions(line: string): void
  accounts(line: string): void
  totals(line: string): void
}

const owners = 1000
const yearMs = 365 * 86_400_000
const base32 = '0123456789abcdefghjkmnpqrstvwxyz'
const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** Shares of the statuses, in thousandths. Whoever is still open has a year: nothing is due when the server starts. */
const shares = [
  ['FINISHED', 560],
  ['EXPIRED', 340],
  ['FAILED', 40],
  ['ATTEMPT', 40],
  ['ACTIVE', 15],
  ['PROCESSING_PAYMENT', 5],
] as const
const statuses = shares.flatMap(([status, share]) => Array.from({ length: share }, () => status))

/** The accounts that take part of what others sell: their sessions pay two accounts, some three. */
export const platformAccount = 'platform-fees'
const partnerAccount = 'platform-partner'

/** The number of the account that the owner of this number has; owner 0 is the sample's. */
export function accountOf(owner: number): string {
  return `shop-${1000 + owner}`
}

/** The id of the owner of this number. */
export function ownerOf(owner: number): string {
  return `idn_01jz000000e008${toBase32(owner, 12)}`
}

/** Writes `count` sessions over the year before `untilMs`, the accounts they pay and the totals that count them. */
export async function writeSessions(
  sample: Sample,
  { count, untilMs, pause }: { count: number; untilMs: number; pause(): Promise<void> | undefined },
  sink: Sink,
): Promise<void> {
  const random = randomFrom(count)
  const levels = levelCounter(sample.merchantId, sink)
  const stepMs = yearMs / count
  for (let number = 0; number < count; number++) {
    const createdMs = Math.floor(untilMs - yearMs + number * stepMs)
    const session = draw(sample, number, createdMs, random)
    const createdDay = dayNumberAt(createdMs, sample.timeZone)
    sink.sessions(sessionLine(sample, session, createdDay))
    for (const account of session.accounts) sink.accounts(`${sample.merchantId}\t${account}\t${session.id}\n`)
    levels.add(session, createdDay)
    const paused = pause()
    if (paused) await paused
  }
  levels.end()
}

type Drawn = ReturnType<typeof draw>

function draw(sample: Sample, number: number, createdMs: number, random: () => number) {
  const owner = random() < 0.3 ? 0 : Math.floor(owners * random() ** 2)
  const status = statuses[Math.floor(random() * statuses.length)] ?? 'FINISHED'
  const open = status === 'ATTEMPT' || status === 'ACTIVE'
  const durationSeconds = open ? 366 * 86_400 : 3600
  const accounts = [owner === 0 ? sample.accountNumber : accountOf(owner)]
  const split = random()
  if (split < 0.2) accounts.push(platformAccount)
  if (split < 0.02) accounts.push(partnerAccount)
  const minor = 500 + Math.floor(random() ** 3 * 500_000)
  return {
    number,
    id: `cs_${toBase32(createdMs, 10)}${randomPart(random)}`,
    ownerId: owner === 0 ? sample.ownerIdentityId : ownerOf(owner),
    status,
    accounts,
    minor,
    total: `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`,
    durationSeconds,
    createdAt: new Date(createdMs).toISOString(),
    expiresAt: new Date(createdMs + durationSeconds * 1000).toISOString(),
    pageToken: token(random),
  }
}

/** The columns that a line of sessions has, in its order. */
export const sessionColumns = [
  ...[
    'merchant_id',
    'id',
    'root_session_id',
    'order_key',
    'checkout_token',
    'page_token',
    'status',
    'owner_identity_id',
  ],
  ...[
    'owner',
    'items',
    'currency',
    'pre_tax_minor',
    'total_minor',
    'total_order',
    'payment_methods',
    'customer',
    'destinations',
  ],
  ...[
    'success_url',
    'failed_url',
    'duration_seconds',
    'metadata',
    'quote',
    'event_sequence',
    'created_at',
    'updated_at',
  ],
  ...['expires_at', 'finished_at', 'created_day'],
]

function sessionLine(sample: Sample, s: Drawn, createdDay: number): string {
  const customer = `{"firstName":"Ana","lastName":"Souza","email":"payer${s.number}@example.com","documentType":"CPF","documentNumber":"52998224725"}`
  const destinations = s.accounts.map(
    (account, index) =>
      `{"type":"ACCOUNT","amount":"${index === 0 ? s.total : '0.01'}","account":{"accountNumber":"${account}"}}`,
  )
  const columns = [
    ...[sample.merchantId, s.id, s.id, s.id, `order-${s.number}`, s.pageToken, s.status, s.ownerId],
    ...[`{"identityId":"${s.ownerId}"}`, sample.items, 'BRL', s.minor, s.minor, s.total, '{PIX}'],
    ...[s.number % 10 < 7 ? customer : '\\N', `[${destinations.join(',')}]`],
    ...[
      'https://shop.example/ok',
      'https://shop.example/no',
      s.durationSeconds,
      `{"order":"${s.number}"}`,
      sample.quote,
    ],
    ...[2, s.createdAt, s.createdAt, s.expiresAt, s.status === 'FINISHED' ? s.createdAt : '\\N', createdDay],
  ]
  return `${columns.join('\t')}\n`
}

/** Counts the sessions by every level, and writes the totals of a day when it is over, those of every day at the end. */
function levelCounter(merchantId: number, sink: Sink) {
  let today = 0
  const [ofDay, ofAll] = [new Map<string, number>(), new Map<string, number>()]
  const write = (cells: Map<string, number>, day: number) => {
    for (const [key, sessions] of cells) sink.totals(`${merchantId}\t${key}\t${day}\t${sessions}\n`)
    cells.clear()
  }
  const add = ({ ownerId, status, accounts }: Drawn, day: number) => {
    if (day !== today) write(ofDay, today)
    today = day
    const set = [...accounts].sort()
    const sets = set.length > 1 ? set.map((account) => `${account} {${set}}`) : []
    for (const cells of [ofDay, ofAll]) {
      for (const owner of ['', ownerId]) {
        for (const account of ['', ...set, ...sets]) {
          const key = `${owner}\t${account}\t${status}`
          cells.set(key, (cells.get(key) ?? 0) + 1)
        }
      }
    }
  }
  const end = () => {
    write(ofDay, today)
    write(ofAll, -1)
  }
  return { add, end }
}

function toBase32(value: number, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest = Math.floor(rest / 32)) text = base32[rest % 32] + text
  return text
}

/** The sixteen characters behind it: version 7, its variant, and what was drawn. */
function randomPart(random: () => number): string {
  const one = (from: string) => from[Math.floor(random() * from.length)]
  let text = `${one('ef')}${one(base32)}${one(base32)}${one('89abrstv')}`
  for (let place = 0; place < 12; place++) text += one(base32)
  return text
}

function token(random: () => number): string {
  let text = ''
  for (let place = 0; place < 22; place++) text += base64[Math.floor(random() * 64)]
  return text
}

/** Numbers between 0 and 1 that are the same in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
