/** SQL of identities. */

import { json, texts } from '@pasarela/sql'
import type { Executor } from '../kit/db.ts'
import { inPage, type Page, withinDays } from '../kit/page.ts'
import { limits } from '../vocabulary/limits.ts'
import type { Identity, IdentityWithChildren } from './identity.ts'

/** All columns and the first children of the identity `i`. */
const withChildren = (sql: Executor) => sql`
  i.*, coalesce((
    select json_agg(json_build_object('id', c.id, 'name', c.name, 'email', c.email) order by c.id) from (
      select id, name, email from identities
      where merchant_id = i.merchant_id and parent_id = i.id order by id limit ${limits.childrenShown}
    ) as c
  ), '[]') as children`

/** Inserts the identity, or nothing where a unique index already has one like it. */
export async function insertIdentity(sql: Executor, row: Identity): Promise<boolean> {
  const rows = await sql`
    insert into identities (merchant_id, id, parent_id, type, name, lastname, nickname, email, phone, document_type,
      document_number, document_key, country, external_id, status, profile, created_at, updated_at)
    values (${row.merchantId}, ${row.id}, ${row.parentId}, ${row.type}, ${row.name}, ${row.lastname}, ${row.nickname},
      ${row.email}, ${row.phone}, ${row.documentType}, ${row.documentNumber}, ${row.documentKey}, ${row.country},
      ${row.externalId}, ${row.status}, ${json(row.profile)}, ${row.createdAt}, ${row.updatedAt})
    on conflict do nothing
    returning id`
  return rows.length === 1
}

/** Overwrites what may change of an identity. */
export async function updateIdentity(sql: Executor, row: Identity): Promise<void> {
  await sql`
    update identities set name = ${row.name}, lastname = ${row.lastname}, nickname = ${row.nickname}, email = ${row.email},
      phone = ${row.phone}, country = ${row.country}, external_id = ${row.externalId},
      profile = ${json(row.profile)}, updated_at = ${row.updatedAt}
    where merchant_id = ${row.merchantId} and id = ${row.id}`
}

export async function findIdentityById(
  sql: Executor,
  merchantId: number,
  id: string,
): Promise<IdentityWithChildren | undefined> {
  const [row] = await sql<IdentityWithChildren[]>`
    select ${withChildren(sql)} from identities i where merchant_id = ${merchantId} and id = ${id}`
  return row
}

/** Locks the identity's row until the transaction ends, against other changes of itself. */
export async function lockIdentityById(sql: Executor, merchantId: number, id: string): Promise<Identity | undefined> {
  const [row] = await sql<Identity[]>`
    select * from identities where merchant_id = ${merchantId} and id = ${id} for no key update`
  return row
}

/** The identity that stands in the way of another with this document (and, for users, this email and phone). */
export async function findIdentityLike(
  sql: Executor,
  like: Pick<Identity, 'merchantId' | 'type' | 'documentType' | 'documentKey' | 'email' | 'phone'>,
): Promise<{ id: string } | undefined> {
  const [row] = await sql<{ id: string }[]>`
    select id from identities
    where merchant_id = ${like.merchantId} and type = ${like.type} and upper(document_type) = upper(${like.documentType})
      and document_key = ${like.documentKey}
      and (type = 'ORGANIZATION' or (lower(email) = lower(${like.email}) and phone = ${like.phone}))`
  return row
}

export type IdentityFilters = {
  parentId?: string
  type?: string
  email?: string
  documentKeys?: string[]
  phone?: string
  country?: string
  status?: string[]
  externalId?: string
}

/** One page of a merchant's identities, and how many match in all. */
export async function listIdentities(sql: Executor, merchantId: number, by: IdentityFilters, page: Page) {
  const where = sql`
    merchant_id = ${merchantId}
    ${by.parentId === undefined ? sql`` : sql`and parent_id = ${by.parentId}`}
    ${by.type === undefined ? sql`` : sql`and type = ${by.type}`}
    ${by.email === undefined ? sql`` : sql`and lower(email) = lower(${by.email})`}
    ${by.documentKeys === undefined ? sql`` : sql`and document_key = any (${texts(by.documentKeys)})`}
    ${by.phone === undefined ? sql`` : sql`and phone = ${by.phone}`}
    ${by.country === undefined ? sql`` : sql`and country = ${by.country}`}
    ${by.status === undefined ? sql`` : sql`and status = any (${texts(by.status)})`}
    ${by.externalId === undefined ? sql`` : sql`and external_id = ${by.externalId}`}
    ${withinDays(sql, page)}`
  const [rows, [counted]] = await Promise.all([
    sql<IdentityWithChildren[]>`select ${withChildren(sql)} from identities i where ${where} ${inPage(sql, page)}`,
    sql<{ total: number }[]>`select count(*)::int as total from identities where ${where}`,
  ])
  return { identities: [...rows], total: counted?.total ?? 0 }
}

/**
 * Makes changes of the merchant's family tree wait for each other until the transaction ends: two that are right one by
 * one could close a circle together. The merchant's row is locked for nothing else, and new identities may still refer to it.
 */
export async function lockFamilyTree(sql: Executor, merchantId: number): Promise<void> {
  await sql`select 1 from merchants where id = ${merchantId} for no key update`
}

/** The identity and its ancestors, nearest first, no further than the depth limit. */
export async function listAncestors(sql: Executor, merchantId: number, id: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    with recursive chain (id, parent_id, depth) as (
      select id, parent_id, 0 from identities where merchant_id = ${merchantId} and id = ${id}
      union all
      select p.id, p.parent_id, chain.depth + 1 from chain join identities p on p.merchant_id = ${merchantId} and p.id = chain.parent_id
      where chain.depth < ${limits.identityDepthMax}
    )
    select id from chain order by depth`
  return rows.map((row) => row.id)
}

/** Those of the ids that exist, each with its parent and how many levels there are from it down. */
export async function listFamilies(
  sql: Executor,
  merchantId: number,
  ids: readonly string[],
): Promise<{ id: string; parentId: string | null; levels: number }[]> {
  return [
    ...(await sql<{ id: string; parentId: string | null; levels: number }[]>`
    with recursive tree (root, id, parent_id, level) as (
      select id, id, parent_id, 1 from identities where merchant_id = ${merchantId} and id = any (${texts(ids)}::text[])
      union all
      select tree.root, c.id, c.parent_id, tree.level + 1
      from tree join identities c on c.merchant_id = ${merchantId} and c.parent_id = tree.id
      where tree.level <= ${limits.identityDepthMax}
    )
    select root as id, min(parent_id) filter (where level = 1) as parent_id, max(level) as levels from tree group by root`),
  ]
}

/** Gives those of the ids that are under `from` (null: under nobody) the parent `to`. */
export async function moveChildren(
  sql: Executor,
  move: { merchantId: number; ids: readonly string[]; from: string | null; to: string | null; now: Date },
): Promise<void> {
  await sql`
    update identities set parent_id = ${move.to}, updated_at = ${move.now}
    where merchant_id = ${move.merchantId} and id = any (${texts(move.ids)}::text[])
      and parent_id is not distinct from ${move.from}`
}
