#!/usr/bin/env node
/** The `pasarela` command. Where the installed Node is too old, it hands over to the one that came with npm ci. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const nodeMajorMin = 24
const pinnedNode = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url))

if (Number(process.versions.node.split('.')[0]) >= nodeMajorMin) {
  // Keeps compiled code between starts; a folder that cannot be written is not an error.
  module.enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/pasarela', import.meta.url)))
  const { main } = await import('../src/main.ts')
  await main(process.argv.slice(2))
} else if (existsSync(pinnedNode)) {
  const child = spawn(pinnedNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
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
