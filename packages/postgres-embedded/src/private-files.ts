/** Files and folders for the owner's eyes only, written so that a crash leaves the old content or the new, never half of it. */
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { errorCode, OperatorError } from '@pasarela/sql/operator-error'
import { isRoot, ownerOf } from './identity.ts'

/**
 * Makes the folder (0700), and those above it, where they are missing. It belongs to whom the folder above belongs to, so that
 * a visit of root locks nobody out.
 */
export function makePrivateFolder(path: string): void {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
    // Not mkdir's own recursion, which never ends in file systems such as /proc.
    if (!existsSync(dirname(path))) makePrivateFolder(dirname(path))
    makeFolder(path)
  } catch (error) {
    throw folderError(path, error)
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
    giveToOwner(path)
  } catch (error) {
    // Another start that was a moment faster made the same.
    if (errorCode(error) !== 'EEXIST' || !statSync(path).isDirectory()) throw error
  }
}

/** Writes the file (0600) whole: to a neighbour, to the disk, then into place. */
export function writePrivateFile(path: string, content: string): void {
  placeFile(path, content, (partial) => renameSync(partial, path))
}

/** As writePrivateFile, but a file that is there already stays as it is: of many that try at once, one is kept. */
export function keepPrivateFile(path: string, content: string): void {
  placeFile(path, content, (partial) => {
    try {
      linkSync(partial, path)
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error
    }
  })
}

function placeFile(path: string, content: string, place: (partial: string) => void): void {
  const folder = dirname(path)
  const partial = `${path}.${process.pid}.partial`
  try {
    writeFileSync(partial, content, { mode: 0o600, flush: true })
    giveToOwner(partial)
    place(partial)
    syncFolder(folder)
  } catch (error) {
    throw folderError(folder, error)
  } finally {
    rmSync(partial, { force: true })
  }
}

/** What root makes in a folder belongs to the folder's owner. */
export function giveToOwner(path: string): void {
  if (!isRoot()) return
  const owner = ownerOf(dirname(path))
  chownSync(path, owner.uid, owner.gid)
}

/** Makes a rename inside the folder survive a power cut. */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

const reasons: Record<string, string> = {
  EACCES: 'it belongs to another user',
  EPERM: 'it belongs to another user',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its disk is full',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'a file of that name is in the way',
  ENOENT: 'it cannot be made there',
}

/** An error of the file system in the operator's words; anything unexpected is passed on as it is. */
export function folderError(path: string, error: unknown): unknown {
  const reason = reasons[errorCode(error) ?? '']
  if (!reason) return error
  return new OperatorError(
    `The folder ${path} cannot be used: ${reason}. Mend that, or choose another with --data-dir.`,
  )
}
