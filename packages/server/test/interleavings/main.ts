/**
 * `npm run interleavings -- --minutes 10`: new orders of events for as long as you like; the seed is printed.
 * `npm run interleavings -- --seed 123 --path 45`: one of them again, as a failure says.
 */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    path: { type: 'string' },
  },
})
const minutes = Number(values.minutes)
if (!(minutes > 0) || !/^-?\d+$/.test(values.seed)) throw new Error('--minutes and --seed are numbers')
console.log(`seed ${values.seed}, ${minutes} minutes`)

const runner = fileURLToPath(new URL('../run.ts', import.meta.url))
const tests = fileURLToPath(new URL('../interleavings.test.ts', import.meta.url))
// The smallest failure is looked for within the same time, so twice the time is enough for all.
const timeout = `--test-timeout=${Math.ceil(minutes * 120_000) + 120_000}`
const child = spawn(process.execPath, [runner, timeout, tests], {
  stdio: 'inherit',
  env: {
    ...process.env,
    PASARELA_INTERLEAVINGS_MINUTES: String(minutes),
    PASARELA_INTERLEAVINGS_SEED: values.seed,
    ...(values.path === undefined ? {} : { PASARELA_INTERLEAVINGS_PATH: values.path }),
  },
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
child.on('close', (code) => {
  process.exitCode = code ?? 1
})
