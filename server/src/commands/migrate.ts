/** `pasarela migrate`: brings the database to the newest schema, and with --distributed its tables to their nodes. */
import { openPool, type Sql, transaction } from '../kit/db.ts'
import { migrate } from '../kit/migrate.ts'
import { OperatorError } from '../kit/operator-error.ts'
import type { Call } from './command.ts'
import { withDatabase } from './database.ts'
import { distributionPlan, kindOf, readCatalogue } from './distribution.ts'

export async function run({ config, name, values }: Call): Promise<void> {
  await withDatabase(config, name, async ({ url }) => {
    // Asked before anything is done: without Citus nothing changes, not even the schema.
    if (values.distributed) await withOwner(url, refuseWithoutCitus)
    const ran = await migrate(url)
    console.log(
      ran.length === 0 ? 'The database has the newest schema already.' : `Ran ${ran.length}: ${ran.join(', ')}.`,
    )
    if (values.distributed) await withOwner(url, distributeTables)
  })
}

async function withOwner<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  // Moving rows to their nodes takes as long as it takes.
  const sql = openPool(url, {
    max: 1,
    applicationName: 'pasarela migrate',
    asApplication: false,
    statementTimeoutMs: 0,
  })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

async function refuseWithoutCitus(sql: Sql): Promise<void> {
  const found = await sql`select 1 from pg_extension where extname = 'citus'`
  if (found.length > 0) return
  throw new OperatorError(
    'This database has no Citus extension, so there is nothing to distribute to. Nothing was changed. ' +
      'Install Citus on every node, run "create extension citus", add the nodes, and call this again; see docs/scaling.md.',
  )
}

/** Everything or nothing: one transaction. */
async function distributeTables(sql: Sql): Promise<void> {
  const plan = distributionPlan(await readCatalogue(sql, true))
  if (plan.length === 0) return console.log('Every table is in its place already.')
  await transaction(sql, async (tx) => {
    for (const statement of plan) {
      console.log(statement)
      await tx.unsafe(statement)
    }
  })
  const { placed } = await readCatalogue(sql, true)
  const count = (kind: string) => placed.filter((table) => kindOf(table) === kind).length
  console.log(`${count('distributed')} tables are distributed by merchant_id, ${count('reference')} are on every node.`)
}
