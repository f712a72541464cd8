/**
 * What a payer wrote and must correct, on its way back to the form: sealed in a cookie of this payer's browser alone, for a
 * quarter of an hour. The server keeps nothing, and whoever merely knows the address sees nothing.
 */
import type { Context } from '../kit/context.ts'
import { seal, unseal } from '../kit/seal.ts'
import { basePath } from './base-path.ts'
import type { Values } from './fields.ts'
import type { WordKey } from './words.ts'

export type Draft = { method: string; values: Values; errors: Readonly<Record<string, WordKey>> }

const name = 'draft'
const seconds = 900
/** Browsers keep at least 4096 bytes of a cookie with its name and attributes. */
const bytesMax = 3600

/** The `Set-Cookie` that keeps a draft for this page; without the values where they are too long. */
export function keepDraft(ctx: Context, token: string, draft: Draft): string {
  const whole = sealed(ctx, token, draft)
  return cookie(ctx, token, whole.length <= bytesMax ? whole : sealed(ctx, token, { ...draft, values: {} }), seconds)
}

/** The `Set-Cookie` that ends a draft. */
export function dropDraft(ctx: Context, token: string): string {
  return cookie(ctx, token, '', 0)
}

/** The draft that the browser brought, if it is one of ours for this page. */
export function readDraft(ctx: Context, token: string, header: string | undefined): Draft | undefined {
  const value = /(?:^|;\s*)draft=([\w-]{30,4000})(?:;|$)/.exec(header ?? '')?.[1]
  if (!value) return undefined
  try {
    const plain = unseal(ctx.masterKey, aad(token), Buffer.from(value, 'base64url'))
    return JSON.parse(plain.toString()) as Draft
  } catch {
    // Of another key or page, or cut short: then there is no draft.
    return undefined
  }
}

function sealed(ctx: Context, token: string, draft: Draft): string {
  return seal(ctx.masterKey, aad(token), Buffer.from(JSON.stringify(draft))).toString('base64url')
}

function aad(token: string): string {
  return `draft of page ${token}`
}

function cookie(ctx: Context, token: string, value: string, maxAge: number): string {
  const secure = ctx.publicUrl.startsWith('https:') ? '; Secure' : ''
  return `${name}=${value}; Path=${basePath(ctx.publicUrl)}/pay/${token}; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`
}
