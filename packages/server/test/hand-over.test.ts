/** An older Node hands over to the one that npm ci brought: as if there were one process, whatever ends it. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readPidFile, stopPostgres } from '@pasarela/postgres-embedded'
import { freePort, whyNotListen } from '@pasarela/sql/ports'

const bin = new URL('../bin/', import.meta.url)
const program = fileURLToPath(new URL('pasarela.js', bin))
const folder = mkdtempSync(join(tmpdir(), 'pasarela-hand-over-'))
const dataDir = join(folder, 'data')
const started = new Set<ChildProcess>()
after(async () => {
  for (const child of started) child.kill('SIGKILL')
  const pid = readPidFile(dataDir)?.pid
  if (pid) await stopPostgres({ pid })
  rmSync(folder, { recursive: true, force: true })
})

/** A process that does nothing but hand over, as the command does on an older Node. */
function handOver(args: string[]): { child: ChildProcess; ended: Promise<number | null>; stdout: () => string } {
  const script = `
    const { handOver } = await import(${JSON.stringify(new URL('hand-over.js', bin).href)})
    handOver(process.execPath, ${JSON.stringify(program)}, ${JSON.stringify(args)})`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, LOG_LEVEL: 'error', DATABASE_URL: '', PASARELA_MASTER_KEY: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  started.add(child)
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  return { child, ended: new Promise((resolve) => child.on('exit', resolve)), stdout: () => said }
}

async function until(isSo: () => boolean | Promise<boolean>, ms: number): Promise<number> {
  const begun = performance.now()
  while (!(await isSo())) {
    assert.ok(performance.now() - begun < ms, 'it did not happen in time')
    await pause(20)
  }
  return performance.now() - begun
}

test('kill -9 of the process that was started frees its port, and the next start succeeds', async () => {
  const port = await freePort('127.0.0.1')
  const start = async () => {
    const running = handOver(['start', '--port', `${port}`, '--data-dir', dataDir])
    await until(() => running.stdout().includes('Pasarela ready'), 60_000)
    return running
  }
  const first = await start()
  first.child.kill('SIGKILL')
  await until(async () => (await whyNotListen('127.0.0.1', port)) === undefined, 2_000)
  const second = await start()
  const answer = await fetch(`http://127.0.0.1:${port}/openapi.json`)
  assert.equal(answer.status, 200)
  await answer.arrayBuffer()
  second.child.kill('SIGTERM')
  assert.equal(await second.ended, 0)
})

test('a command ends by itself, and its exit code is passed on', async () => {
  const help = handOver(['--help'])
  assert.equal(await help.ended, 0)
  assert.match(help.stdout(), /^Usage: pasarela/)
  assert.equal(await handOver(['begin']).ended, 1)
})
