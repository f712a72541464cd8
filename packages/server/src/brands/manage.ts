/** What a merchant does with its brands. */
import { createHash } from 'node:crypto'
import type { Caller } from '../access/caller.ts'
import { readMerchantNumber } from '../access/find.ts'
import { findIdentity } from '../identities/find.ts'
import { fullName } from '../identities/identity.ts'
import { type Context, nowFor } from '../kit/context.ts'
import { Faults, problem } from '../kit/problem.ts'
import { type BrandSettings, checkContrast, defaultOrganization } from './brand.ts'
import { type LogoBody, toWire } from './schema.ts'
import * as store from './store.ts'

/** The organization's own brand, or null. Throws `notFound` for an organization that is none of the merchant's. */
export async function readBrand(ctx: Context, caller: Caller, organizationId: string) {
  const name = await nameOf(ctx, caller, organizationId)
  const brand = await store.findBrandById(ctx.sql, caller.merchant.id, organizationId)
  return brand ? toWire(brand, name, ctx.publicUrl) : null
}

/**
 * Changes a brand, or makes it. Throws `notFound`, and `failedPrecondition` naming every colour that could not be read.
 */
export async function changeBrand(
  ctx: Context,
  caller: Caller,
  organizationId: string,
  change: { [K in keyof BrandSettings]?: BrandSettings[K] | null },
) {
  const name = await nameOf(ctx, caller, organizationId)
  const { id: merchantId } = caller.merchant
  const known = await store.findBrandById(ctx.sql, merchantId, organizationId)
  const merged = Object.entries({ ...known?.settings, ...change }).filter(([, value]) => value !== null)
  const settings = Object.fromEntries(merged) as BrandSettings
  const faults = new Faults()
  checkContrast(settings, faults)
  if (faults.list.length > 0) {
    const first = faults.list[0]
    throw problem('failedPrecondition', `The colour at ${first?.pointer} ${first?.detail}.`, { errors: faults.list })
  }
  const brand = await store.upsertBrand(ctx.sql, {
    merchantId,
    organizationId,
    settings,
    now: nowFor(ctx, caller.merchant),
  })
  ctx.recall.forget(merchantId)
  return toWire(brand, name, ctx.publicUrl)
}

/** Takes the brand away; pages wear the one above it again. Throws `notFound` for an unknown organization. */
export async function removeBrand(ctx: Context, caller: Caller, organizationId: string): Promise<void> {
  await nameOf(ctx, caller, organizationId)
  await store.deleteBrand(ctx.sql, caller.merchant.id, organizationId)
  ctx.recall.forget(caller.merchant.id)
}

/** How files of each type begin. */
const signatures: Readonly<Record<LogoBody['contentType'], (content: Buffer) => boolean>> = {
  'image/png': (content) => content.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex')),
  'image/jpeg': (content) => content.subarray(0, 3).equals(Buffer.from('ffd8ff', 'hex')),
  'image/webp': (content) =>
    content.toString('latin1', 0, 4) === 'RIFF' && content.toString('latin1', 8, 12) === 'WEBP',
}

const logoBytesMax = 12_288

/** Sets the logo. Throws `notFound`, or `invalidParam` for what is not such an image or is over 12 KB. */
export async function setLogo(ctx: Context, caller: Caller, organizationId: string, body: LogoBody) {
  const name = await nameOf(ctx, caller, organizationId)
  const faults = new Faults()
  const content = Buffer.from(body.data, 'base64')
  if (content.length > logoBytesMax)
    faults.add('/data', `is ${content.length} bytes; a logo has at most ${logoBytesMax}`)
  if (!signatures[body.contentType](content)) faults.add('/data', `is not ${body.contentType} in base64`)
  faults.throwIfAny()
  const hash = createHash('sha256').update(content).digest('base64url').slice(0, 22)
  const now = nowFor(ctx, caller.merchant)
  const { id: merchantId } = caller.merchant
  const logo = { type: body.contentType, hash, content }
  const known = await store.findBrandById(ctx.sql, merchantId, organizationId)
  if (!known) await store.upsertBrand(ctx.sql, { merchantId, organizationId, settings: {}, now })
  const brand = await store.updateLogo(ctx.sql, merchantId, organizationId, logo, now)
  if (!brand) throw problem('notFound', 'The brand was removed meanwhile.')
  ctx.recall.forget(merchantId)
  return toWire(brand, name, ctx.publicUrl)
}

/** Takes the logo away. Throws `notFound` for an unknown organization. */
export async function removeLogo(ctx: Context, caller: Caller, organizationId: string): Promise<void> {
  await nameOf(ctx, caller, organizationId)
  await store.updateLogo(ctx.sql, caller.merchant.id, organizationId, null, nowFor(ctx, caller.merchant))
  ctx.recall.forget(caller.merchant.id)
}

/** A logo by the name that its address has; undefined when there is none. */
export async function readLogo(ctx: Context, name: string): Promise<store.Logo | undefined> {
  const match = /^([0-9a-z]{1,6})-([\w-]{22})$/.exec(name)
  const merchantId = readMerchantNumber(match?.[1] ?? '')
  return merchantId === undefined ? undefined : store.findLogoByHash(ctx.sql, merchantId, match?.[2] ?? '')
}

async function nameOf(ctx: Context, caller: Caller, organizationId: string): Promise<string> {
  if (organizationId === defaultOrganization) return caller.merchant.name
  const identity = await findIdentity(ctx.sql, caller.merchant.id, organizationId)
  if (!identity)
    throw problem('notFound', `There is no organization ${organizationId}; "default" is the merchant itself.`)
  return fullName(identity)
}
