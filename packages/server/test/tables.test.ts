/** The tables that say what may happen agree with each other, with the database and with the documentation. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { Sql } from '@pasarela/sql'
import { edge, type Machine, next, type Table } from '../src/kit/machine.ts'
import { Problem } from '../src/kit/problem.ts'
import { machines } from '../src/machines.ts'
import { type FreshDatabase, freshDatabase, openOwner } from './database.ts'
import { drawing } from './generated.ts'

/** A machine as text: what the tests below walk. */
const walked = machines.map(({ machine, page, table }) => ({
  machine: machine as unknown as Machine<Table>,
  page,
  table,
}))

let database: FreshDatabase
let sql: Sql
before(async () => {
  database = await freshDatabase()
  sql = openOwner(database.url, 1)
})
after(async () => {
  await sql.end()
  await database.drop()
})

for (const { machine, page } of walked) {
  describe(`the ${machine.noun}`, () => {
    test('every status × every event leads where the table says, or is refused', () => {
      let legal = 0
      for (const status of machine.statuses) {
        for (const event of machine.events) {
          const to = machine.table[status]?.[event]
          assert.equal(edge(machine, status, event), to)
          if (to !== undefined) {
            legal++
            assert.equal(next(machine, status, event), to)
            continue
          }
          assert.throws(
            () => next(machine, status, event),
            (error) => error instanceof Problem && error.key === 'failedPrecondition' && error.message.includes(status),
          )
        }
      }
      assert.equal(legal, Object.values(machine.table).flatMap(Object.keys).length)
    })

    test('every status can be reached, and from every status an end', () => {
      const reached = reachable(machine.table, machine.initial)
      assert.deepEqual([...reached].sort(), [...machine.statuses].sort())
      const ends = machine.statuses.filter((status) => Object.keys(machine.table[status] ?? {}).length === 0)
      assert.ok(ends.length > 0)
      for (const status of machine.statuses)
        assert.ok(
          [...reachable(machine.table, status)].some((other) => ends.includes(other)),
          `${status} never ends`,
        )
    })

    test(`docs/states/${page}.md is drawn from it; \`npm run generate\` renews it`, () => {
      const committed = readFileSync(new URL(`../../../docs/states/${page}.md`, import.meta.url), 'utf8')
      assert.equal(committed, drawing(machine))
    })
  })
}

function reachable(table: Table, from: string, seen = new Set<string>()): Set<string> {
  if (seen.has(from)) return seen
  seen.add(from)
  for (const to of Object.values(table[from] ?? {})) reachable(table, to, seen)
  return seen
}

test('the CHECK of every status column lists the statuses of its machines', async () => {
  for (const table of new Set(walked.map((entry) => entry.table))) {
    const [check] = await sql<{ definition: string }[]>`
      select pg_get_constraintdef(oid) as definition from pg_constraint
      where conrelid = ${table}::regclass and conname = ${`${table}_status`}`
    const listed = [...(check?.definition ?? '').matchAll(/'([A-Z_]+)'/g)].map((match) => match[1])
    const statuses = walked.filter((entry) => entry.table === table).flatMap((entry) => entry.machine.statuses)
    assert.deepEqual(listed.sort(), [...new Set(statuses)].sort(), table)
  }
})
