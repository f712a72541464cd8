/** Whose files these are and as whom the database runs: Postgres refuses root, so root lends it another user. */
import { lstatSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type Identity = { uid: number; gid: number }

/** Whether this process is root (never so on systems without user ids). */
export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Owner of the path, or of its nearest ancestor that exists. */
export function ownerOf(path: string): Identity {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found) return { uid: found.uid, gid: found.gid }
  return ownerOf(dirname(path))
}

/**
 * The user that the database of this folder runs as: undefined = the caller itself. For root it is the owner of the cluster,
 * else of the folder above, else `nobody`. No user is created on the system.
 */
export function databaseIdentity(clusterDir: string): Identity | undefined {
  if (!isRoot()) return undefined
  const owner = ownerOf(clusterDir)
  return owner.uid === 0 ? nobody() : owner
}

function nobody(): Identity {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'))
  const [, , uid, gid] = line?.split(':') ?? []
  return { uid: Number(uid ?? 65534), gid: Number(gid ?? 65534) }
}
