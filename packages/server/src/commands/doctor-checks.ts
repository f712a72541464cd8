/** What the doctor looks at: one function per row of its report. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { parseDatabaseUrl } from '@pasarela/sql'
import { openTokens } from '../access/tokens.ts'
import { findWrongTotals } from '../checkout-sessions/checks.ts'
import { applicationRole } from '../kit/application-role.ts'
import { openPool, type Sql } from '../kit/db.ts'
import { describeGrants, findWrongGrants } from '../kit/grants.ts'
import { readMigrationState } from '../kit/migrate.ts'
import { postgresMajorMin } from '../kit/reach-database.ts'
import { ledgerFaults } from '../ledger/balances.ts'
import type { Config } from '../platform/config.ts'
import { masterKeyOf } from './master-key.ts'
import { type Counted, findStuckRows } from './stuck-rows.ts'

/** `note` = worth knowing, not wrong. */
export type Finding = { is: 'ok' | 'note' | 'bad'; says: string }
/** `served`: a server may be at work, so that overdue rows mean something. */
export type Patient = { config: Config; url: string; sql: Sql; served: boolean }

/** How far the database's clock may be from ours: tokens and expiries are judged by both. */
const skewMaxMs = 2_000

const ok = (says: string): Finding => ({ is: 'ok', says })
const note = (says: string): Finding => ({ is: 'note', says })
const bad = (says: string): Finding => ({ is: 'bad', says })

export const configurationChecks: Readonly<Record<string, (config: Config) => Finding>> = {
  configuration: (config) => {
    const { publicUrl } = config
    if (publicUrl && !publicUrl.startsWith('https:') && !/^http:\/\/(localhost|127\.|\[::1\])/.test(publicUrl)) {
      return bad(`--public-url is ${publicUrl}: payers need https`)
    }
    return ok(
      publicUrl ? `payers reach us at ${publicUrl}` : 'complete; without --public-url only this machine can pay',
    )
  },
  'database url': ({ databaseUrl }) => {
    const warnings = databaseUrl ? parseDatabaseUrl(databaseUrl).warnings : []
    return warnings.length === 0 ? ok('every parameter has its meaning') : note(warnings.join(' '))
  },
  'private files': ({ dataDir }) => {
    const open = ['', 'master.key', 'sandbox.json', 'postgres'].filter((name) => {
      const found = statSync(join(dataDir, name), { throwIfNoEntry: false })
      return found !== undefined && (found.mode & 0o077) !== 0
    })
    if (open.length > 0)
      return bad(`others can read ${open.map((name) => join(dataDir, name)).join(', ')}: run chmod go= on it`)
    return ok('nobody else can read them')
  },
}

export const databaseChecks: Readonly<Record<string, (patient: Patient) => Promise<Finding>>> = {
  version: async ({ sql }) => {
    const [row] = await sql<{ major: number; text: string }[]>`
      select current_setting('server_version_num')::int / 10000 as major, current_setting('server_version') as text`
    const says = `Postgres ${row?.text}`
    return (row?.major ?? 0) >= postgresMajorMin ? ok(says) : bad(`${says}; ${postgresMajorMin} or newer is needed`)
  },
  durability: async ({ sql }) => {
    const rows = await sql<{ name: string; setting: string }[]>`
      select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes') order by name`
    const off = rows.filter((row) => row.setting !== 'on')
    const says = rows.map((row) => `${row.name}=${row.setting}`).join(', ')
    return off.length === 0 ? ok(says) : bad(`${says}: an answer of 2xx could be lost in a power cut`)
  },
  migrations: async ({ sql }) => {
    const { applied, pending } = await readMigrationState(sql)
    if (pending.length === 0) return ok(`${applied} ran, none is pending`)
    return bad(`${pending.length} pending (${pending.join(', ')}): run pasarela migrate`)
  },
  grants: async ({ url }) => {
    // Looked at by a connection such as the application's: what is wrong with its role shows in no other.
    const app = openPool(url, { max: 1, applicationName: 'pasarela doctor' })
    try {
      const [row] = await app<{ role: string }[]>`select current_user::text as role`
      const role = row?.role ?? ''
      if (role !== applicationRole)
        return bad(`connections work as ${role}, not as ${applicationRole}: does a pooler drop start-up parameters?`)
      const wrong = await findWrongGrants(app, role)
      if (wrong.length === 0) return ok('the application can do its work, and cannot rewrite the ledger or the events')
      return bad(`the application has wrong rights on ${describeGrants(wrong)}: run pasarela migrate`)
    } finally {
      await app.end({ timeout: 1 })
    }
  },
  'master key': async ({ config, sql }) => {
    const [row] = await sql<{ keys: number }[]>`select count(*)::int as keys from sealed_keys`
    if (row?.keys === 0) return note('nothing is sealed yet; the first pasarela start makes the keys')
    await openTokens(sql, masterKeyOf(config))
    return ok('opens the sealed keys')
  },
  clock: async ({ sql }) => {
    const before = Date.now()
    const [row] = await sql<{ ms: bigint }[]>`select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms`
    const after = Date.now()
    const skewMs = Math.round(Number(row?.ms ?? 0n) - (before + after) / 2)
    const says = `the database is ${Math.abs(skewMs)} ms ${skewMs < 0 ? 'behind' : 'ahead of'} this process`
    return Math.abs(skewMs) <= skewMaxMs ? ok(says) : bad(`${says}: correct the clocks`)
  },
  'stuck rows': async ({ sql, served }) => {
    const { stuck, waiting } = await findStuckRows(sql)
    const listed = (rows: Counted[]) => rows.map((row) => `${row.rows} ${row.what}`).join(', ')
    if (stuck.length > 0)
      return served
        ? bad(`${listed(stuck)}: is a server at work?`)
        : note(`${listed(stuck)}; the next start works them off`)
    return waiting.length === 0 ? ok('none') : note(`none; these wait for a decision: ${listed(waiting)}`)
  },
  'session counts': async ({ sql }) => {
    const faults = await findWrongTotals(sql)
    if (faults.length === 0) return ok('the totals of lists agree with the sessions')
    const shown = faults.slice(0, 5).map((fault) => `merchant ${fault.merchantId} ${fault.subject}: ${fault.fault}`)
    return bad(`${faults.length} differ: ${shown.join('; ')}`)
  },
  ledger: async ({ sql }) => {
    const faults = await ledgerFaults(sql)
    if (faults.length === 0) return ok('debits and credits agree, balances agree with postings')
    const shown = faults.slice(0, 5).map((fault) => `merchant ${fault.merchantId} ${fault.subject} ${fault.fault}`)
    return bad(`${faults.length} faults: ${shown.join('; ')}`)
  },
}
