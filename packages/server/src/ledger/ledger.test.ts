/** The ledger on a real Postgres: entries once, balances of one moment, folding beside inserts, history that stays. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type FreshDatabase, freshDatabase } from '../../test/database.ts'
import { postEntry } from '../../test/post-entry.ts'
import { brokenConstraint, openPool, type Sql, transaction } from '../kit/db.ts'
import { newId } from '../kit/id.ts'
import { balancesOf, ledgerFaults } from './balances.ts'
import { entryKinds } from './entry.ts'
import { mirrored, type Posting, paidPostings, settledPostings } from './posting.ts'
import { foldDeltas } from './store.ts'

let database: FreshDatabase
let sql: Sql
const now = new Date('2026-01-05T12:00:00Z')

before(async () => {
  database = await freshDatabase()
  sql = openPool(database.url, { max: 12, applicationName: 'ledger test' })
})

after(async () => {
  await sql.end()
  await database.drop()
})

const newAccount = () => ({ id: newId('account', now.getTime()), currency: 'CLP' as const })
const newPayment = () => newId('payment', now.getTime())

function paid(accountId: string, gross: bigint, fee = 0n): Posting[] {
  const money = { minor: gross, currency: 'CLP' as const }
  return paidPostings({ rail: 'WEBPAY', purchase: money, gross: money, destinations: [{ accountId, gross, fee }] })
}

async function count(table: string): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`select count(*)::int as rows from ${sql(table)}`
  return row?.rows ?? 0
}

describe('posting an entry', () => {
  test('changes pending by gross less fee, and settling makes it available', async () => {
    const account = newAccount()
    const sourceId = newPayment()
    const entry = { merchantId: 1, sourceId, now }
    await postEntry(sql, { ...entry, kind: 'paid', postings: paid(account.id, 1000n, 29n) })
    assert.deepEqual((await balancesOf(sql, 1, [account])).get(account.id), { balance: 971n, available: 0n })
    const settled = settledPostings({
      currency: 'CLP',
      destinations: [{ accountId: account.id, gross: 1000n, fee: 29n }],
    })
    await postEntry(sql, { ...entry, kind: 'settled', postings: settled })
    assert.deepEqual((await balancesOf(sql, 1, [account])).get(account.id), { balance: 971n, available: 971n })
    assert.deepEqual(
      (await balancesOf(sql, 2, [account])).get(account.id),
      { balance: 0n, available: 0n },
      'of another merchant',
    )
  })

  test('happens once per source and kind, however many try at once', async () => {
    const account = newAccount()
    const entry = {
      merchantId: 1,
      kind: 'paid',
      sourceId: newPayment(),
      postings: paid(account.id, 500n),
      now,
    } as const
    const done = await Promise.allSettled(Array.from({ length: 12 }, () => postEntry(sql, entry)))
    assert.equal(done.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const one of done)
      if (one.status === 'rejected') assert.equal(brokenConstraint(one.reason), 'ledger_entries_once')
    assert.deepEqual((await balancesOf(sql, 1, [account])).get(account.id)?.balance, 500n)
  })

  test('is wholly undone with its transaction', async () => {
    const before = [await count('ledger_entries'), await count('ledger_postings'), await count('balance_deltas')]
    const failing = transaction(sql, async (tx) => {
      await postEntry(tx, {
        merchantId: 1,
        kind: 'paid',
        sourceId: newPayment(),
        postings: paid(newAccount().id, 5n),
        now,
      })
      throw new Error('the state did not change after all')
    })
    await assert.rejects(failing, /after all/)
    assert.deepEqual(
      [await count('ledger_entries'), await count('ledger_postings'), await count('balance_deltas')],
      before,
    )
  })

  test('refuses an entry that moves nothing', () => {
    return assert.rejects(
      postEntry(sql, { merchantId: 1, kind: 'settled', sourceId: newPayment(), postings: [], now }),
      RangeError,
    )
  })

  test('knows the same kinds as the database', async () => {
    const [check] = await sql<{ definition: string }[]>`
      select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'ledger_entries_kind'`
    const listed = [...(check?.definition.matchAll(/'(\w+)'/g) ?? [])].map((match) => match[1])
    assert.deepEqual(listed, [...entryKinds])
  })
})

describe('the database', () => {
  const refused = async (statement: Promise<unknown>, code: RegExp) =>
    assert.rejects(statement, (error: { code?: string }) => code.test(error.code ?? ''))

  test('lets nobody rewrite history', async () => {
    await refused(sql`update ledger_postings set amount_minor = 1`, /^42501$/)
    await refused(sql`delete from ledger_entries`, /^42501$/)
    await refused(sql`delete from balance_totals`, /^42501$/)
  })

  test('refuses a posting of two currencies, of nothing, or to itself', async () => {
    const entry = newId('entry', now.getTime())
    await sql`insert into ledger_entries values (1, ${entry}, 'paid', ${newPayment()}, ${now})`
    const post = (debit: string, credit: string, amount: number) =>
      sql`insert into ledger_postings values (1, ${entry}, 1, ${debit}, ${credit}, 'CLP', ${amount})`
    await refused(post('exchange:CLP', 'exchange:BRL', 1), /^23514$/)
    await refused(post('clearing:PIX:BRL', 'exchange:BRL', 1), /^23514$/)
    await refused(post('exchange:CLP', 'fees:CLP', 0), /^23514$/)
    await refused(post('exchange:CLP', 'exchange:CLP', 1), /^23514$/)
    await post('exchange:CLP', 'fees:CLP', 1)
  })
})

describe('folding', () => {
  test('keeps balances as they are, and the sums right', async () => {
    const account = newAccount()
    for (let i = 1n; i <= 5n; i += 1n) {
      await postEntry(sql, {
        merchantId: 7,
        kind: 'paid',
        sourceId: newPayment(),
        postings: paid(account.id, i * 100n),
        now,
      })
    }
    while ((await foldDeltas(sql, 2)) > 0);
    assert.equal(await count('balance_deltas'), 0)
    assert.deepEqual((await balancesOf(sql, 7, [account])).get(account.id)?.balance, 1500n)
    assert.deepEqual(await ledgerFaults(sql), [])
  })

  test('does not lose what commits after a later round has passed', async () => {
    const account = newAccount()
    const late = Promise.withResolvers<void>()
    const inserted = Promise.withResolvers<void>()
    const lateEntry = {
      merchantId: 8,
      kind: 'paid',
      sourceId: newPayment(),
      postings: paid(account.id, 7n),
      now,
    } as const
    const open = transaction(sql, async (tx) => {
      await postEntry(tx, lateEntry)
      inserted.resolve()
      await late.promise
    })
    await inserted.promise
    await postEntry(sql, { merchantId: 8, kind: 'paid', sourceId: newPayment(), postings: paid(account.id, 90n), now })
    while ((await foldDeltas(sql, 100)) > 0);
    assert.equal((await balancesOf(sql, 8, [account])).get(account.id)?.balance, 90n)
    late.resolve()
    await open
    assert.equal((await balancesOf(sql, 8, [account])).get(account.id)?.balance, 97n)
    while ((await foldDeltas(sql, 100)) > 0);
    assert.equal((await balancesOf(sql, 8, [account])).get(account.id)?.balance, 97n)
  })

  test('is never seen half done', async () => {
    const account = newAccount()
    for (let i = 0; i < 80; i += 1) {
      await postEntry(sql, { merchantId: 6, kind: 'paid', sourceId: newPayment(), postings: paid(account.id, 3n), now })
    }
    let folding = true
    const read = async () => {
      const seen = new Set<bigint | undefined>()
      while (folding) seen.add((await balancesOf(sql, 6, [account])).get(account.id)?.balance)
      return [...seen]
    }
    const readers = [read(), read(), read()]
    const fold = async () => {
      while ((await foldDeltas(sql, 1)) > 0);
    }
    await Promise.all([fold(), fold()])
    folding = false
    assert.deepEqual(await Promise.all(readers), [[240n], [240n], [240n]])
  })

  test('by several processes beside inserts loses nothing', async () => {
    const accounts = [newAccount(), newAccount(), newAccount()]
    const [first] = accounts
    assert.ok(first)
    let posting = true
    const post = async (worker: number) => {
      for (let i = 0; i < 60; i += 1) {
        const to = accounts[(i + worker) % accounts.length] ?? first
        const sourceId = newPayment()
        const postings = paid(to.id, 10n)
        await postEntry(sql, { merchantId: 9, kind: 'paid', sourceId, postings, now })
        if (i % 3 === 0)
          await postEntry(sql, { merchantId: 9, kind: 'reversed', sourceId, postings: mirrored(postings), now })
      }
    }
    const fold = async () => {
      while (posting || (await count('balance_deltas')) > 0) await foldDeltas(sql, 17)
    }
    const folders = [fold(), fold(), fold()]
    await Promise.all([post(0), post(1), post(2)]).finally(() => {
      posting = false
    })
    await Promise.all(folders)
    const sums = await balancesOf(sql, 9, accounts)
    assert.equal(
      [...sums.values()].reduce((sum, { balance }) => sum + balance, 0n),
      3n * 40n * 10n,
    )
    assert.deepEqual(await ledgerFaults(sql), [])
  })
})

describe('the faults of the ledger', () => {
  test('name a total that no posting explains, and money that is not there', async () => {
    const owner = openPool(database.url, { max: 1, applicationName: 'vandal', asApplication: false })
    const account = newAccount()
    const entry = newId('entry', now.getTime())
    try {
      await owner`insert into balance_totals values (3, ${`available:${account.id}:CLP`}, 5)`
      await owner`insert into ledger_entries values (3, ${entry}, 'paid', ${newPayment()}, ${now})`
      const named = (await ledgerFaults(sql)).map(
        ({ merchantId, subject, fault }) => `${merchantId} ${subject} ${fault}`,
      )
      assert.deepEqual(named, [
        `3 ${entry} is an entry without postings`,
        `3 available:${account.id}:CLP postings say 0, balances say 5`,
      ])
      await owner`delete from balance_totals where merchant_id = 3`
      await owner`insert into ledger_postings values (3, ${entry}, 1, ${`available:${account.id}:CLP`}, 'fees:CLP', 'CLP', 5)`
      const below = (await ledgerFaults(sql)).map(({ fault }) => fault)
      assert.deepEqual(below, ['is below zero: -5', 'postings say -5, balances say 0'])
    } finally {
      await owner.end()
    }
  })
})
