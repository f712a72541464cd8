/**
 * Live pages. Every open page of this process waits in one list; twice a second one statement asks how their sessions are,
 * and a page hears when its own has changed. No NOTIFY: it would serialise the commits of payments.
 */
import ipaddr from 'ipaddr.js'
import type { Context } from '../kit/context.ts'
import { limits } from '../vocabulary/limits.ts'
import { readPageVersions } from './store.ts'

const everyMs = 500
/** A comment now and then keeps proxies from closing a quiet connection. */
const heartbeatMs = 20_000
/** A page that is still open then connects again. */
const lifeMs = 10 * 60_000
/** The version of a page that is no longer there. */
const gone = 'gone'

export type Listener = { send(text: string): void; end(): void }
export type OpenPage = {
  readonly merchantId: number
  readonly pageToken: string
  /** The version that the browser shows. */
  readonly version: string
  /** Of the client. */
  readonly address: string
  readonly listener: Listener
}

type Waiting = { page: OpenPage; version: string; sinceMs: number; spokenMs: number }

export type Watch = {
  /** The listener hears when the version is no longer this one. False: too many are open already. */
  add(page: OpenPage): boolean
  remove(listener: Listener): void
  close(): void
}

export type Most = { total: number; perAddress: number; perSession: number }
const usual: Most = {
  total: limits.openPagesMax,
  perAddress: limits.openPagesPerAddressMax,
  perSession: limits.openPagesPerSessionMax,
}

export function watch(ctx: Context, most: Most = usual): Watch {
  const open = new Map<Listener, Waiting>()
  const counts = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let asking = false

  const look = async (): Promise<void> => {
    if (asking) return
    asking = true
    try {
      await tellChanges(ctx, [...open.values()])
    } catch (error) {
      ctx.log.warn({ err: error }, 'open pages could not be refreshed; they are asked about again')
    } finally {
      asking = false
    }
  }
  const stopIfIdle = () => {
    if (open.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  const count = (name: string, change: number) => {
    const next = (counts.get(name) ?? 0) + change
    if (next === 0) counts.delete(name)
    else counts.set(name, next)
  }
  const isFull = (name: string, limit: number) => (counts.get(name) ?? 0) >= limit
  return {
    add(page) {
      const network = networkOf(page.address)
      if (open.size >= most.total || isFull(page.pageToken, most.perSession)) return false
      if (network !== undefined && isFull(network, most.perAddress)) return false
      const now = performance.now()
      open.set(page.listener, { page, version: page.version, sinceMs: now, spokenMs: now })
      for (const name of namesOf(page)) count(name, 1)
      timer ??= setInterval(() => void look(), everyMs)
      return true
    },
    remove(listener) {
      const waiting = open.get(listener)
      if (!waiting) return
      open.delete(listener)
      for (const name of namesOf(waiting.page)) count(name, -1)
      stopIfIdle()
    },
    close() {
      for (const listener of open.keys()) listener.end()
      open.clear()
      counts.clear()
      stopIfIdle()
    },
  }
}

/** What the open pages are counted by. */
function namesOf({ pageToken, address }: OpenPage): string[] {
  const network = networkOf(address)
  return network === undefined ? [pageToken] : [pageToken, network]
}

const proxyRanges = new Set(['loopback', 'private', 'uniqueLocal', 'linkLocal', 'carrierGradeNat', 'unspecified'])

/**
 * Whom an address stands for: an IPv6 network of 64 bits is one client. Undefined for loopback and private addresses: those
 * are proxies, and stand for all their payers.
 */
export function networkOf(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return undefined
  const ip = ipaddr.process(address)
  if (proxyRanges.has(ip.range())) return undefined
  return ip.kind() === 'ipv6' ? ip.toNormalizedString().split(':').slice(0, 4).join(':') : ip.toString()
}

async function tellChanges(ctx: Context, open: readonly Waiting[]): Promise<void> {
  const asked = [...new Map(open.map(({ page }) => [`${page.merchantId} ${page.pageToken}`, page])).values()]
  const rows = await readPageVersions(
    ctx.sql,
    asked.map((page) => page.merchantId),
    asked.map((page) => page.pageToken),
  )
  const versions = new Map(rows.map((row) => [`${row.merchantId} ${row.pageToken}`, row.version]))
  const now = performance.now()
  for (const waiting of open) {
    const { page } = waiting
    const version = versions.get(`${page.merchantId} ${page.pageToken}`) ?? gone
    if (version !== waiting.version) {
      waiting.version = version
      waiting.spokenMs = now
      page.listener.send(`event: change\ndata: ${version}\n\n`)
      if (version === gone) page.listener.end()
    } else if (now - waiting.spokenMs > heartbeatMs) {
      waiting.spokenMs = now
      page.listener.send(':\n\n')
    }
    if (now - waiting.sinceMs > lifeMs) page.listener.end()
  }
}
