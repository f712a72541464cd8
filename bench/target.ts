/** The server that is measured, in a process of its own: the real application on the database of its first argument, with its jobs. */
import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { buildApp } from '../packages/server/src/app.ts'
import { buildContext } from '../packages/server/src/context.ts'
import { seedSandbox } from '../packages/server/src/seed.ts'
import { startWorker } from '../packages/server/src/worker.ts'

const [databaseUrl = '', keyText = ''] = process.argv.slice(2)
const masterKey = keyText ? Buffer.from(keyText, 'base64') : randomBytes(32)
const log = pino({ level: 'error' }, pino.destination({ dest: 2, sync: false }))
const ctx = await buildContext({ databaseUrl, publicUrl: 'http://127.0.0.1', masterKey, log })
const app = await buildApp(ctx)
const worker = startWorker(ctx)
const seed = await seedSandbox(ctx)
const address = await app.listen({ host: '127.0.0.1', port: 0 })
process.send?.({ address, seed })

process.on('message', async (message) => {
  if (message !== 'stop') return
  await app.close()
  await worker.stop()
  await ctx.close()
  process.disconnect?.()
})
// Also when the benchmark was killed: nobody would stop this process any more.
process.on('disconnect', () => process.exit())
