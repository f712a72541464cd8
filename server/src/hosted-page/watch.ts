/**
 * Live pages. Every open page of this process waits in one list; twice a second one statement asks how their sessions are,
 * and a page hears when its own has changed. No NOTIFY: it would serialise the commits of payments.
 */
import type { Context } from '../kit/context.ts'
import { readPageVersions } from './store.ts'

const everyMs = 500
/** A comment now and then keeps proxies from closing a quiet connection. */
const heartbeatMs = 20_000
/** A page that is still open then connects again. */
const lifeMs = 10 * 60_000
/** The version of a page that is no longer there. */
const gone = 'gone'

export type Listener = { send(text: string): void; end(): void }
export type PageKey = { readonly merchantId: number; readonly pageToken: string }

type Open = PageKey & { version: string; listener: Listener; sinceMs: number; spokenMs: number }

export type Watch = {
  /** Tells the listener when the version is no longer this one. False: too many are open already. */
  add(key: PageKey, version: string, listener: Listener): boolean
  remove(listener: Listener): void
  close(): void
}

/** At most `most` pages in all, and `mostPerPage` of one session. */
export function watch(ctx: Context, most = 5000, mostPerPage = 20): Watch {
  const open = new Map<Listener, Open>()
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
  return {
    add(key, version, listener) {
      const same = [...open.values()].filter((o) => o.pageToken === key.pageToken).length
      if (open.size >= most || same >= mostPerPage) return false
      const now = performance.now()
      open.set(listener, { ...key, version, listener, sinceMs: now, spokenMs: now })
      timer ??= setInterval(() => void look(), everyMs)
      return true
    },
    remove(listener) {
      open.delete(listener)
      stopIfIdle()
    },
    close() {
      for (const listener of open.keys()) listener.end()
      open.clear()
      stopIfIdle()
    },
  }
}

async function tellChanges(ctx: Context, pages: readonly Open[]): Promise<void> {
  const keys = new Map(pages.map((page) => [`${page.merchantId} ${page.pageToken}`, page]))
  const asked = [...keys.values()]
  const rows = await readPageVersions(
    ctx.sql,
    asked.map((page) => page.merchantId),
    asked.map((page) => page.pageToken),
  )
  const versions = new Map(rows.map((row) => [`${row.merchantId} ${row.pageToken}`, row.version]))
  const now = performance.now()
  for (const page of pages) {
    const version = versions.get(`${page.merchantId} ${page.pageToken}`) ?? gone
    if (version !== page.version) {
      page.version = version
      page.spokenMs = now
      page.listener.send(`event: change\ndata: ${version}\n\n`)
      if (version === gone) page.listener.end()
    } else if (now - page.spokenMs > heartbeatMs) {
      page.spokenMs = now
      page.listener.send(':\n\n')
    }
    if (now - page.sinceMs > lifeMs) page.listener.end()
  }
}
