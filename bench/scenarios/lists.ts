/**
 * A page of the list of sessions by every documented filter and sort. Pages in the order of creation by up to two filters are
 * compared at many sessions and at ten thousand; all others have a limit in milliseconds.
 */
import { dayText } from '../../packages/server/src/kit/day.ts'
import { type ApiClient, idOf, openClient, sessionBody } from '../client.ts'
import { type Bench, type Row, type Scenario, shown } from '../scenario.ts'
import { seedSessions } from '../seed-sessions.ts'
import { accountOf, ownerOf, platformAccount } from '../seed-sessions-rows.ts'

const fewSessions = 10_000
const manyByDefault = 200_000
const deepest = 10_000
const pageSize = 50
const ratioMax = 2
const otherMsMax = 1000
const samplesMin = 300
/** A case that is so slow that its samples take longer is known by fewer. */
const patienceMs = 3000

export const scenario: Scenario = {
  name: 'lists',
  about: 'list pages with every filter and sort, p99 at many sessions against 10,000',
  run: async (bench) => {
    const many = Number(bench.options['seed-sessions'] ?? manyByDefault)
    await leaveSample(bench)
    const few = await measureAt(bench, fewSessions)
    const full = await measureAt(bench, many, few)
    const cases = [...full].flatMap(([name, { p99Ms }]) => {
      const before = few.get(name)?.p99Ms
      return before === undefined || !isPromised(name) ? [] : [{ name, p99Ms, ratio: p99Ms / before }]
    })
    cases.sort((a, b) => a.ratio - b.ratio)
    const slow = cases.filter((one) => one.ratio > ratioMax)
    for (const one of slow) bench.note(`${one.name}: ${shown(one.p99Ms, 'ms')}, ${shown(one.ratio)} times`)
    const compared = new Set(cases.map(({ name }) => name))
    const others = [...full].filter(([name]) => !compared.has(name)).sort((a, b) => b[1].p99Ms - a[1].p99Ms)
    const middle = cases[Math.floor(cases.length / 2)]
    const worst = cases.at(-1)
    const slowest = others[0]
    if (!middle || !worst || !slowest) throw new Error('nothing was measured')
    const named = others.slice(0, 10).map(([name, { p99Ms }]) => `${name} ${shown(p99Ms, 'ms')}`)
    bench.note(`the slowest of ${others.length} other pages: ${named.join('; ')}`)
    return [
      row(many, 'median of', cases.length, middle),
      row(many, `worst (${slow.length} above ${ratioMax}) of`, cases.length, worst),
      {
        what: `other list pages at ${many} sessions, p99, worst of ${others.length}`,
        figure: shown(slowest[1].p99Ms, 'ms'),
        yardstick: slowest[0],
        its: '',
        target: `<= ${otherMsMax} ms`,
        met: slowest[1].p99Ms <= otherMsMax,
      },
    ]
  },
}

/** Sorted by creation, with at most two filters and one value for each. */
function isPromised(name: string): boolean {
  return name.includes('createdAt') && !name.startsWith('two ')
}

type Case = { name: string; p99Ms: number; ratio: number }

function row(many: number, which: string, count: number, { name, p99Ms, ratio }: Case): Row {
  return {
    what: `list page at ${many} sessions, p99, ${which} ${count} cases`,
    figure: shown(p99Ms, 'ms'),
    yardstick: `the same at ${fewSessions}: ${name}`,
    its: shown(p99Ms / ratio, 'ms'),
    ratio,
    target: `<= ${ratioMax}`,
    met: ratio <= ratioMax,
  }
}

/** One session of the server's own: what the many are made like. */
async function leaveSample(bench: Bench): Promise<void> {
  const target = await bench.openTarget()
  const client = await openClient(target.address, target.seed, 1)
  idOf(await client.call('POST', '/checkout-sessions', sessionBody(target.seed)), 201)
  client.close()
  await target.stop()
}

/** What was measured of a page: the request itself, so that it can be asked again of more sessions, and its p99. */
type Measured = { query: string; p99Ms: number }

/** Every case at so many sessions; those that were measured `before` are the same requests again. */
async function measureAt(bench: Bench, count: number, before?: Map<string, Measured>): Promise<Map<string, Measured>> {
  const filled = await seedSessions(bench.databaseUrl, count)
  const { copySeconds, indexSeconds, vacuumSeconds, gigabytes } = filled
  bench.note(
    `${count} sessions: copied in ${shown(copySeconds, 's')}, indexed in ${shown(indexSeconds, 's')}, vacuumed in ${shown(vacuumSeconds, 's')}, ${shown(gigabytes, 'GB')}`,
  )
  const target = await bench.openTarget()
  const client = await openClient(target.address, target.seed, 1)
  const measured = await measureCases(client, target.seed.identityId, bench.seconds, before)
  client.close()
  await target.stop()
  return measured
}

/**
 * The first page of every case, the deepest of up to 10,000, and one in the middle after an id. A page that is not full costs less for
 * another reason and is left out. How deep a list goes depends on its length, so the offset of `before` is measured again;
 * what is deeper here stands beside it.
 */
async function measureCases(
  client: ApiClient,
  identityId: string,
  seconds: number,
  before?: Map<string, Measured>,
): Promise<Map<string, Measured>> {
  const measured = new Map<string, Measured>()
  const add = async (name: string, query: string) =>
    measured.set(name, { query, p99Ms: await p99Of(client, query, seconds) })
  for (const { name, query } of queries(identityId)) {
    const total = await totalOf(client, query)
    if (total < pageSize && !query.includes('checkoutToken')) continue
    await add(name, query)
    const same = before?.get(`${name}, deep`)
    if (same) await add(`${name}, deep`, same.query)
    const offset = Math.max(0, Math.min(deepest, total - pageSize))
    if (offset > 0) await add(before ? `${name}, offset ${offset}` : `${name}, deep`, `${query}&offset=${offset}`)
    if (!query.includes('createdAt') || total <= pageSize) continue
    const id = await middleId(client, query, offset)
    await add(`${name}, after`, `${query}&after=${id}`)
  }
  return measured
}

/** Every filter alone and some together, each in every order; the directions take turns. */
function queries(identityId: string): { name: string; query: string }[] {
  const day = (daysAgo: number) => dayText(Temporal.Now.plainDateISO('UTC').subtract({ days: daysAgo }))
  const days = (from: number, until: number) => `&startDate=${day(from)}&endDate=${day(until)}`
  const filters: Record<string, string> = {
    'no filter': '',
    'a status that most have': '&status=FINISHED',
    'two statuses': '&status=EXPIRED,FAILED',
    'the owner of a third': `&identityId=${identityId}`,
    'a small owner': `&identityId=${ownerOf(900)}`,
    'two owners': `&identityId=${identityId},${ownerOf(500)}`,
    'an account that a fifth pays': `&accountNumber=${platformAccount}`,
    'a small account': `&accountNumber=${accountOf(900)}`,
    'two accounts with sessions in common': `&accountNumber=${platformAccount},${accountOf(900)}`,
    'owner and account': `&identityId=${ownerOf(5)}&accountNumber=${platformAccount}`,
    'owner and status': `&identityId=${identityId}&status=FAILED`,
    'account and status': `&accountNumber=${platformAccount}&status=EXPIRED`,
    'a token': '&checkoutToken=order-77',
    'an account and a rare status': `&accountNumber=${platformAccount}&status=PROCESSING_PAYMENT`,
    'two large accounts': `&accountNumber=${platformAccount},platform-partner`,
    'a day': days(100, 100),
    'a month': days(130, 100),
    'half a year': days(182, 1),
    'an old month': days(360, 330),
    'an old half year': days(364, 183),
    'a month and a status': `${days(130, 100)}&status=FINISHED`,
    'a month and an owner': `${days(130, 100)}&identityId=${identityId}`,
    'a month and an account': `${days(130, 100)}&accountNumber=${platformAccount}`,
  }
  const sorts = ['createdAt', 'expiresAt', 'totalAmount', 'status']
  return Object.entries(filters).flatMap(([filter, text], turn) =>
    sorts.map((sort, index) => {
      const order = `${sort}:${(turn + index) % 2 === 0 ? 'desc' : 'asc'}`
      return { name: `${filter}, ${order}`, query: `sort=${order}&limit=${pageSize}${text}` }
    }),
  )
}

async function ask(client: ApiClient, query: string): Promise<string> {
  const answer = await client.call('GET', `/checkout-sessions?${query}`)
  if (answer.status !== 200) throw new Error(`${query}: ${answer.status} ${answer.text.slice(0, 300)}`)
  return answer.text
}

async function totalOf(client: ApiClient, query: string): Promise<number> {
  return JSON.parse(await ask(client, query)).pagination.total
}

/** An id that a page deep in the list begins with. */
async function middleId(client: ApiClient, query: string, offset: number): Promise<string> {
  return JSON.parse(await ask(client, `${query}&offset=${Math.floor(offset / 2)}`)).results[0].id
}

async function p99Of(client: ApiClient, query: string, seconds: number): Promise<number> {
  for (let warm = 0; warm < 10; warm++) await ask(client, query)
  const times: number[] = []
  // A tenth of a figure's time for each case: there are some two hundred.
  const end = performance.now() + seconds * 100
  while (performance.now() < end || (times.length < samplesMin && performance.now() < end + patienceMs)) {
    const begun = performance.now()
    await ask(client, query)
    times.push(performance.now() - begun)
  }
  times.sort((a, b) => a - b)
  return times[Math.min(times.length - 1, Math.floor(times.length * 0.99))] ?? 0
}
