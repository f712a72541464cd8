/** The port to Postgres: what is sent for a statement, what comes back, and what a connection and a pool promise. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ConnectionError, DatabaseError, id, ints, json, openPool, type Sql, script, texts } from '@pasarela/sql'
import { errorCode } from '@pasarela/sql/operator-error'
import { readPairs } from '../src/kit/db.ts'
import { plannedAfresh } from '../src/kit/statement.ts'
import { type FreshDatabase, freshDatabase, openOwner } from './database.ts'

let database: FreshDatabase
let sql: Sql
before(async () => {
  database = await freshDatabase()
  sql = openOwner(database.url, 4)
})
after(async () => {
  await sql.end()
  await database.drop()
})

/** A pool of one connection, so that what a session keeps can be looked at. */
async function withOne<T>(work: (one: Sql) => Promise<T>): Promise<T> {
  const one = openOwner(database.url, 1)
  try {
    return await work(one)
  } finally {
    await one.end()
  }
}

describe('a statement', () => {
  test('is sent once, when it is first awaited, and not at all as a part of another', async () => {
    await withOne(async (one) => {
      const sent: string[] = []
      one.seen = ({ text }) => sent.push(text)
      const part = one`and n > ${1}`
      const statement = one<{ n: number }[]>`select n from generate_series(1, 3) n where n < ${3} ${part} ${one``}`
      assert.deepEqual(sent, [])
      assert.deepEqual(await statement, [{ n: 2 }])
      assert.deepEqual(await statement, [{ n: 2 }])
      assert.deepEqual(sent, ['select n from generate_series(1, 3) n where n < $1 and n > $2 '])
    })
  })

  test('takes a list of parts, quoted names, and text of ours', async () => {
    const parts = [sql`select 1 as n`, sql`union all select 2`]
    assert.deepEqual(await sql`${parts} order by n`, [{ n: 1 }, { n: 2 }])
    assert.deepEqual(await sql`select ${id(['a"b', 'c'])} from (select 1 as "a""b", 2 as c) t`, [{ 'a"b': 1, c: 2 }])
    assert.deepEqual(await sql`select ${script(sql, '1 as n')}`, [{ n: 1 }])
    assert.deepEqual(await script(sql, 'select $2::int - $1::int as n', [2, 5]), [{ n: 3 }])
    assert.deepEqual(await script(sql, 'create temp table t (n int); insert into t values (7); select * from t'), [
      { n: 7 },
    ])
  })

  test('refuses arrays and objects that do not say what they are, before anything is sent', async () => {
    for (const value of [['a'], [1], { a: 1 }] as never[])
      await assert.rejects(sql`select ${value}::text`, /say json\(\), texts\(\) or ints\(\)/)
    await assert.rejects(sql`select ${new Date(Number.NaN)}`, RangeError)
    const many = Array.from({ length: 65_536 }, () => 1)
    await assert.rejects(script(sql, 'select 1', many), /65536 parameters/)
  })

  test('that fails has the code and the constraint, and its connection stays', async () => {
    await withOne(async (one) => {
      const pid = async () => (await one<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid
      const before = await pid()
      await one`create temp table kept (n int constraint kept_once primary key)`
      await one`insert into kept values (1)`
      const isOnce = (error: unknown) =>
        error instanceof DatabaseError && error.code === '23505' && error.constraint === 'kept_once'
      await assert.rejects(one`insert into kept values (1)`, isOnce)
      await assert.rejects(one`select 1 / ${0}::int`, { code: '22012' })
      assert.equal(await pid(), before)
    })
  })
})

describe('values', () => {
  test('come back as they went', async () => {
    const at = new Date('2026-02-28T23:59:59.987Z')
    const bytes = Buffer.from([0, 92, 255])
    const [row] = await sql`select ${at} as at, ${bytes} as bytes, ${2n ** 62n} as large, ${true} as yes,
      ${'ñ \\ "'}::text as text, ${json({ a_b: [1, null] })}::json as some_json, ${null}::text as nothing,
      ${undefined}::int as absent, ${-3}::int as small, ${'10.50'}::numeric as exact`
    assert.deepEqual(row, {
      at,
      bytes,
      large: 2n ** 62n,
      yes: true,
      text: 'ñ \\ "',
      someJson: { a_b: [1, null] },
      nothing: null,
      absent: null,
      small: -3,
      exact: '10.50',
    })
  })

  test('of dates do not depend on where this process runs', async () => {
    const [row] = await sql`select '2026-06-30'::date as day, '2026-06-30 10:00'::timestamp as plain,
      '2026-06-30 10:00:00.123456+02'::timestamptz as exact, '0044-03-15 BC'::date::text as old`
    assert.deepEqual(row, {
      day: new Date('2026-06-30T00:00:00Z'),
      plain: new Date('2026-06-30T10:00:00Z'),
      exact: new Date('2026-06-30T08:00:00.123Z'),
      old: '0044-03-15 BC',
    })
  })

  test('in arrays, both ways', async () => {
    const words = ['', 'a,b', '"', '\\', '{}', 'NULL', null, 'ñ\n']
    const [row] = await sql`select ${texts(words)}::text[] as words, ${ints([1, null, -2])}::int[] as numbers,
      ${ints([2n ** 62n])}::int8[] as large, array[true, false] as flags, ${texts([])}::text[] as nothing,
      array[[1, 2], [3, 4]] as square, array['x'::varchar] as short, array[now()] <> '{}' as filled`
    assert.deepEqual(row, {
      words,
      numbers: [1, null, -2],
      large: [2n ** 62n],
      flags: [true, false],
      nothing: [],
      square: [
        [1, 2],
        [3, 4],
      ],
      short: ['x'],
      filled: true,
    })
  })

  test('of a type that only this database has are refused, not handed over as text', async () => {
    await assert.rejects(sql`select array[5::minor_amount] as amounts`, /column amounts has a type of this database/)
    assert.deepEqual(await sql`select array[5::minor_amount]::int8[] as amounts, 5::minor_amount as amount`, [
      { amounts: [5n], amount: 5n },
    ])
  })

  test('of two tables stand apart, whatever the plan and however their columns are called', async () => {
    const pairs = await readPairs(sql`select 1 as id, 'a' as only_first, true as border, 2 as id`)
    assert.deepEqual(pairs, [{ first: { id: 1, onlyFirst: 'a' }, second: { id: 2 } }])
    await assert.rejects(readPairs(sql`select 1 as id, 2 as id`), /no column of the statement is named border/)
  })
})

describe('a prepared statement', () => {
  const preparedOn = async (one: Sql) =>
    await script<{ statement: string; uses: number }[]>(
      one,
      'select statement, (generic_plans + custom_plans)::int as uses from pg_prepared_statements order by 1',
    )

  test('is prepared once on a connection, under a name that is its own', async () => {
    await withOne(async (one) => {
      for (let n = 0; n < 3; n++) await one`select ${n}::int as n`
      await one`select ${'x'}::text as t`
      assert.deepEqual(await preparedOn(one), [
        { statement: 'select $1::int as n', uses: 3 },
        { statement: 'select $1::text as t', uses: 1 },
      ])
    })
  })

  test('is not made of what is planned for its values', async () => {
    await withOne(async (one) => {
      await one`set plan_cache_mode = force_generic_plan`
      await one`create temp table skewed as select case when n = 1 then 1 else 2 end as kind, n from generate_series(1, 20000) n`
      await one`create index on skewed (kind)`
      await one`analyze skewed`
      const planOf = async (kind: number) =>
        JSON.stringify(await plannedAfresh(one`explain select n from skewed where kind = ${kind}`))
      assert.match(await planOf(1), /Index/)
      assert.match(await planOf(2), /Seq Scan/)
      const kept = await preparedOn(one)
      assert.ok(!kept.some(({ statement }) => statement.includes('skewed where')))
    })
  })

  test('follows its tables when they change, outside of a transaction', async () => {
    await withOne(async (one) => {
      await one`create temp table grows (a int)`
      await one`insert into grows values (1)`
      const read = () => one`select * from grows`
      assert.deepEqual(await read(), [{ a: 1 }])
      await one`alter table grows add b int default 2`
      assert.deepEqual(await read(), [{ a: 1, b: 2 }])
      await one`deallocate all`
      assert.deepEqual(await read(), [{ a: 1, b: 2 }])
    })
  })

  test('that failed the first time works the second', async () => {
    await withOne(async (one) => {
      const divide = (by: number) => one<{ n: number }[]>`select 6 / ${by}::int as n`
      await assert.rejects(divide(0), { code: '22012' })
      assert.deepEqual(await divide(2), [{ n: 3 }])
      assert.deepEqual(await divide(3), [{ n: 2 }])
    })
  })
})

describe('a transaction', () => {
  test('fails with the first error of its statements, even if the work goes on', async () => {
    const work = sql.begin(async (tx) => {
      await tx`insert into sealed_keys (name, sealed) values ('swallowed', ''::bytea)`
      await tx`select 1 / ${0}::int`.catch(() => undefined)
    })
    await assert.rejects(work, { code: '22012' })
    assert.equal((await sql`select 1 from sealed_keys where name = 'swallowed'`).length, 0)
  })

  test('runs what is asked for at once in order, and refuses what comes after the end', async () => {
    let late: (() => PromiseLike<unknown>) | undefined
    const seen = await sql.begin(async (tx) => {
      await tx`create temp table steps (n int generated always as identity, step text) on commit drop`
      late = () => tx`select 1`
      await Promise.all(['a', 'b', 'c'].map((step) => tx`insert into steps (step) values (${step})`))
      return tx<{ step: string }[]>`select step from steps order by n`
    })
    assert.deepEqual(
      seen.map(({ step }) => step),
      ['a', 'b', 'c'],
    )
    await assert.rejects(async () => late?.(), ConnectionError)
  })

  test('that nobody ended does not come back into the pool', async () => {
    await withOne(async (one) => {
      const pid = async () => (await one<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid
      const before = await pid()
      assert.equal(await pid(), before)
      await one`begin`
      assert.notEqual(await pid(), before)
    })
  })
})

describe('a pool', () => {
  test('gives connections in the order in which they were asked for, and lets work finish when it ends', async () => {
    const small = openOwner(database.url, 2)
    const done: number[] = []
    const work = Array.from({ length: 10 }, async (_, n) => {
      await small`select pg_sleep(0.01)`
      done.push(n)
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    await small.end()
    await Promise.all(work)
    assert.deepEqual(
      [...done].sort((a, b) => a - b),
      Array.from({ length: 10 }, (_, n) => n),
    )
    await assert.rejects(small`select 1`, { code: 'CONNECTION_ENDED' })
  })

  test('does not wait for work that does not finish in time', async () => {
    const small = openOwner(database.url, 1)
    const work = [small`select pg_sleep(60)`, small`select 1`].map((statement) => statement.catch(errorCode))
    await new Promise((resolve) => setTimeout(resolve, 100))
    const began = performance.now()
    await small.end({ timeout: 0.2 })
    assert.deepEqual(await Promise.all(work), ['CONNECTION_CLOSED', 'CONNECTION_ENDED'])
    assert.ok(performance.now() - began < 5_000)
  })

  test('fails at once what waits for a database that is not there', async () => {
    const nowhere = openPool('postgres://x:y@127.0.0.1:1/z', { max: 2, applicationName: 'test' })
    const asked = Array.from({ length: 20 }, () => nowhere`select 1`.catch(errorCode))
    assert.deepEqual(new Set(await Promise.all(asked)), new Set(['ECONNREFUSED']))
    await nowhere.end()
  })

  test('hears notifications, also after its connection was lost', async () => {
    let heard = 0
    const wait = async (count: number) => {
      for (const until = Date.now() + 10_000; heard < count && Date.now() < until; )
        await new Promise((resolve) => setTimeout(resolve, 10))
      assert.ok(heard >= count, `heard ${heard}`)
    }
    const listening = openPool(database.url, { max: 1, applicationName: 'listens', asApplication: false })
    await listening.listen('a_channel', () => heard++)
    await sql`select pg_notify('a_channel', '')`
    await wait(1)
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listens'`
    await wait(2)
    await sql`select pg_notify('a_channel', '')`
    await wait(3)
    await listening.end()
  })
})
