/**
 * Brings what the database's files have gained to the disk every second. Files grow by zeroed pages, which Postgres leaves to
 * the kernel; Linux writes half a minute's worth of them at once, and commits wait behind that (ADR 83).
 */

import { readdirSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode } from '../operator-error.ts'
import { clusterFolder } from './cluster.ts'

/** A second's worth is written in some 10 ms. */
const everyMs = 1_000
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
  for (;;) {
    await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
    if (signal.aborted) return
    seen = (await flushChanged(dataDir, seen)).seen
  }
}

/** Writes the files that were changed since they were `seen`, one after the other, and says how many. Throws what a file says against it. */
export async function flushChanged(dataDir: string, seen: Seen): Promise<{ flushed: number; seen: Seen }> {
  const now: Seen = new Map()
  for (const path of filesOf(dataDir)) {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat) now.set(path, stat.mtimeMs)
  }
  let flushed = 0
  for (const [path, changedMs] of now) {
    if (seen.get(path) !== changedMs && (await flush(path))) flushed++
  }
  return { flushed, seen: now }
}

function filesOf(dataDir: string): string[] {
  const base = join(clusterFolder(dataDir), 'base')
  const databases = readdirSync(base).filter((name) => Number(name) >= firstOwnDatabase)
  return databases.flatMap((database) => readdirSync(join(base, database)).map((file) => join(base, database, file)))
}

/** False for a file that was removed meanwhile, as a dropped table's is. */
async function flush(path: string): Promise<boolean> {
  let file: FileHandle | undefined
  try {
    file = await open(path)
    await file.datasync()
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  } finally {
    await file?.close()
  }
}
