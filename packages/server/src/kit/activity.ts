/**
 * Whether anything happens in the installation. Jobs look for work often while something does, and rarely while nothing does.
 * Other processes hear of it through `NOTIFY` in a statement of its own: inside a transaction it would take a lock for the whole
 * database at commit.
 */
import { listenTo, type Sql } from './db.ts'

export type Activity = {
  /** Call it when this process may have written something, after the commit. */
  note(): void
  isBusy(): boolean
  /** Calls `begun` once when activity begins after a quiet time; returns what cancels that. */
  onBegin(begun: () => void): () => void
  /** Hears of other processes from now on. Repeating it does nothing once it has succeeded. */
  listen(): Promise<void>
}

/** Jobs stay alert for so long after activity: what was written is often due a few seconds later. */
const alertMs = 5_000
/** Other processes are told this often at most. Less than `alertMs`, so that they stay alert in between. */
const notifyEveryMs = 1_000
const channel = 'pasarela_activity'

export function openActivity(sql: Sql, report: (error: unknown) => void): Activity {
  const waiting = new Set<() => void>()
  let busyUntil = Number.NEGATIVE_INFINITY
  let notifiedAt = Number.NEGATIVE_INFINITY
  let listening = false

  function hear(): void {
    busyUntil = performance.now() + alertMs
    for (const begun of [...waiting]) begun()
    waiting.clear()
  }

  return {
    note() {
      hear()
      if (performance.now() - notifiedAt < notifyEveryMs) return
      notifiedAt = performance.now()
      sql`select pg_notify(${channel}, '')`.catch(report)
    },
    isBusy: () => performance.now() < busyUntil,
    onBegin(begun) {
      waiting.add(begun)
      return () => waiting.delete(begun)
    },
    async listen() {
      if (listening) return
      await listenTo(sql, channel, hear)
      listening = true
    },
  }
}
