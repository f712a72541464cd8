/** The port to Postgres, above all when connections are lost at the worst moments: a cutter sits between it and the database. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import { openPool, type Sql, transaction } from '../src/kit/db.ts'
import { type FreshDatabase, freshDatabase } from './database.ts'
import { openWire, through, type Wire } from './wire.ts'

let database: FreshDatabase
let cutter: Wire
let sql: Sql
const uncaught: unknown[] = []
const remember = (error: unknown) => void uncaught.push(error)

before(async () => {
  database = await freshDatabase()
  cutter = await openWire(Number(new URL(database.url).port))
  sql = openPool(through(cutter, database.url), { max: 4, applicationName: 'driver test' })
  process.on('uncaughtException', remember)
})
after(async () => {
  process.off('uncaughtException', remember)
  await sql.end({ timeout: 1 })
  await cutter.close()
  await database.drop()
})

/** Settles or fails within the time, whatever becomes of the promise. */
async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  const tooLate = AbortSignal.timeout(15_000)
  const late = new Promise<never>((_, reject) =>
    tooLate.addEventListener('abort', () => reject(new Error('it neither ended nor failed'))),
  )
  const [result] = await Promise.allSettled([Promise.race([work, late])])
  if (result.status === 'rejected' && /neither ended/.test(String(result.reason))) throw result.reason
  return result
}

test('answered statements do not wait for the large rounds of the garbage collector', async () => {
  const oldBytes = () => {
    const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')
    return space?.space_used_size ?? 0
  }
  const ask = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const sent = String(n).padEnd(10_000, 'x')
      const [row] = await sql<{ n: number }[]>`select length(${sent}::text) as length, ${sql`${n}::int`} as n`
      assert.equal(row?.n, n)
    }
  }
  await ask(500)
  const before = oldBytes()
  await Promise.all([ask(500), ask(500), ask(500), ask(500)])
  const kept = (oldBytes() - before) / 2_000
  assert.ok(kept < 5_000, `each statement of 10 kB leaves ${kept} bytes in the old generation`)
})

describe('a connection that is lost', () => {
  for (const how of ['end', 'reset'] as const) {
    test(`(${how}) fails what was under way and nothing else: no hang, no other query's answer, no uncaught error`, async () => {
      for (let round = 0; round < 21; round++) {
        const asked = Array.from({ length: 24 }, (_, i) => round * 100 + i)
        const answers = asked.map(async (n) => {
          const [row] = await sql<{ n: number }[]>`select ${n}::int as n`
          assert.equal(row?.n, n)
          // The next one is asked for in the very turn in which an answer, or the loss, arrived.
          const [again] = await sql<{ n: number }[]>`select ${n + 50}::int as n`
          return again?.n === n + 50
        })
        const retried = answers.map((answer) =>
          answer.catch(async (error) => {
            if (error instanceof assert.AssertionError) throw error
            const [row] = await sql<{ n: number }[]>`select ${round}::int as n`
            return row?.n === round
          }),
        )
        for (let turn = 0; turn < round % 7; turn++) await nextTurn()
        cutter.cut(how)
        for (const result of await Promise.all(retried.map(settled))) {
          if (result.status === 'fulfilled') assert.equal(result.value, true)
          else assert.ok(!(result.reason instanceof assert.AssertionError), String(result.reason))
        }
      }
      const begun = performance.now()
      const [row] = await retry(() => sql<{ one: number }[]>`select 1 as one`)
      assert.equal(row?.one, 1)
      assert.ok(performance.now() - begun < 2_000, 'the pool is back by itself')
      assert.deepEqual(uncaught, [])
    })

    test(`(${how}) ends its transaction: what the work still asks for is refused, and nothing of it is kept`, async () => {
      let lost = 0
      for (let round = 0; lost < 15; round++) {
        assert.ok(round < 60, 'the pool does not come back')
        const name = `k${how}${round}`
        const late: unknown[] = []
        const done = transaction(sql, async (tx) => {
          await keep(tx, `${name}_a`)
          lost += 1
          cutter.cut(how)
          // Not waiting for the database when it is lost: the work goes on and does not know.
          await sleep(round % 5 === 0 ? 30 : round % 3)
          await keep(tx, `${name}_b`).catch((error) => late.push(error))
        })
        const before = lost
        assert.equal((await settled(done)).status, 'rejected')
        await sleep(35)
        if (lost > before) assert.equal(late.length, 1, 'the second statement ran although its transaction was gone')
      }
      const kept = await retry(() => sql`select name from sealed_keys where name like ${`k${how}%`}`)
      assert.deepEqual([...kept], [])
      assert.deepEqual(uncaught, [])
    })
  }

  function keep(tx: Parameters<Parameters<typeof transaction>[1]>[0], name: string) {
    return tx`insert into sealed_keys (name, sealed) values (${name.replace(/\d/g, (d) => 'abcdefghij'[Number(d)] ?? '')}, ''::bytea)`
  }

  /** The first query on each connection may still learn that it is gone. */
  async function retry<T>(work: () => PromiseLike<T>): Promise<T> {
    for (let left = 5; ; left--) {
      try {
        return await work()
      } catch (error) {
        if (left === 0) throw error
      }
    }
  }
})

test('a server that is silent is not waited for: the statement fails, and the next one has another connection', async () => {
  let isSilent = false
  const wire = await openWire(Number(new URL(database.url).port), {
    received: (bytes) => (isSilent ? Buffer.alloc(0) : bytes),
  })
  const impatient = openPool(through(wire, database.url), {
    max: 1,
    applicationName: 'impatient',
    statementTimeoutMs: 500,
  })
  await impatient`select 1`
  isSilent = true
  const lost = impatient`select 2`.catch((error: unknown) => error)
  const next = impatient<{ n: number }[]>`select 3 as n`
  assert.equal(((await lost) as { code?: string }).code, 'CONNECTION_CLOSED')
  isSilent = false
  assert.deepEqual(await next, [{ n: 3 }])
  await impatient.end()
  await wire.close()
})
