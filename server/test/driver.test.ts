/** The Postgres driver, mended (ADR 60): above all when connections are lost at the worst moments, for which a cutter sits between it and the database. */
import assert from 'node:assert/strict'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { openPool, type Sql, transaction } from '../src/kit/db.ts'
import { type FreshDatabase, freshDatabase } from './database.ts'

let database: FreshDatabase
let cutter: Awaited<ReturnType<typeof openCutter>>
let sql: Sql
const uncaught: unknown[] = []
const remember = (error: unknown) => void uncaught.push(error)

before(async () => {
  database = await freshDatabase()
  cutter = await openCutter(Number(new URL(database.url).port))
  const url = new URL(database.url)
  url.port = String(cutter.port)
  sql = openPool(url.href, { max: 4, applicationName: 'driver test' })
  process.on('uncaughtException', remember)
})
after(async () => {
  process.off('uncaughtException', remember)
  await sql.end({ timeout: 1 })
  await cutter.close()
  await database.drop()
})

/** Passes bytes on, and cuts all its connections when told to: with a farewell, or as a dead machine does (reset). */
async function openCutter(target: number) {
  const open = new Set<Socket>()
  const server: Server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    for (const [here, there] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(here)
      here.on('data', (bytes) => there.write(bytes))
      here.on('error', () => there.destroy())
      here.on('close', () => {
        open.delete(here)
        there.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: address && typeof address === 'object' ? address.port : 0,
    cut: (how: 'end' | 'reset') => {
      for (const socket of open)
        if (how === 'reset') socket.resetAndDestroy()
        else socket.destroy()
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

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

test('a query that was answered is not kept by the engine, and lets go of what it sent', async () => {
  const query = sql<{ text: string }[]>`select ${'sent'}::text as text`
  assert.ok(!(query instanceof Promise), 'promises of a class of their own outlive their answers')
  const rows = await query
  assert.deepEqual([...rows], [{ text: 'sent' }])
  const { args, parameters } = query as unknown as { args: unknown; parameters: unknown }
  assert.deepEqual({ args, parameters }, { args: null, parameters: null })
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
