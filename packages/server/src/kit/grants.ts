/** The rights of the application's role: compared with the list, and set anew where they differ. */

import { script } from '@pasarela/sql'
import { OperatorError } from '@pasarela/sql/operator-error'
import { grants } from '../vocabulary/grants.ts'
import { applicationRole } from './application-role.ts'
import type { Executor } from './db.ts'

export type WrongGrant = {
  /** A table's name, or `schema public`. */
  object: string
  owner: string
  /** Whether this login may change the rights: it owns the object, or is a member of the role that does. */
  ours: boolean
  has: string
  needs: string
}

/** How many tables a sentence names. */
const namedMax = 3

/**
 * Where `role` has other rights than the list says. Rights count wherever they come from: grants to the role, to everybody or
 * to a role it is in, ownership, superuser.
 */
export async function findWrongGrants(sql: Executor, role = applicationRole): Promise<WrongGrant[]> {
  const rows = await sql<Omit<WrongGrant, 'needs'>[]>`
    select c.relname as object, pg_get_userbyid(c.relowner) as owner, pg_has_role(c.relowner, 'usage') as ours,
      coalesce(string_agg(p.name || held.columns, ', ' order by p.name), '') as has
    from pg_class c
    cross join unnest(array['delete', 'insert', 'ownership', 'references', 'select', 'trigger', 'truncate', 'update'])
      as p (name)
    left join lateral (
      select '' as columns
      where case p.name when 'ownership' then pg_has_role(${role}, c.relowner, 'member')
        else has_table_privilege(${role}, c.oid, p.name) end
      union all
      select ' (' || string_agg(quote_ident(a.attname), ', ' order by a.attnum) || ')'
      from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        and case when p.name in ('insert', 'references', 'select', 'update')
          then not has_table_privilege(${role}, c.oid, p.name) and has_column_privilege(${role}, c.oid, a.attnum, p.name) end
    ) held on held.columns is not null
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    group by c.oid, c.relname, c.relowner
    union all
    select 'schema public', pg_get_userbyid(nspowner), pg_has_role(nspowner, 'usage'),
      case when has_schema_privilege(${role}, oid, 'usage') then 'usage' else '' end
    from pg_namespace where nspname = 'public'
    order by object`
  return rows.flatMap((row) => {
    const needs = row.object === 'schema public' ? 'usage' : grants[row.object]
    return needs === undefined || needs === row.has ? [] : [{ ...row, needs }]
  })
}

/** Sets the rights that differ, in the caller's transaction, and resolves with what they were on. Throws an OperatorError where it cannot. */
export async function repairGrants(tx: Executor): Promise<string[]> {
  const wrong = await findWrongGrants(tx)
  const foreign = wrong.filter((grant) => !grant.ours)
  if (foreign.length > 0) throw notOurs(foreign)
  for (const { object, needs } of wrong) {
    await script(
      tx,
      `revoke all on ${object} from ${applicationRole}; grant ${needs} on ${object} to ${applicationRole}`,
    )
  }
  const left = await findWrongGrants(tx)
  if (left.length > 0) throw tooPowerful(left)
  return wrong.map(({ object }) => object)
}

/** The first few, for a sentence. */
export function describeGrants(wrong: WrongGrant[]): string {
  const named = wrong
    .slice(0, namedMax)
    .map(({ object, has, needs }) => `${object} (${has || 'none'}; it needs ${needs})`)
  const more = wrong.length - named.length
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

function notOurs(wrong: WrongGrant[]): OperatorError {
  const owners = [...new Set(wrong.map(({ owner }) => `"${owner}"`))].join(' and ')
  return new OperatorError(
    `The role ${applicationRole} has wrong rights on ${describeGrants(wrong)}, and this login does not own them. ` +
      `Run pasarela migrate once with the login of ${owners}.`,
  )
}

function tooPowerful(wrong: WrongGrant[]): OperatorError {
  return new OperatorError(
    `The role ${applicationRole} keeps wrong rights on ${describeGrants(wrong)}. It must be no superuser, own no table and be in ` +
      'no role that has more rights, and PUBLIC must have none on these tables.',
  )
}
