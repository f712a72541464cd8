/** Counters of a database that counted pairs of accounts: the same totals after the migration. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { emptyDatabase } from '../../test/database.ts'
import { openPool } from '../kit/db.ts'
import { listMigrations, migrate } from '../kit/migrate.ts'
import { countSessions } from './counts-store.ts'

test('pairs of accounts become sets, and a filter by several accounts counts each session once', async () => {
  const database = await emptyDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'pasarela-upgrade-'))
  for (const { file, name } of listMigrations()) {
    if (name === 'lists_with_fewer_indexes') break
    copyFileSync(file, join(folder, basename(file)))
  }
  await migrate(database.url, folder)
  const sql = openPool(database.url, { max: 2, applicationName: 'test', asApplication: false })
  try {
    // Three sessions pay {a,b}, five {a,b,c} and seven {c}, as they were counted then, for every day and for one.
    for (const day of [-1, 20_000]) {
      await sql`
        insert into checkout_session_totals (merchant_id, owner_identity_id, account_number, status, created_day, sessions)
        select 1, '', t.account, 'FINISHED', ${day}, t.sessions
        from (values ('', 15), ('a', 8), ('b', 8), ('c', 12)) as t (account, sessions)`
      await sql`
        insert into checkout_session_pair_totals
          (merchant_id, owner_identity_id, first_account, second_account, status, created_day, account_numbers, sessions)
        select 1, '', t.first, t.second, 'FINISHED', ${day}, t.accounts::text[], t.sessions
        from (values ('a', 'b', '{a,b}', 3), ('a', 'b', '{a,b,c}', 5), ('a', 'c', '{a,b,c}', 5), ('b', 'c', '{a,b,c}', 5))
          as t (first, second, accounts, sessions)`
    }
    await sql`
      insert into checkout_session_deltas (merchant_id, created_day, owner_identity_id, account_numbers, status, change)
      values (1, 20000, 'idn_01k9v3m5x8e2wvq0c7d4n6t1ab', '{a,b}', 'FINISHED', 0)`
    await migrate(database.url)
    const count = (accounts: string[], day?: number) =>
      countSessions(sql, {
        merchantId: 1,
        owners: undefined,
        accounts,
        statuses: ['FINISHED'],
        fromDay: day,
        untilDay: day,
      })
    for (const day of [undefined, 20_000]) {
      assert.equal(await count(['a'], day), 8)
      assert.equal(await count(['a', 'b'], day), 8)
      assert.equal(await count(['b', 'c'], day), 15)
      assert.equal(await count(['c', 'b', 'a'], day), 15)
    }
    assert.equal(await count(['a', 'b'], 20_001), 0)
  } finally {
    await sql.end()
    await database.drop()
    rmSync(folder, { recursive: true })
  }
})
