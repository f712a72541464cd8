/** Ids (TypeID over UUIDv7, made from the caller's time so that id order is creation order) and unguessable tokens. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { fromString, TypeID } from 'typeid-js'
import { type IdKind, idPrefixes } from '../vocabulary/ids.ts'

/** Random bytes are drawn by the page: each call of the system's source costs more than what it gives here. */
const pageBytes = 4096
let page = Buffer.alloc(0)

/** `count` random bytes, used once. */
function randomPart(count: number): Buffer {
  if (page.length < count) page = randomBytes(pageBytes)
  const part = Buffer.from(page.subarray(0, count))
  page = page.subarray(count)
  return part
}

let lastMs = -1
let inThisMs = 0

/**
 * 16 bytes of a UUIDv7 (RFC 9562 section 5.7) for the given time in milliseconds. What this process makes in one
 * millisecond is counted in the 12 bits after the time (section 6.2, method 1), so that id order is creation order there too.
 */
export function uuidBytes(timeMs: number): Uint8Array {
  inThisMs = timeMs === lastMs ? (inThisMs + 1) & 0xfff : 0
  lastMs = timeMs
  const bytes = randomPart(16)
  bytes.writeUIntBE(timeMs, 0, 6)
  bytes[6] = 0x70 | (inThisMs >> 8)
  bytes[7] = inThisMs & 0xff
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  return bytes
}

/** A new id of this kind, ordered by `timeMs`; or the id over the given UUID bytes, for work that resumes. */
export function newId(kind: IdKind, timeMs: number, seed?: Uint8Array): string {
  return TypeID.fromUUIDBytes(idPrefixes[kind], seed ?? uuidBytes(timeMs)).toString()
}

/** The smallest id that something created at `timeMs` can have: the bound of a date filter. */
export function idFloor(kind: IdKind, timeMs: number): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(Math.max(0, timeMs), 0, 6)
  return TypeID.fromUUIDBytes(idPrefixes[kind], bytes).toString()
}

/** The milliseconds that an id was made from: the first ten characters behind its prefix, in Crockford's base32. */
export function idTimeMs(id: string): number {
  const start = id.lastIndexOf('_') + 1
  let timeMs = 0
  for (const character of id.slice(start, start + 10)) timeMs = timeMs * 32 + base32.indexOf(character)
  return timeMs
}

const base32 = '0123456789abcdefghjkmnpqrstvwxyz'

/** What `isId` takes, for schemas. */
export function idPattern(kind: IdKind): string {
  return `^${idPrefixes[kind]}_[0-7][0-9a-hjkmnp-tv-z]{25}$`
}

/** Whether the text is an id of this kind; a malformed one is treated as one that does not exist. */
export function isId(kind: IdKind, text: string): boolean {
  try {
    fromString(text, idPrefixes[kind])
    return true
  } catch {
    return false
  }
}

/** An unguessable token: 128 bits, base64url, 22 characters. */
export function newToken(): string {
  return randomPart(16).toString('base64url')
}

/** A secret of 256 random bits with a prefix that scanners recognise. Shown once, stored as its hash. */
export function newSecret(prefix: string): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`
}

/** SHA-256 of a secret with 256 random bits: no salt needed. */
export function hashSecret(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

/** Whether the secret hashes to the given hash, in constant time. */
export function secretMatches(secret: string, hash: Uint8Array): boolean {
  return timingSafeEqual(hashSecret(secret), hash)
}
