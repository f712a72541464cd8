#!/usr/bin/env node
/** The `pasarela` command. Where the installed Node is too old, it hands over to the one that came with npm ci. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'
import { nodeEnvironment, nodeFlags } from './node-flags.js'

// The first with Temporal.
const nodeMajorMin = 26
const program = fileURLToPath(import.meta.url)
const args = process.argv.slice(2)
const pinnedNode = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url))

if (Number(process.versions.node.split('.')[0]) >= nodeMajorMin) {
  if (args[0] === 'start') startAnew()
  // Keeps compiled code between starts; a folder that cannot be written is not an error.
  module.enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/pasarela', import.meta.url)))
  const { main } = await import('../src/main.ts')
  await main(args)
} else if (existsSync(pinnedNode)) {
  const child = spawn(pinnedNode, [...nodeFlags, program, ...args], {
    stdio: 'inherit',
    env: { ...nodeEnvironment, ...process.env },
  })
  // A Ctrl-C reaches the child by itself; what is sent to this process alone is passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('close', (code, signal) => {
    process.exitCode = signal ? 1 : (code ?? 1)
  })
} else {
  console.error(
    `Pasarela needs Node ${nodeMajorMin} or newer, and this is ${process.version}. Run npm ci first: it brings one.`,
  )
  process.exitCode = 1
}

/**
 * Becomes the same process with the server's flags, unless it has them, its operator gave others, or the system cannot:
 * the size of the young generation is fixed when Node starts. Costs some 30 ms.
 */
function startAnew() {
  const given = `${process.execArgv.join(' ')} ${process.env.NODE_OPTIONS ?? ''}`
  const asked = /--max[-_](semi|old)[-_]space[-_]size|--inspect/.test(given)
  // A process that another one talks to by a channel (such as node --watch) would lose it.
  if (asked || process.channel || process.platform === 'win32' || !process.execve) return
  const again = [process.execPath, ...nodeFlags, ...process.execArgv, program, ...args]
  process.execve(process.execPath, again, { ...nodeEnvironment, ...process.env })
}
