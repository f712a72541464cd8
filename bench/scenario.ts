/** What a scenario of the bench is: it measures the real server and prints each figure beside its yardstick of the same run. */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { nodeEnvironment, nodeFlags } from '../packages/server/bin/node-flags.js'
import type { SandboxSeed } from '../packages/server/src/seed.ts'
import { openPool, type Sql } from '../packages/sql/src/sql.ts'

/** One line of the table. `ratio` = figure / yardstick, where both are comparable. */
export type Row = {
  what: string
  figure: string
  yardstick: string
  its: string
  ratio?: number
  target: string
  met?: boolean
}

/** The real server in a process of its own, with its jobs. */
export type Target = {
  address: string
  seed: SandboxSeed
  pid: number
  memoryMb(): Promise<number>
  stop(): Promise<void>
}

export type Bench = {
  databaseUrl: string
  /** The same database by its Unix socket, the way that the server takes; for yardsticks, so that they take it too. */
  socketUrl: string
  masterKey: Uint8Array
  /** How long each figure is measured. */
  seconds: number
  /** Options of the command line that only some scenarios know. */
  options: Record<string, string>
  openTarget(): Promise<Target>
  /** Something to be printed below the table. */
  note(text: string): void
}

export type Scenario = { name: string; about: string; run(bench: Bench): Promise<Row[]> }

/** Starts the server on a database and waits until it listens. */
export async function openTarget(databaseUrl: string, masterKey: Uint8Array): Promise<Target> {
  const args = [databaseUrl, Buffer.from(masterKey).toString('base64')]
  const child = fork(new URL('target.ts', import.meta.url), args, {
    execArgv: nodeFlags,
    env: { ...nodeEnvironment, ...process.env },
  })
  const { address, seed } = await answer<{ address: string; seed: SandboxSeed }>(child)
  return {
    address,
    seed,
    pid: child.pid ?? 0,
    memoryMb: async () => residentMb(child.pid ?? 0),
    stop: async () => {
      child.send('stop')
      await new Promise((resolve) => child.once('exit', resolve))
    },
  }
}

function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (value) => resolve(value as T))
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
}

/** Looks into the database with a connection of its own. */
export async function withSql<T>(databaseUrl: string, look: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = openPool(databaseUrl, { max: 1, applicationName: 'bench', asApplication: false, statementTimeoutMs: 0 })
  try {
    return await look(sql)
  } finally {
    await sql.end()
  }
}

/** What the kernel says that a process holds in memory (Linux), in MB of 2^20 bytes. */
export function residentMb(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? 0) / 1024
}

/** A rate or time for the table, with as many digits as say something. */
export function shown(value: number, unit = ''): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return `${value.toFixed(digits)}${unit ? ` ${unit}` : ''}`
}
