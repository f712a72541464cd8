/** The embedded Postgres as it runs in production (fsync on), at one address through all its deaths: killed wholly, started again. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { findBinaries } from '../packages/postgres-embedded/src/binaries.ts'
import { clusterFolder } from '../packages/postgres-embedded/src/cluster.ts'
import { startPostgres } from '../packages/postgres-embedded/src/embedded-postgres.ts'
import { databaseIdentity } from '../packages/postgres-embedded/src/identity.ts'
import {
  discardPidFile,
  isPostgresProcess,
  launchPostgres,
  postgresArguments,
  readPidFile,
  stopPostgres,
} from '../packages/postgres-embedded/src/postmaster.ts'

export type Database = {
  readonly url: string
  isUp(): boolean
  start(): Promise<void>
  /** kill -9 of every process it has, at once, and waits until none is left. */
  kill(): Promise<void>
  stop(): Promise<void>
  /** For the very end of a process that may not wait. */
  killNow(): void
}

const patienceMs = 30_000

/** Makes a database below `dataDir` and starts it with the settings that `pasarela start` gives it. */
export async function openDatabase(dataDir: string): Promise<Database> {
  const made = await startPostgres({ dataDir, holder: 'pasarela chaos' })
  const { url } = made
  const port = Number(new URL(url).port)
  // From here on we launch it ourselves, at the same port, since its users were told that address.
  await made.stop()
  const identity = databaseIdentity(clusterFolder(dataDir))
  const binaries = await findBinaries(identity)
  const args = postgresArguments(dataDir, port, {}, identity)
  let pid: number | undefined

  const family = () => (pid === undefined ? [] : [pid, ...childrenOf(pid)])
  const killNow = () => {
    for (const member of family()) signal(member)
  }
  const database: Database = {
    url,
    isUp: () => pid !== undefined,
    start: async () => {
      const begun = Date.now()
      while (pid === undefined) {
        // Undefined: what was killed still holds the shared memory for a moment.
        pid = (await launchPostgres({ dataDir, binaries, args, identity, port }))?.pid
        if (Date.now() - begun > patienceMs) throw new Error('the database does not start again')
        if (pid === undefined) await sleep(20)
      }
    },
    kill: async () => {
      const members = family()
      killNow()
      const begun = Date.now()
      while (members.some(isPostgresProcess)) {
        if (Date.now() - begun > patienceMs) throw new Error('the database does not die')
        for (const member of members) if (isPostgresProcess(member)) signal(member)
        await sleep(5)
      }
      pid = undefined
      const left = readPidFile(dataDir)
      if (left) discardPidFile(dataDir, left)
    },
    stop: async () => {
      if (pid !== undefined) await stopPostgres({ pid })
      pid = undefined
    },
    killNow,
  }
  await database.start()
  return database
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}

/** The processes whose parent this is; Postgres puts each in a group of its own. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent)
}

function parentOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name stands in parentheses and may hold anything; the parent is the second field after it.
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}
