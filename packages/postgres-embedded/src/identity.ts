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
  // initdb wants a user whom the system knows by name.
  return owner.uid !== 0 && systemUsers().some((user) => user.uid === owner.uid) ? owner : nobody()
}

function nobody(): Identity {
  return systemUsers().find((user) => user.name === 'nobody') ?? { uid: 65_534, gid: 65_534 }
}

function systemUsers(): (Identity & { name: string })[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
}
