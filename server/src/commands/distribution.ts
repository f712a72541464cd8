/**
 * How the tables lie on a database of several nodes (Citus): distributed by `merchant_id` unless they are named here, and
 * the statements that bring them there. Says nothing of whether Citus is there.
 */
import type { Executor } from '../kit/db.ts'
import { schemaTable } from '../kit/migrate.ts'

/** `reference`: whole on every node. `local`: on the node that clients are connected to, and nowhere else. */
export type TableKind = 'distributed' | 'reference' | 'local'

/** THE LIST of tables that are not split by merchant, and why. Every other table has `merchant_id` first in all its keys. */
export const undistributed: Readonly<Record<string, { kind: Exclude<TableKind, 'distributed'>; why: string }>> = {
  merchants: { kind: 'reference', why: 'the root of isolation: its id is the merchant' },
  api_clients: {
    kind: 'reference',
    why: 'an API key and a clientId tell the merchant, so both are unique over all merchants',
  },
  connections: {
    kind: 'reference',
    why: "a provider's notice names its connection before the merchant is known, so its id is unique over all merchants",
  },
  sealed_keys: { kind: 'reference', why: 'keys of the installation, which belong to no merchant' },
  [schemaTable]: { kind: 'local', why: 'what ran on the installation; only migrations look at it' },
}

/** What the catalogue says of the tables, as far as the plan needs it. */
export type Catalogue = {
  tables: readonly string[]
  /** Tables that Citus has in their place already. */
  placed: readonly string[]
  references: readonly { name: string; table: string; target: string; definition: string }[]
  /** Identity columns narrower than bigint: Citus takes none. */
  narrowIdentities: readonly { table: string; column: string; type: string }[]
}

/** Reads the catalogue of schema public. `placed` is what Citus's own catalogue holds; empty without the extension. */
export async function readCatalogue(sql: Executor, withCitus: boolean): Promise<Catalogue> {
  const tables = await sql<{ name: string }[]>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by relname`
  const placed = withCitus
    ? await sql<{ name: string }[]>`select logicalrelid::text as name from pg_dist_partition`
    : []
  const references = await sql<{ name: string; table: string; target: string; definition: string }[]>`
    select conname as name, conrelid::regclass::text as table, confrelid::regclass::text as target,
      pg_get_constraintdef(oid) as definition
    from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace order by conrelid::regclass::text, conname`
  const narrowIdentities = await sql<{ table: string; column: string; type: string }[]>`
    select attrelid::regclass::text as table, attname as column, format_type(atttypid, atttypmod) as type
    from pg_attribute join pg_class c on c.oid = attrelid
    where c.relnamespace = 'public'::regnamespace and attidentity <> '' and atttypid <> 'bigint'::regtype and not attisdropped`
  const names = (rows: readonly { name: string }[]) => rows.map((row) => row.name)
  return { tables: names(tables), placed: names(placed), references, narrowIdentities }
}

/** What a table is to be. */
export function kindOf(table: string): TableKind {
  return undistributed[table]?.kind ?? 'distributed'
}

/**
 * The statements, in order, for one transaction. References between tables are taken away first and given back last, because
 * in between their two ends are of different kinds. A table that is in its place already is left alone, so that the plan
 * may run again after later migrations.
 */
export function distributionPlan(catalogue: Catalogue, role = 'pasarela_app'): string[] {
  const open = catalogue.tables.filter((table) => !catalogue.placed.includes(table) && kindOf(table) !== 'local')
  if (open.length === 0) return []
  const moved = new Set(open)
  const references = catalogue.references.filter(({ table, target }) => moved.has(table) || moved.has(target))
  const distributed = catalogue.tables.filter((table) => kindOf(table) === 'distributed')
  // All of a merchant's rows lie together: every table in the group of the first one.
  const anchor = distributed.find((table) => !moved.has(table)) ?? distributed[0]
  return [
    "set local citus.multi_shard_modify_mode = 'sequential'",
    // Nodes connect to each other as the role that is at work, which a role without login may not.
    `alter role ${role} login`,
    ...references.map(({ table, name }) => `alter table ${table} drop constraint ${name}`),
    ...catalogue.narrowIdentities
      .filter(({ table }) => moved.has(table))
      .flatMap((found) => plainSequence(found, role)),
    ...open
      .filter((table) => kindOf(table) === 'reference')
      .map((table) => `select create_reference_table('${table}')`),
    ...open
      .filter((table) => kindOf(table) === 'distributed')
      .map((table) => {
        const group = table === anchor ? 'none' : anchor
        return `select create_distributed_table('${table}', 'merchant_id', colocate_with => '${group}')`
      }),
    ...references.map(({ table, name, definition }) => `alter table ${table} add constraint ${name} ${definition}`),
  ]
}

/** The same numbers from a sequence of its own: Citus refuses identity columns that are not bigint, in tables of any kind. */
function plainSequence(
  { table, column, type }: { table: string; column: string; type: string },
  role: string,
): string[] {
  const sequence = `${table}_${column}_seq`
  return [
    `alter table ${table} alter column ${column} drop identity`,
    `create sequence ${sequence} as ${type} owned by ${table}.${column}`,
    `select setval('${sequence}', coalesce(max(${column}), 0) + 1, false) from ${table}`,
    `alter table ${table} alter column ${column} set default nextval('${sequence}')`,
    `grant usage on sequence ${sequence} to ${role}`,
  ]
}
