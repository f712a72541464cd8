/** SQL of merchants and their API clients. */
import type { Executor } from '../kit/db.ts'
import type { Merchant } from './caller.ts'
import { type MerchantRow, toMerchant } from './find.ts'

export type ClientRow = {
  merchantId: number
  id: string
  name: string
  secretHash: Uint8Array
  requestsPerSecond: number | null
  createdAt: Date
  rotatedAt: Date | null
  revokedAt: Date | null
}

export async function insertMerchant(
  sql: Executor,
  input: { name: string; mode: 'live' | 'sandbox'; timeZone: string },
): Promise<Merchant> {
  const [row] = await sql<MerchantRow[]>`
    insert into merchants (name, mode, time_zone) values (${input.name}, ${input.mode}, ${input.timeZone})
    returning id, name, mode, time_zone, quote_ttl_seconds, late_money, payer_refresh, clock_offset_ms`
  if (!row) throw new Error('insert returned no merchant')
  return toMerchant(row)
}

export async function listMerchants(sql: Executor): Promise<Merchant[]> {
  const rows = await sql<MerchantRow[]>`
    select id, name, mode, time_zone, quote_ttl_seconds, late_money, payer_refresh, clock_offset_ms from merchants order by id`
  return rows.map(toMerchant)
}

export async function updateTimeZone(sql: Executor, merchantId: number, timeZone: string): Promise<boolean> {
  const rows = await sql`update merchants set time_zone = ${timeZone} where id = ${merchantId} returning id`
  return rows.length === 1
}

export async function advanceMerchantClock(
  sql: Executor,
  merchantId: number,
  byMs: bigint,
): Promise<bigint | undefined> {
  const [row] = await sql<{ clockOffsetMs: bigint }[]>`
    update merchants set clock_offset_ms = clock_offset_ms + ${byMs}
    where id = ${merchantId} and mode = 'sandbox' returning clock_offset_ms`
  return row?.clockOffsetMs
}

/** Crosses merchants: it serves jobs. */
export async function listMovedClocks(sql: Executor): Promise<{ id: number; clockOffsetMs: bigint }[]> {
  return sql<{ id: number; clockOffsetMs: bigint }[]>`
    select id, clock_offset_ms from merchants where clock_offset_ms <> 0`
}

export async function insertClient(
  sql: Executor,
  row: {
    merchantId: number
    id: string
    name: string
    secretHash: Uint8Array
    apiKeyHash: Uint8Array
    requestsPerSecond: number | null
  },
): Promise<void> {
  await sql`
    insert into api_clients (merchant_id, id, name, secret_hash, api_key_hash, requests_per_second)
    values (${row.merchantId}, ${row.id}, ${row.name}, ${row.secretHash}, ${row.apiKeyHash}, ${row.requestsPerSecond})`
}

export async function listClients(sql: Executor, merchantId: number): Promise<ClientRow[]> {
  return sql<ClientRow[]>`
    select merchant_id, id, name, secret_hash, requests_per_second, created_at, rotated_at, revoked_at
    from api_clients where merchant_id = ${merchantId} order by id`
}

/** Named exception to merchant isolation: the key is what tells the merchant. */
export async function findClientByApiKeyHash(
  sql: Executor,
  hash: Uint8Array,
): Promise<(ClientRow & { merchant: Merchant }) | undefined> {
  const [row] = await sql<(ClientRow & { merchantRow: MerchantRow & { clockOffsetMs: number } })[]>`
    select c.merchant_id, c.id, c.name, c.secret_hash, c.requests_per_second, c.created_at, c.rotated_at, c.revoked_at,
      json_build_object('id', m.id, 'name', m.name, 'mode', m.mode, 'timeZone', m.time_zone, 'quoteTtlSeconds', m.quote_ttl_seconds,
        'lateMoney', m.late_money, 'payerRefresh', m.payer_refresh, 'clockOffsetMs', m.clock_offset_ms) as merchant_row
    from api_clients c join merchants m on m.id = c.merchant_id
    where c.api_key_hash = ${hash} and c.revoked_at is null`
  return row && { ...row, merchant: toMerchant(row.merchantRow) }
}

export async function updateClientSecrets(
  sql: Executor,
  input: { merchantId: number; id: string; secretHash: Uint8Array; apiKeyHash: Uint8Array },
): Promise<boolean> {
  const rows = await sql`
    update api_clients set secret_hash = ${input.secretHash}, api_key_hash = ${input.apiKeyHash}, rotated_at = now()
    where merchant_id = ${input.merchantId} and id = ${input.id} and revoked_at is null returning id`
  return rows.length === 1
}

export async function revokeClient(sql: Executor, merchantId: number, id: string): Promise<boolean> {
  const rows = await sql`
    update api_clients set revoked_at = now()
    where merchant_id = ${merchantId} and id = ${id} and revoked_at is null returning id`
  return rows.length === 1
}

/** Named exception to merchant isolation: an operator names a client by its id alone. */
export async function findMerchantIdByClient(sql: Executor, id: string): Promise<number | undefined> {
  const [row] = await sql<{ merchantId: number }[]>`select merchant_id from api_clients where id = ${id}`
  return row?.merchantId
}

/** Stores a sealed key unless one of that name exists, and returns the one that is stored. */
export async function keepSealedKey(sql: Executor, name: string, sealed: Uint8Array): Promise<Uint8Array> {
  await sql`insert into sealed_keys (name, sealed) values (${name}, ${sealed}) on conflict (name) do nothing`
  const [row] = await sql<{ sealed: Uint8Array }[]>`select sealed from sealed_keys where name = ${name}`
  if (!row) throw new Error(`the sealed key ${name} is gone`)
  return row.sealed
}

export async function findSealedKey(sql: Executor, name: string): Promise<Uint8Array | undefined> {
  const [row] = await sql<{ sealed: Uint8Array }[]>`select sealed from sealed_keys where name = ${name}`
  return row?.sealed
}
