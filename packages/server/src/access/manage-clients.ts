/** What an operator does with merchants and API clients from the command line. Secrets are returned once and stored as hashes. */
import { systemClock } from '../kit/clock.ts'
import type { Executor } from '../kit/db.ts'
import { hashSecret, newId, newSecret } from '../kit/id.ts'
import { problem } from '../kit/problem.ts'
import type { Merchant } from './caller.ts'
import { findMerchant } from './find.ts'
import * as store from './store.ts'

export type ClientSecrets = { clientId: string; clientSecret: string; apiKey: string }

/** Makes a merchant. `timeZone` is an IANA name; the days of its list filters are that zone's. */
export function createMerchant(
  sql: Executor,
  input: { name: string; mode: 'live' | 'sandbox'; timeZone?: string },
): Promise<Merchant> {
  const timeZone = input.timeZone ?? 'America/Santiago'
  refuseUnknownZone(timeZone)
  return store.insertMerchant(sql, { name: input.name, mode: input.mode, timeZone })
}

function refuseUnknownZone(timeZone: string): void {
  if (Intl.supportedValuesOf('timeZone').includes(timeZone) || timeZone === 'UTC') return
  throw problem('invalidParam', `"${timeZone}" is not a time zone; give an IANA name such as America/Santiago.`)
}

/** Sets a merchant's time zone alone; its sessions are moved to their days by `changeTimeZone` of checkout-sessions. */
export async function setTimeZone(sql: Executor, merchantId: number, timeZone: string): Promise<void> {
  refuseUnknownZone(timeZone)
  if (!(await store.updateTimeZone(sql, merchantId, timeZone)))
    throw problem('notFound', `There is no merchant ${merchantId}.`)
}

/** All merchants, oldest first. */
export function listMerchants(sql: Executor): Promise<Merchant[]> {
  return store.listMerchants(sql)
}

/** Makes an API client; the answer is the only time its secrets are seen. `requestsPerSecond` null = no limit. */
export async function createClient(
  sql: Executor,
  input: { merchantId: number; name: string; requestsPerSecond: number | null },
): Promise<ClientSecrets> {
  const merchant = await findMerchant(sql, input.merchantId)
  if (!merchant) throw problem('notFound', `There is no merchant ${input.merchantId}.`)
  const secrets = { clientId: newId('client', systemClock.nowMs()), ...freshSecrets(merchant.mode) }
  await store.insertClient(sql, { ...input, id: secrets.clientId, ...hashes(secrets) })
  return secrets
}

/** New secrets for a client; the old ones end within five seconds, tokens already issued live out their hour (contract section 1.3). */
export async function rotateClient(sql: Executor, clientId: string): Promise<ClientSecrets> {
  const merchant = await merchantOf(sql, clientId)
  const secrets = { clientId, ...freshSecrets(merchant.mode) }
  const done = await store.updateClientSecrets(sql, { merchantId: merchant.id, id: clientId, ...hashes(secrets) })
  if (!done) throw problem('failedPrecondition', `The client ${clientId} is revoked; create another.`)
  return secrets
}

/** Ends a client; every process refuses it within five seconds. */
export async function revokeClient(sql: Executor, clientId: string): Promise<void> {
  const merchant = await merchantOf(sql, clientId)
  const done = await store.revokeClient(sql, merchant.id, clientId)
  if (!done) throw problem('failedPrecondition', `The client ${clientId} is revoked already.`)
}

/** A merchant's clients, without any secret. */
export function listClients(sql: Executor, merchantId: number): Promise<store.ClientRow[]> {
  return store.listClients(sql, merchantId)
}

async function merchantOf(sql: Executor, clientId: string): Promise<Merchant> {
  const merchantId = await store.findMerchantIdByClient(sql, clientId)
  const merchant = merchantId === undefined ? undefined : await findMerchant(sql, merchantId)
  if (!merchant) throw problem('notFound', `There is no API client ${clientId}.`)
  return merchant
}

function freshSecrets(mode: 'live' | 'sandbox'): { clientSecret: string; apiKey: string } {
  return { clientSecret: newSecret(`psk_${mode}`), apiKey: newSecret(`pak_${mode}`) }
}

function hashes(secrets: { clientSecret: string; apiKey: string }) {
  return { secretHash: hashSecret(secrets.clientSecret), apiKeyHash: hashSecret(secrets.apiKey) }
}
