#!/usr/bin/env node
/**
 * Mends the Postgres driver (`postgres` 3.4.9), in which a connection that is lost at the wrong moment ends the process, never
 * works again, mixes up answers, or runs the rest of a transaction outside of it, and in which every query keeps what it sent (ADR
 * 60). Run by npm after every install; a second run changes nothing, and a driver that it does not know is refused.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const mark = '/* mended: see docs/adr/0060 */'

/** File → [what stands there, what belongs there]; each text occurs exactly as often as said. */
const repairs = {
  'connection.js': [
    {
      // A write that was put off meets a socket that is gone: it must fail as a query, not as the process.
      from: `    const x = socket.write(chunk, fn)
    nextWriteTimer !== null && clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    return x`,
      to: `    const bytes = chunk ${mark}
    nextWriteTimer !== null && clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    if (socket === null)
      return error(Errors.connection('CONNECTION_CLOSED', options, socket)), query = null, false
    return socket.write(bytes, fn)`,
    },
    {
      // What was not sent is forgotten with the socket: else nothing is ever sent again, or it goes to the next session.
      from: `    incomings = null
    clearImmediate(nextWriteTimer)
    socket.removeListener('data', data)`,
      to: `    incomings = null
    clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null ${mark}
    socket.removeListener('data', data)`,
    },
    {
      // Whatever waits for an answer has none to come, also when an error was told before: else it takes another's answer.
      from: `    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
    closedTime`,
      to: `    if (query || sent.length)
      error(Errors.connection('CONNECTION_CLOSED', options, socket)) ${mark}
    query = results = errorResponse = null
    result = new Result()
    closedTime`,
    },
    {
      // Asked for behind everybody's back: nobody would hear that it failed but the process.
      from: `        return fetchArrayTypes()`,
      to: `        return fetchArrayTypes().catch(() => undefined) ${mark}`,
    },
    {
      // An answered query outlives its answer until the garbage collector's next large round; what was sent need not.
      from: `        query.resolve(results || result)
      }`,
      to: `        query.resolve(results || result)
        query.args = query.parameters = null ${mark}
      }`,
    },
  ],
  'query.js': [
    {
      // A query that is a promise of its own kind, and all that it leads to, outlives its answer until the garbage collector's next
      // large round, whatever compiles it (Node 26): it has a promise instead, and passes `then`, `catch` and `finally` on to it.
      from: `export class Query extends Promise {`,
      to: `export class Query { ${mark}`,
    },
    {
      from: `    super((a, b) => {`,
      to: `    this.promise = new Promise((a, b) => { ${mark}`,
    },
    ...['then', 'catch', 'finally'].map((name) => ({
      from: `    return super.${name}.apply(this, arguments)`,
      to: `    return this.promise.${name}.apply(this.promise, arguments) ${mark}`,
    })),
  ],
  'index.js': [
    {
      // A transaction ends with its connection: what its work still asks for must not run in another session.
      from: `        new Promise((_, reject) => connection.onclose = reject)`,
      to: `        new Promise((_, reject) => connection.onclose = e => (lost = e, reject(e))) ${mark}`,
    },
    {
      from: `    let savepoints = 0
      , connection
      , prepare = null`,
      to: `    let savepoints = 0
      , connection
      , lost = null ${mark}
      , prepare = null`,
    },
    {
      from: `        q.catch(e => uncaughtError || (uncaughtError = e))
        c.queue === full`,
      to: `        q.catch(e => uncaughtError || (uncaughtError = e))
        if (lost)
          return q.reject(lost) ${mark}
        c.queue === full`,
    },
  ],
}

// Resolved as CommonJS: <package>/cjs/src/index.js.
const folder = join(dirname(createRequire(import.meta.url).resolve('postgres')), '..', '..')

for (const [name, list] of Object.entries(repairs)) {
  const file = join(folder, 'src', name)
  const before = readFileSync(file, 'utf8')
  const after = list.reduce((text, { from, to }) => {
    if (text.includes(to)) return text
    const parts = text.split(from)
    if (parts.length !== 2) {
      console.error(`${file} is not the one that this repair was written for. Read docs/adr/0060 before using it.`)
      process.exit(1)
    }
    return parts.join(to)
  }, before)
  if (after !== before) writeFileSync(file, after)
}
