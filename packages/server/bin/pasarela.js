#!/usr/bin/env node
/** The `pasarela` command. Where the installed Node is too old, it hands over to the one that came with npm ci. */
import module from 'node:module'
import { fileURLToPath } from 'node:url'
import { endWithParent, handOver } from './hand-over.js'
import { nodeEnvironment, nodeFlags } from './node-flags.js'

// The first with Temporal.
const nodeMajorMin = 26
const program = fileURLToPath(import.meta.url)
const args = process.argv.slice(2)

if (Number(process.versions.node.split('.')[0]) >= nodeMajorMin) {
  endWithParent()
  if (args[0] === 'start') startAnew()
  // Keeps compiled code between starts; a folder that cannot be written is not an error.
  module.enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/pasarela', import.meta.url)))
  const { main } = await import('../src/main.ts')
  await main(args)
} else handOverToPinned()

function handOverToPinned() {
  const pinned = findPinned()
  if (pinned) return handOver(pinned, program, args)
  console.error(
    `pasarela: Pasarela needs Node ${nodeMajorMin} or newer and this is ${process.versions.node}: run npm ci without --ignore-scripts, which brings one, or install it.`,
  )
  process.exitCode = 1
}

/** The Node that came with npm ci: its install script puts the binary in place. */
function findPinned() {
  try {
    return module.createRequire(import.meta.url).resolve('node/bin/node')
  } catch {
    return undefined
  }
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
