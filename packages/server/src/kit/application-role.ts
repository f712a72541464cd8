/** The role that the application works as. It owns nothing; the login of the database URL needs the right to set it. */

import { script } from '@pasarela/sql'
import { errorCode, OperatorError } from '@pasarela/sql/operator-error'
import type { Executor } from './db.ts'

export const applicationRole = 'pasarela_app'

/** Several databases of one cluster may create the role, or grant it, at the same moment; the loser looks again. */
const attemptsMax = 5
/** duplicate_object, unique_violation, and "tuple concurrently updated", which Postgres reports as an internal error. */
const lostRaces = ['42710', '23505', 'XX000']
const insufficientPrivilege = '42501'

type RoleState = {
  /** Who may `set role`: the login, even where its default is to work as another role. */
  login: string
  exists: boolean
  usable: boolean
  major: number
  /** Logins that may grant the role, besides superusers. */
  admins: string[]
}

/**
 * Makes sure that the role exists and that this login may work as it. Since Postgres 16 a login that creates a role may grant
 * it but not set it, unless it grants itself that right. Throws an OperatorError with the SQL for an administrator.
 */
export async function ensureApplicationRole(sql: Executor): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const state = await readRoleState(sql)
    if (state.usable) return
    try {
      await script(sql, state.exists ? grantOf(state) : `create role ${applicationRole} nologin`)
    } catch (error) {
      const code = errorCode(error) ?? ''
      if (code === insufficientPrivilege) throw unusable(state)
      if (!lostRaces.includes(code) || attempt === attemptsMax) throw error
    }
  }
}

/** Whether this login may work as the role. */
export async function isApplicationRoleUsable(sql: Executor): Promise<boolean> {
  const { usable } = await readRoleState(sql)
  return usable
}

async function readRoleState(sql: Executor): Promise<RoleState> {
  const [state] = await sql<RoleState[]>`
    select session_user::text as login, r.oid is not null as exists, v.major,
      coalesce(pg_has_role(session_user, r.oid, case when v.major >= 16 then 'set' else 'member' end), false) as usable,
      array(select m.member::regrole::text from pg_auth_members m
        where m.roleid = r.oid and m.admin_option order by 1) as admins
    from (select current_setting('server_version_num')::int / 10000 as major) v
    left join pg_roles r on r.rolname = ${applicationRole}`
  if (!state) throw new Error('the catalogue did not answer')
  return state
}

/** The login needs to become the role, not to have its rights while it works as itself. */
function grantOf({ login, major }: RoleState): string {
  const options = major >= 16 ? ' with set true, inherit false' : ''
  return `grant ${applicationRole} to ${quoteIdentifier(login)}${options}`
}

function unusable(state: RoleState): OperatorError {
  const { login, exists, admins } = state
  const sql = [...(exists ? [] : [`create role ${applicationRole} nologin`]), grantOf(state)].join('; ')
  const problem = exists
    ? `may neither work as the role ${applicationRole} nor grant itself that right`
    : `may not create the role ${applicationRole}, which the application works as`
  const who = ['a superuser', ...admins.filter((name) => name !== login)].join(' or ')
  return new OperatorError(`The database login ${quoteIdentifier(login)} ${problem}. Ask ${who} to run once: ${sql};`)
}

function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
