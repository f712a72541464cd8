/** What a statement does to the rows of merchants, as the planner understands it. */

import { ints, script } from '@pasarela/sql'
import type { Sql } from '../src/kit/db.ts'

type Plan = { 'Node Type': string; 'Relation Name'?: string; Alias?: string; Plans?: Plan[] } & Record<string, unknown>

/**
 * The tables among `tables` whose rows a statement may reach without knowing their merchant: neither a parameter, nor a row
 * at hand, nor another table that is held by one says which merchant's they are. The pool must make generic plans.
 */
export async function crossedTables(
  sql: Sql,
  { text, types }: { text: string; types: readonly number[] },
  tables: readonly string[],
): Promise<string[]> {
  const plan = await explain(sql, text, types)
  if (!plan) return []
  const scans = new Map<string, string>()
  const named: [string, string][] = []
  visit(plan, (node) => {
    const { Alias: alias, 'Relation Name': table } = node
    if (alias && table && node['Node Type'] !== 'ModifyTable' && tables.includes(table)) scans.set(alias, table)
    for (const [name, value] of Object.entries(node)) {
      if (/Cond$|Filter$/.test(name) && typeof value === 'string') named.push(...equalities(value))
    }
  })
  const held = new Set(named.filter(([, other]) => !scans.has(other)).map(([alias]) => alias))
  for (let before = -1; before !== held.size; ) {
    before = held.size
    for (const [alias, other] of named) if (held.has(other)) held.add(alias)
  }
  return [...scans].filter(([alias]) => !held.has(alias)).map(([, table]) => table)
}

function visit(plan: Plan, see: (node: Plan) => void): void {
  see(plan)
  for (const child of plan.Plans ?? []) visit(child, see)
}

/** Pairs of what a condition holds equal: the alias whose `merchant_id` it is, and the alias or value on the other side. */
function equalities(condition: string): [string, string][] {
  // What stands beside an OR holds nothing by itself.
  const sure = condition.split(' AND ').filter((part) => !part.includes(' OR '))
  return sure.flatMap((part) => {
    const pairs: [string, string][] = []
    for (const match of part.matchAll(/(\w+)\.merchant_id = (?:\(*(\w+)\.merchant_id|(\S+))/g)) {
      const [, left = '', right, value] = match
      pairs.push([left, right ?? `value ${value}`])
      if (right) pairs.push([right, left])
    }
    return pairs
  })
}

/** The generic plan, with names in full; undefined for what has none. */
async function explain(sql: Sql, text: string, types: readonly number[]): Promise<Plan | undefined> {
  const names = await sql<{ name: string }[]>`
    select case when oid = 0 then 'unknown' else format_type(oid, null) end as name
    from unnest(${ints(types)}::int[]) with ordinality as t (oid, place) order by place`
  const list = names.length > 0 ? `(${names.map((row) => row.name).join(', ')})` : ''
  const nulls = names.length > 0 ? `(${names.map(() => 'null').join(', ')})` : ''
  await script(sql, `prepare asked ${list} as ${text}`)
  try {
    const [row] = await script<{ 'QUERY PLAN': [{ Plan: Plan }] }[]>(
      sql,
      `explain (verbose, format json) execute asked ${nulls}`,
    )
    return row?.['QUERY PLAN'][0].Plan
  } finally {
    await script(sql, 'deallocate asked')
  }
}
