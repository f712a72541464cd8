/** Runs the program by another Node, as if this process were that one: its streams, signals and exit code are passed on. */
import { spawn } from 'node:child_process'
import { nodeEnvironment, nodeFlags } from './node-flags.js'

/** Set for a process that must not outlive the one that started it. */
const boundVariable = 'PASARELA_ENDS_WITH_PARENT'

/**
 * @param {string} node the Node that runs the program
 * @param {string} program
 * @param {string[]} args
 */
export function handOver(node, program, args) {
  const child = spawn(node, [...nodeFlags, program, ...args], {
    // Nothing is sent over the channel. It closes when this process ends, however it ends.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...nodeEnvironment, ...process.env, [boundVariable]: '1' },
  })
  // A Ctrl-C reaches the child by itself; what is sent to this process alone is passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('close', (code, signal) => {
    process.exitCode = signal ? 1 : (code ?? 1)
  })
}

/** In the child: ends at once, as by kill -9, when the process that handed over is gone. Its port would stay taken otherwise. */
export function endWithParent() {
  if (process.env[boundVariable] === undefined) return
  delete process.env[boundVariable]
  const end = () => process.kill(process.pid, 'SIGKILL')
  if (!process.connected) return end()
  process.on('disconnect', end)
  // The channel alone keeps no command running that has done its work.
  process.channel?.unref()
}
