/**
 * Brings what the database's files have gained to the disk every second while they change. Files grow by zeroed pages, which Postgres leaves to
 * the kernel; Linux writes half a minute's worth of them at once, and commits wait behind that (ADR 83).
 */

import { readdirSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clusterFolder } from './cluster.ts'

/** How long a round takes: the files that have changed are written one by one, so that a commit waits for one at most. */
const everyMs = 1_000
/** Until the next look after one that found nothing: looking at every file costs an idle server more than all its jobs. */
const idleMs = 5_000
/** Databases below it are the templates and `postgres`, in which nothing happens. */
const firstOwnDatabase = 16_384

/** When each file was changed, as the last round saw it. */
export type Seen = Map<string, number>

/**
 * Flushes every second until stopped. `onFailure` hears of a file that could not be written, and nothing is flushed from then on:
 * the kernel tells of such a page once, so Postgres, which did not hear of it, must not go on as if it were there.
 */
export function startFlushing(dataDir: string, onFailure: (reason: string) => void): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const running = flushUntil(dataDir, stopping.signal).catch((error: Error) => onFailure(error.message))
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

async function flushUntil(dataDir: string, signal: AbortSignal): Promise<void> {
  let seen: Seen = new Map()
  const pause = (ms: number) => sleep(ms, undefined, { signal, ref: false }).catch(() => undefined)
  while (!signal.aborted) {
    const { changed, now } = findChanged(dataDir, seen)
    seen = now
    if (changed.length === 0) await pause(idleMs)
    for (const path of changed) {
      if (signal.aborted) return
      await flush(path)
      await pause(everyMs / changed.length)
    }
  }
}

/** The files that were changed since they were `seen`, and when each file was. */
export function findChanged(dataDir: string, seen: Seen): { changed: string[]; now: Seen } {
  const now: Seen = new Map()
  for (const path of filesOf(dataDir)) {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat) now.set(path, stat.mtimeMs)
  }
  return { changed: [...now.keys()].filter((path) => seen.get(path) !== now.get(path)), now }
}

function filesOf(dataDir: string): string[] {
  const base = join(clusterFolder(dataDir), 'base')
  const databases = namesIn(base).filter((name) => Number(name) >= firstOwnDatabase)
  return databases.flatMap((database) => namesIn(join(base, database)).map((file) => join(base, database, file)))
}

/** Nothing for a folder that cannot be read: it was dropped, or there is no room for another open file. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/**
 * Brings a file to the disk and throws what the disk says against it. One that cannot be opened is left to the kernel: a dropped
 * table's is gone, and where there is no room for another open file the disk was not asked, so nothing it had to say is lost.
 */
export async function flush(path: string): Promise<void> {
  const file = await open(path).catch(() => undefined)
  if (!file) return
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
}
