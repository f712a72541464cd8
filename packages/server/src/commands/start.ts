/** `pasarela start`: database, schema, seed, HTTP and jobs up in this order, and down in the opposite one. */

import { findRunningPostgres, refuseTakenFolder, startPostgres } from '@pasarela/postgres-embedded'
import { parseDatabaseUrl } from '@pasarela/sql'
import { errorCode, OperatorError } from '@pasarela/sql/operator-error'
import { freePort, whyNotListen } from '@pasarela/sql/ports'
import { pino } from 'pino'
import { migrate } from '../kit/migrate.ts'
import type { App } from '../kit/operation.ts'
import { reachDatabase } from '../kit/reach-database.ts'
import type { Config } from '../platform/config.ts'
import { type Lifetime, openLifetime } from '../platform/lifetime.ts'
import { openLog } from '../platform/log.ts'
import type { Call } from './command.ts'
import { masterKeyOf } from './master-key.ts'
import { sandboxFor } from './sandbox.ts'
import { tryCheckout } from './try-checkout.ts'

/** How long requests under way may take when the end has come. */
const drainMs = 9_000
const sweepMs = 20
/** How long to wait for a command that has the folder's database at this moment. */
const patienceMs = 15_000

export async function run({ config, name }: Call): Promise<void> {
  // Logs go to stderr: stdout belongs to the lines for people.
  const log = openLog(config.logLevel, pino.destination({ dest: 2, sync: true }))
  const lifetime = openLifetime((error) => log.fatal({ err: error }, 'an error that nothing caught'))
  try {
    await lifetime.during(() => serve(config, name, lifetime, log))
  } catch (error) {
    console.error(error instanceof OperatorError ? `pasarela: ${error.message}` : error)
    await lifetime.end(1)
  }
}

async function serve(config: Config, name: string, lifetime: Lifetime, log: pino.Logger): Promise<void> {
  const serves = config.role !== 'worker'
  const port = serves ? await choosePort(config) : config.port
  const masterKey = masterKeyOf(config)
  // Loading the application and starting the database do not wait for each other.
  const [{ buildApp }, { buildContext }, { startWorker }, database] = await Promise.all([
    import('../app.ts'),
    import('../context.ts'),
    import('../worker.ts'),
    openDatabase(config, name, lifetime, log),
  ])
  if (lifetime.isEnding()) return
  await migrate(database.url, undefined, (message) => log.warn(message))

  const localUrl = `http://${urlHost(config.host)}:${port}`
  const publicUrl = config.publicUrl ?? localUrl
  const ctx = await buildContext({ databaseUrl: database.poolUrl, publicUrl, masterKey, log })
  lifetime.onEnd(() => atMost(1_000, ctx.close()))
  if (!serves) {
    const worker = startWorker(ctx)
    lifetime.onEnd(() => atMost(drainMs, worker.stop()))
    console.log('Pasarela worker ready')
    return
  }
  const sandbox = config.databaseUrl && !config.sandbox ? undefined : await sandboxFor(ctx, config.dataDir, localUrl)
  if (lifetime.isEnding()) return
  const app = await buildApp(ctx)
  const worker = config.role === 'both' ? startWorker(ctx) : undefined
  lifetime.onEnd(() => atMost(drainMs, Promise.all([drain(app), worker?.stop()])))
  // Our own line says it; Fastify's would say it twice.
  if (log.isLevelEnabled('info')) log.level = 'warn'
  await listen(app, config.host, port)
  log.level = config.logLevel
  console.log(`Pasarela ready: ${localUrl}`)
  console.log(sandbox ? tryCheckout(sandbox) : noSandboxHint)
}

const noSandboxHint = `
Make a merchant and its keys: pasarela merchants create, pasarela clients create (with the same --database-url).
`

/** `poolUrl` leads to the same database by the shortest way; only openPool understands it. */
type Database = { url: string; poolUrl: string }

/** Opens the database that the configuration asks for; the embedded one is ours until the end. */
async function openDatabase(config: Config, name: string, lifetime: Lifetime, log: pino.Logger): Promise<Database> {
  if (config.databaseUrl) {
    for (const warning of parseDatabaseUrl(config.databaseUrl).warnings) log.warn(warning)
    await reachDatabase(config.databaseUrl)
    return { url: config.databaseUrl, poolUrl: config.databaseUrl }
  }
  // Where the work is divided, the first process runs the folder's database and the others join it.
  const running = config.role === 'both' ? undefined : await findRunningPostgres(config.dataDir)
  if (running) return { url: running, poolUrl: running }
  const embedded = await startPostgres({
    dataDir: config.dataDir,
    holder: `pasarela ${name}`,
    patienceMs,
    log: (message) => log.info(message),
  })
  lifetime.onForce(embedded.stopSoon)
  lifetime.onEnd(embedded.stop)
  void embedded.lost.then((reason) => {
    log.fatal(reason)
    void lifetime.end(1)
  })
  return { url: embedded.url, poolUrl: embedded.socketUrl }
}

/** A taken port is found out before anything is started or made; that it is ours is the more useful answer. */
async function choosePort(config: Config): Promise<number> {
  const { host, port } = config
  if (port === 0) {
    return freePort(host).catch((error) => {
      throw portError(errorCode(error), host, port) ?? error
    })
  }
  const code = await whyNotListen(host, port)
  if (code === undefined) return port
  if (code === 'EADDRINUSE' && !config.databaseUrl) await refuseTakenFolder(config.dataDir)
  throw portError(code, host, port) ?? new OperatorError(`Port ${port} of ${host} cannot be used: ${code}.`)
}

async function listen(app: App, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    throw portError(errorCode(error), host, port) ?? error
  }
}

function portError(code: string | undefined, host: string, port: number): OperatorError | undefined {
  const reasons: Record<string, string> = {
    EADDRINUSE: `Port ${port} of ${host} is taken by another program. Stop that one, or choose another with --port.`,
    EACCES: `Port ${port} of ${host} may not be used by this user. Choose one above 1023 with --port.`,
    EADDRNOTAVAIL: `${host} is not an address of this machine. Choose another with --host.`,
    ENOTFOUND: `${host} is not an address. Choose another with --host.`,
  }
  const reason = reasons[code ?? '']
  return reason === undefined ? undefined : new OperatorError(reason)
}

/** Answers what is under way and lets nothing new in. */
async function drain(app: App): Promise<void> {
  // A connection that has had its last answer falls idle, and would be waited for as if another request were to come.
  const sweep = setInterval(() => app.server.closeIdleConnections(), sweepMs)
  await app.close()
  clearInterval(sweep)
}

/** Waits for the work, but not for ever: what hangs is left behind. */
async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const timer = Promise.withResolvers<void>()
  const timeout = setTimeout(timer.resolve, ms)
  await Promise.race([work, timer.promise])
  clearTimeout(timeout)
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
